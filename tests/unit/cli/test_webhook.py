"""`tidemill webhook`: it makes endpoints of the names that the deployed stack lists, and no others."""

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tests.unit.cli.conftest import SETTINGS
from tidemill import JobRegistry
from tidemill.cli.app import app
from tidemill.cli.target import Target
from tidemill.connect import StackInfo
from tidemill.domain.lane import WEBHOOK_LANE
from tidemill.domain.webhook.endpoint import EndpointRef
from tidemill.settings import LaneSettings
from tidemill.testing import Harness

LISTED = ("orders", "audit")
LANES = {**SETTINGS.lanes, WEBHOOK_LANE: LaneSettings(queue_url="https://sqs/w", dlq_url="https://sqs/w-dlq")}
URL = "https://hooks.example.com/"


@pytest.fixture
def desk():
    with Harness(JobRegistry(webhooks=LISTED)) as tide:
        yield tide.client.webhooks


@pytest.fixture
def run(desk, monkeypatch):
    """Run one command line against the harness, as a stack that lists `orders` and `audit`."""

    def program_of(_info, registry, _account):
        return SimpleNamespace(client=SimpleNamespace(webhooks=replace(desk, registry=registry)))

    # `tidemill.connect` is the function of that name.
    monkeypatch.setattr(sys.modules["tidemill.connect"], "program_of", program_of)

    def invoke(*arguments, listed=LISTED, lanes=LANES):
        target = Target()
        target.info = StackInfo(SETTINGS.model_copy(update={"lanes": lanes, "webhooks": listed}), "https://api")
        target.account = None
        return CliRunner().invoke(app, ["webhook", *arguments], obj=target)

    return invoke


def test_a_name_that_the_stack_does_not_list_is_refused_at_once(run):
    answer = run("create", "ordrs", "--url", URL)

    assert answer.exit_code == 2
    assert "no webhook 'ordrs'; known: orders, audit" in answer.stderr
    assert "no endpoint 'ordrs'" in run("show", "ordrs").stderr


def test_a_stack_that_was_deployed_before_it_listed_names_is_to_be_deployed_again(run):
    assert "known: none. Fix: JobRegistry(..., webhooks=['orders']), and deploy" in (
        run("create", "orders", "--url", URL, listed=()).stderr
    )


def test_a_stack_without_webhooks_has_none(run):
    assert "has no webhooks" in run("create", "orders", "--url", URL, lanes=SETTINGS.lanes).stderr


def test_an_endpoint_is_made_stopped_tried_and_deleted(run, desk):
    made = json.loads(run("create", "orders", "--url", URL, "--json").stdout)
    assert desk.get("orders").secret == made["secret"]

    assert "paused (asked)" in run("pause", "orders").stdout
    assert "secret" not in json.loads(run("show", "orders", "--json").stdout)
    assert [run(verb, "orders").exit_code for verb in ("resume", "test", "delete")] == [0, 0, 0]


def test_one_that_the_program_lists_no_more_can_still_be_looked_after(run, desk):
    desk.endpoints.create(replace(desk.create("orders", URL), ref=EndpointRef("default", "former")))

    assert [run(verb, "former").exit_code for verb in ("show", "pause", "rotate", "delete")] == [0, 0, 0, 0]
