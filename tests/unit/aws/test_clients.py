"""The clients' settings, seen on the requests that they send."""

import subprocess
import sys

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from tests.unit.aws.stub import Wire, error
from tidemill.aws.clients import Clients

UNWANTED = {"boto3", "boto3.resources", "s3transfer", "aws_xray_sdk", "aws_cdk", "aws_lambda_powertools"}


@pytest.mark.parametrize("module", ["clients", "store", "reader", "sqs"])
def test_a_worker_imports_nothing_it_does_not_need(module):
    program = f"import sys, tidemill.aws.{module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert set(loaded) & UNWANTED == set()
    assert "botocore" in loaded


def test_clients_are_made_when_asked_for_and_once(monkeypatch):
    made = []
    monkeypatch.setattr(Clients, "_client", lambda self, service, **_: made.append(service) or object())
    monkeypatch.setattr("tidemill.aws.clients.pass_through", lambda client: None)
    clients = Clients("eu-central-1")
    assert made == []

    for name in ("sqs", "dynamodb", "s3", "cloudformation"):
        assert getattr(clients, name) is getattr(clients, name)

    assert made == ["sqs", "dynamodb", "s3", "cloudformation"]


@pytest.mark.parametrize("failure", [error("InternalServerError", 500), ReadTimeoutError(endpoint_url="x")])
def test_dynamodb_calls_are_repeated_twice(failure, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    wire = Wire(failure, failure, {"Item": {"pk": {"S": "x"}}})

    assert wire.dynamodb.get_item(TableName="t", Key={})["Item"] == {"pk": {"S": "x"}}
    assert wire.operations == ["GetItem"] * 3


@pytest.mark.parametrize(
    "failure", [error("InternalFailure", 500), error("RequestThrottled"), ReadTimeoutError(endpoint_url="x")]
)
def test_no_send_is_ever_repeated(failure):
    wire = Wire(repeat=failure)

    with pytest.raises((ClientError, ReadTimeoutError)):
        wire.sqs.send_message(QueueUrl="https://q", MessageBody="x")
    assert wire.operations == ["SendMessage"]


@pytest.mark.parametrize(("service", "read_timeout"), [("dynamodb", 5), ("sqs", 5), ("s3", 10), ("cloudformation", 30)])
def test_timeouts_and_connections(service, read_timeout):
    config = getattr(Clients("eu-central-1", parallelism=7), service).meta.config

    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (2, read_timeout, 7)


def test_the_address_can_be_another():
    assert Clients("eu-central-1", "http://127.0.0.1:1").dynamodb.meta.endpoint_url == "http://127.0.0.1:1"


def test_the_user_agent_is_short_and_the_same_each_time():
    wire = Wire(repeat={})
    client = wire.dynamodb
    client.get_item(TableName="t", Key={})
    client.get_item(TableName="t", Key={})

    assert len({headers["User-Agent"] for headers in wire.headers}) == 1
    # Powertools, where it was imported before, adds a word of its own to every botocore client of the process.
    assert len(wire.headers[0]["User-Agent"]) < 60


def test_a_batch_goes_out_and_comes_back_as_it_is():
    # The last is no type that botocore's model knows: it would not come through a walk along the model.
    item = {"pk": {"S": "é"}, "n": {"N": "1"}, "flag": {"BOOL": True}, "new": {"Z": "26"}}
    responses = [{"Item": item}, {"Error": {"Code": "ConditionalCheckFailed", "Item": item}}]
    statements = [{"Statement": 'UPDATE "t" SET "a" = ?', "Parameters": [{"S": "𝄞"}, {"N": "2"}, {"Z": "26"}]}]
    wire = Wire({"Responses": responses, "ConsumedCapacity": [{"CapacityUnits": 2.0}]})

    answer = wire.dynamodb.batch_execute_statement(Statements=statements, ReturnConsumedCapacity="TOTAL")

    assert wire.requests == [("BatchExecuteStatement", {"Statements": statements, "ReturnConsumedCapacity": "TOTAL"})]
    assert answer["Responses"] == responses
    assert answer["ConsumedCapacity"] == [{"CapacityUnits": 2.0}]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_refused_batch_is_an_error_as_ever():
    with pytest.raises(ClientError, match="AccessDenied"):
        Wire(error("AccessDeniedException")).dynamodb.batch_execute_statement(Statements=[])


def test_a_repeated_batch_is_the_same_batch(monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    wire = Wire(error("InternalServerError", 500), {"Responses": []})

    wire.dynamodb.batch_execute_statement(Statements=[{"Statement": "s"}])

    assert wire.requests == [("BatchExecuteStatement", {"Statements": [{"Statement": "s"}]})] * 2
