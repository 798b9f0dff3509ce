"""`tidemill replay`."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from examples.guide.subscribing import CountSale, OrderPlaced, SendReceipt, registry
from tidemill.cli.app import app
from tidemill.cli.target import Target
from tidemill.connect import StackInfo
from tidemill.domain.duration import minutes
from tidemill.settings import LaneSettings, RuntimeSettings
from tidemill.testing import Harness


@pytest.fixture
def tide():
    with Harness(registry) as tide:
        event = OrderPlaced(order="7", email="ada@example.com", cents=990)
        tide.outbox.commit(tide.client.transact_items(event))
        tide.drain()
        tide.advance(minutes(30))
        yield tide


@pytest.fixture
def run(tide):
    target = SimpleNamespace(replays=tide.replays, program=SimpleNamespace(clock=tide.clock))
    return lambda *arguments: CliRunner().invoke(app, ["replay", *arguments], obj=target)


def answer(run, *arguments):
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_the_chosen_hear_again(run, tide):
    told = answer(run, "start", "--to", SendReceipt.job_kind, "--since", "1h", "--name", "mended")
    tide.drain()

    assert (told["name"], told["state"], told["reason"]) == ("mended", "completed", None)
    assert told["since"] < told["reached"] < told["until"]
    assert sorted(job.kind for job in tide.jobs()) == sorted([SendReceipt.job_kind] * 2 + [CountSale.job_kind])
    assert answer(run, "show", "mended") == told
    assert answer(run, "list")["replays"] == [told]


def test_people_can_read_it(run):
    said = run("start", "--to", SendReceipt.job_kind, "--to", CountSale.job_kind, "--since", "1h", "--before", "20m")
    assert said.stdout.startswith("replay testing-2027")
    assert "is completed: facts of 2027-" in said.stdout
    assert "completed" in run("list").stdout
    heard = run("subscribers").stdout
    assert SendReceipt.job_kind in heard
    assert "guide.order-placed" in heard
    assert {"kind": CountSale.job_kind, "event": "guide.order-placed"} in answer(run, "subscribers")["subscribers"]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("start", "--to", "shop.nobody", "--since", "1h"), "hears nothing"),
        (("start", "--to", SendReceipt.job_kind, "--since", "1h", "--before", "5m"), "at least 600 seconds ago"),
        (("start", "--to", SendReceipt.job_kind, "--since", "soon"), "since: "),
        (("start", "--to", SendReceipt.job_kind, "--since", "1h", "--archive", "other"), "--archive"),
        (("show", "mended"), "tidemill replay list"),
        (("cancel", "mended"), "tidemill replay list"),
    ],
)
def test_bad_input_is_refused_with_the_fix(run, tide, arguments, fault):
    done = run(*arguments)

    assert done.exit_code != 0
    assert fault in done.stderr
    assert tide.replays.all() == []


def test_a_replay_is_cancelled_only_while_it_runs(run):
    run("start", "--to", SendReceipt.job_kind, "--since", "1h", "--name", "mended")

    assert "is completed already" in run("cancel", "mended").stderr


def test_a_stack_without_events_says_so():
    target = Target()
    lanes = {"default": LaneSettings(queue_url="https://sqs/q", dlq_url="https://sqs/d")}
    target.__dict__["info"] = StackInfo(RuntimeSettings(stack="shop", table="jobs", lanes=lanes), "https://api")
    done = CliRunner().invoke(app, ["replay", "list"], obj=target)

    assert done.exit_code == 2
    assert "the stack has no events" in done.stderr
