"""CloudFormation and an HTTP API on loopback, as the command line meets them on the wire; SQS and DynamoDB in moto.

moto's own CloudFormation asks for a dozen packages that nothing else here needs.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner

from tidemill.cli.app import app
from tidemill.settings import LaneSettings, RuntimeSettings

REGION = "eu-central-1"
NAMESPACE = "http://cloudformation.amazonaws.com/doc/2010-05-15/"


@dataclass
class Loopback:
    """What the server is to answer, and what it was asked."""

    port: int
    stacks: dict = field(default_factory=dict)
    refusal: tuple | None = None
    answer: tuple = (202, {"id": "j", "state": "queued", "created": True})
    requests: list = field(default_factory=list)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def deploy(self, name, outputs, status="CREATE_COMPLETE"):
        self.stacks[name] = (status, outputs)

    def describe(self, name):
        if self.refusal is not None:
            return _error(*self.refusal)
        if name not in self.stacks:
            return _error("ValidationError", f"Stack with id {name} does not exist", 400)
        status, outputs = self.stacks[name]
        members = "".join(
            f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(value)}</OutputValue></member>"
            for key, value in outputs.items()
        )
        stack = f"<StackName>{name}</StackName><StackStatus>{status}</StackStatus><Outputs>{members}</Outputs>"
        result = f"<DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult>"
        return 200, f'<DescribeStacksResponse xmlns="{NAMESPACE}">{result}</DescribeStacksResponse>'.encode()


def _error(code, message, status):
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return status, f'<ErrorResponse xmlns="{NAMESPACE}">{error}</ErrorResponse>'.encode()


def _handler(loopback):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Host"].partition(".")[0] == "127":
                status, answer = loopback.describe(parse_qs(body.decode())["StackName"][0])
            else:
                loopback.requests.append((self.path, dict(self.headers.items()), body))
                status, document = loopback.answer
                answer = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_): ...

    return Handler


@pytest.fixture
def loopback(monkeypatch):
    """The server; the environment points CloudFormation to it."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    state = Loopback(server.server_port)
    server.RequestHandlerClass = _handler(state)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", state.url)
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def cloud():
    """An AWS in this process without anything in it."""
    with mock_aws():
        yield


@pytest.fixture
def settings(cloud):
    """A stack's settings, with its queues and its table behind them."""
    sqs = boto3.client("sqs", REGION)
    lanes = {}
    for lane in ("default", "bulk"):
        dlq = sqs.create_queue(QueueName=f"{lane}-dlq", Attributes={"MessageRetentionPeriod": "1209600"})["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "450", "MessageRetentionPeriod": "345600"}
        queue = sqs.create_queue(QueueName=lane, Attributes=attributes)["QueueUrl"]
        lanes[lane] = LaneSettings(queue_url=queue, dlq_url=dlq)
    boto3.client("dynamodb", REGION).create_table(
        TableName="jobs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    return RuntimeSettings(stack="tidemill", table="jobs", lanes=lanes)


@pytest.fixture
def outputs(settings):
    """What a deployed stack says about itself."""
    return {"Settings": json.dumps(settings.to_env()), "ApiUrl": f"https://abc123.execute-api.{REGION}.amazonaws.com/"}


@pytest.fixture
def deployed(loopback, outputs):
    """The stack `tidemill` is there."""
    loopback.deploy("tidemill", outputs)
    return loopback


@pytest.fixture
def bare(monkeypatch):
    """No credentials and no region at all."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def cli():
    """Run a command line; answers its result."""
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)
