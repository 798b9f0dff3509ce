"""The DLQ desk from the command line to DynamoDB, SQS and STS."""

import json

import boto3
import pytest

from tests.contract.builders import LEASE, NOW, TTL, make_envelope, make_job
from tests.integration.cli.conftest import REGION
from tidemill.aws.clients import Clients
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.failure import Failure
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury
from tidemill.domain.ports import Claim, Conclusion

FAILURE = Failure("ValueError", "no such key", "Traceback ...", "0123456789abcdef")


@pytest.fixture
def dead(deployed, settings):
    """A dead job, its record in the table and its message in the DLQ."""
    job = make_job(tenant="default")
    envelope = make_envelope(job)
    store = DynamoJobStore(Clients(REGION).dynamodb, "jobs", list_index=False)
    store.insert([job])
    held = Held(envelope.send_id, NOW)
    (claimed,) = store.claim([Claim(job.ref, job.fingerprint, "w", held, NOW, LEASE, TTL)])
    verdict = Bury("permanent", FAILURE, 4_000_000_000_000)
    store.conclude([Conclusion(claimed.job, verdict, envelope, NOW)])
    boto3.client("sqs", REGION).send_message(
        QueueUrl=settings.lanes["bulk"].dlq_url, MessageBody=envelope.encode(), MessageGroupId="default"
    )
    return job.ref


def body_of(url):
    (message,) = boto3.client("sqs", REGION).receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    return json.loads(message["Body"])


def test_a_job_is_shown_and_resumed_byte_for_byte_and_the_trail_says_who_did_it(dead, settings, cli):
    shown = json.loads(cli("dlq", "show", dead.id, "--json").stdout)
    assert (shown["reason"], shown["args"], shown["steps"]) == ("permanent", {"width": 320}, [])

    result = cli("dlq", "redrive", dead.id)
    assert result.stdout == f"job {dead.id} runs again (sent from the dlq)\n", result.output
    assert body_of(settings.lanes["bulk"].queue_url)["generation"] == 1

    (entry,) = json.loads(cli("dlq", "audit", "--json").stdout)["entries"]
    assert entry["actor"] == "arn:aws:sts::123456789012:user/moto"
    assert (entry["action"], entry["outcome"], entry["jobs"]) == ("redrive", "done", [str(dead)])


def test_a_restart_is_a_new_message_and_the_old_one_is_gone(dead, settings, cli):
    assert cli("dlq", "redrive", dead.id, "--mode", "restart", "--yes").exit_code == 0

    body = body_of(settings.lanes["bulk"].queue_url)
    assert (body["generation"], "forget" in body) == (2, False)
    key = {"pk": {"S": str(dead).replace("/", "#")}, "sk": {"S": "MEMORY"}}
    memory = boto3.client("dynamodb", REGION).get_item(TableName="jobs", Key=key)["Item"]
    assert memory["wish"] == {"M": {"g": {"N": "2"}, "f": {"S": "*"}}}
    assert json.loads(cli("get", dead.id, "--json").stdout)["state"] == State.QUEUED
    assert json.loads(cli("lanes", "--json").stdout)["lanes"][1]["dead"] == 0


def test_a_purge_and_then_a_redrive_from_the_table(dead, settings, cli):
    found = json.loads(cli("dlq", "purge", "--lane", "bulk", "--yes", "--json").stdout)
    assert (found["messages"], found["kept"]) == (1, 0)

    assert json.loads(cli("dlq", "redrive", dead.id, "--json").stdout)["redriven"][0]["via"] == "table"
    assert body_of(settings.lanes["bulk"].queue_url)["id"] == dead.id


def test_a_whole_lane_goes_back_where_sqs_can_not_do_it_by_itself(dead, settings, cli):
    result = cli("dlq", "redrive", "--lane", "bulk", "--yes", "--json")

    assert json.loads(result.stdout) == {"moved": {"bulk": 1}, "moving": {}}, result.output
    assert body_of(settings.lanes["bulk"].queue_url)["id"] == dead.id


def test_an_sts_that_does_not_answer_stops_nobody(dead, cli, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")

    assert cli("dlq", "redrive", dead.id).exit_code == 0
    assert json.loads(cli("dlq", "audit", "--json").stdout)["entries"][0]["actor"] == "unknown"
