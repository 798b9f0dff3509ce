"""The command line from the root options to AWS."""

import json

import boto3
import pytest

from tidemill import JobArgs, JobRegistry, job
from tidemill.cli.account import AccountClients
from tidemill.connect import connect

JOB = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


class Greet(JobArgs, kind="demo.greet"):
    name: str


@job(Greet)
def greet(args, _): ...


@pytest.fixture
def submitted(deployed):
    return connect(registry=JobRegistry(greet)).submit(Greet(name="Ada")).job_id


def test_lanes_are_counted_by_sqs(deployed, settings, submitted, cli):
    sqs = boto3.client("sqs", "eu-central-1")
    sqs.send_message(QueueUrl=settings.lanes["bulk"].dlq_url, MessageBody="x")
    sqs.send_message(QueueUrl=settings.lanes["bulk"].queue_url, MessageBody="x", DelaySeconds=60)

    default, bulk = json.loads(cli("lanes", "--json").stdout)["lanes"]

    assert default == {
        "lane": "default",
        "ready": 1,
        "in_flight": 0,
        "delayed": 0,
        "dead": 0,
        "visibility_timeout_s": 450,
        "retention_s": 345_600,
        "dlq_retention_s": 1_209_600,
        "max_receives": 5,
    }
    assert (bulk["ready"], bulk["delayed"], bulk["dead"]) == (0, 1, 1)
    sqs.receive_message(QueueUrl=settings.lanes["default"].queue_url)
    assert json.loads(cli("lanes", "--json").stdout)["lanes"][0]["in_flight"] == 1


def test_a_job_is_read_and_cancelled_with_the_operators_credentials(submitted, cli):
    assert json.loads(cli("get", submitted, "--json").stdout)["state"] == "queued"
    assert json.loads(cli("cancel", submitted, "--json").stdout)["state"] == "cancelled"


def test_a_stack_that_is_not_there(loopback, cli):
    human, machine = cli("--stack", "orders", "lanes"), cli("--stack", "orders", "lanes", "--json")

    assert (human.exit_code, machine.exit_code) == (1, 1)
    assert human.stderr.startswith("error: there is no stack 'orders' in region eu-central-1")
    assert json.loads(machine.stderr)["code"] == "stack_not_found"
    assert human.stdout == machine.stdout == ""


def test_no_credentials(bare, cli):
    result = cli("--region", "eu-central-1", "lanes")

    assert result.exit_code == 3
    assert "Fix: set AWS_PROFILE" in result.stderr


def test_no_region(bare, cli):
    result = cli("lanes")

    assert result.exit_code == 3
    assert "Fix: give --region" in result.stderr


def test_no_such_profile(cli):
    result = cli("--profile", "nobody", "--region", "eu-central-1", "lanes")

    assert result.exit_code == 3
    assert "nobody" in result.stderr


def test_nothing_answers(cli, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

    result = cli("lanes", "--json")

    assert result.exit_code == 3
    assert json.loads(result.stderr)["code"] == "cannot_connect"


def test_a_table_that_is_gone_is_no_traceback(deployed, submitted, cli):
    boto3.client("dynamodb", "eu-central-1").delete_table(TableName="jobs")

    result = cli("get", JOB, "--json")

    assert result.exit_code == 3
    assert "cdk deploy" in json.loads(result.stderr)["message"]


def test_a_profile_named_wins_over_keys_in_the_environment(monkeypatch, tmp_path):
    shared = tmp_path / "credentials"
    shared.write_text("[ops]\naws_access_key_id = OPS\naws_secret_access_key = s\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")

    for profile, key in (("ops", "OPS"), (None, "testing")):
        account = AccountClients(profile=profile)
        assert account.credentials.access_key == key
        for client in (account.cloudformation, account.dynamodb, account.sqs):
            assert client._request_signer._credentials.access_key == key
