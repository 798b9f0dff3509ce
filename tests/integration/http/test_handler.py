"""The handler as `functions/api` makes it: wired from the env contract, on tables and queues that moto plays."""

import functools
import json
import logging
import sys
from types import SimpleNamespace

import pytest
from moto import mock_aws

from tests.contract.backends import NEVER, create_jobs_table
from tests.unit.http.conftest import REGISTRY
from tests.unit.http.gateway import REQUEST_ID, make_event
from tidemill.aws.clients import Clients
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.errors import UnavailableError
from tidemill.entrypoints import adapters
from tidemill.entrypoints.http import api_handler
from tidemill.settings import LaneSettings, RuntimeSettings

CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 29_000)
SECRET = "canary-4242"
LOOSE = {"kind": "loose", "args": {"anything": SECRET}, "key": "k"}


@pytest.fixture
def call(monkeypatch):
    # moto ignores the conditions of PartiQL statements, so that every record goes out alone.
    monkeypatch.setattr(adapters, "DynamoJobStore", functools.partial(DynamoJobStore, batch_from=NEVER))
    with mock_aws():
        clients = Clients()
        create_jobs_table(clients.dynamodb, "jobs")
        url = clients.sqs.create_queue(QueueName="all")["QueueUrl"]
        lanes = {name: LaneSettings(queue_url=url, dlq_url=url) for name in REGISTRY.lanes}
        settings = RuntimeSettings(stack="tidemill", table="jobs", lanes=lanes, tenant_claim="org")
        assert RuntimeSettings.from_env(settings.to_env()) == settings
        for name, value in settings.to_env().items():
            monkeypatch.setenv(name, value)
        handler = api_handler(REGISTRY)

        def send(*request, **options):
            answer = handler(make_event(*request, **options), CONTEXT)
            return answer["statusCode"], json.loads(answer["body"])

        yield send


def test_a_job_goes_all_the_way_and_back(call):
    status, receipt = call("POST", "/jobs", LOOSE)
    assert (status, receipt["created"]) == (202, True)
    assert call("POST", "/jobs", LOOSE) == (200, {**receipt, "created": False})
    status, job = call("GET", receipt["link"])
    assert (status, job["state"], job["link"]) == (200, "queued", receipt["link"])
    assert [found["id"] for found in call("GET", "/jobs?kind=loose")[1]["jobs"]] == [receipt["id"]]
    assert call("DELETE", receipt["link"])[1]["state"] == "cancelled"
    assert call("DELETE", receipt["link"])[0] == 200


def test_the_tenant_s_claim_comes_from_the_env_contract(call):
    token = {"jwt": {"claims": {"org": "acme", "tenant": "globex"}}}
    status, receipt = call("POST", "/jobs", LOOSE, authorizer=token)
    assert (status, call("GET", receipt["link"], authorizer=token)[1]["tenant"]) == (202, "acme")
    assert call("GET", "/openapi.json", authorizer=token)[1]["security"] == [{"token": []}]


def test_logs_and_metrics_name_the_request_and_nothing_that_was_sent(call, capsys, monkeypatch):
    # The logger of a stack is made once a process, and keeps the stream that it was made with.
    for handler in logging.getLogger("tidemill").handlers:
        monkeypatch.setattr(handler, "stream", sys.stdout)
    call("POST", "/jobs", LOOSE)
    call("POST", "/jobs", {**LOOSE, "lane": SECRET, "args": {}})
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    logs = [line for line in lines if "level" in line]
    metrics = [line for line in lines if "_aws" in line]
    assert [line["message"] for line in logs] == ["job_submitted", "request_refused"]
    assert {line["correlation_id"] for line in logs} == {REQUEST_ID}
    assert [(line.get("JobsSubmitted"), line.get("JobsRefused")) for line in metrics] == [([1.0], None), (None, [1.0])]
    assert SECRET not in json.dumps(lines)


def test_a_throttled_table_is_503(call, monkeypatch):
    def throttle(self, *_):
        raise UnavailableError("find", "ThrottlingException")

    monkeypatch.setattr(adapters.DynamoJobReader, "find", throttle)
    assert call("POST", "/jobs", LOOSE)[0] == 503
