import json

import boto3
import pytest

import tidemill
from tidemill import JobArgs, JobRegistry, job
from tidemill.aws.clients import Clients
from tidemill.connect import ConnectError, StackNotFoundError, StackOutputsError, connect, find_stack
from tidemill.domain.errors import InputError, UnavailableError

JOB = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


class Greet(JobArgs, kind="demo.greet"):
    name: str


@job(Greet)
def greet(args, _): ...


REGISTRY = JobRegistry(greet)


def find(name="tidemill"):
    return find_stack(name, Clients("eu-central-1"))


def test_the_front_door_is_public():
    assert tidemill.connect is connect
    assert "connect" in tidemill.__all__


def test_a_stack_is_found_by_its_name(loopback, outputs, settings):
    loopback.deploy("orders", outputs)

    info = find("orders")

    assert info.settings == settings
    assert info.api_url == "https://abc123.execute-api.eu-central-1.amazonaws.com"


def test_connect_submits_to_the_stack_of_that_name(deployed, settings):
    receipt = connect("tidemill", registry=REGISTRY).submit(Greet(name="Ada"), job_id=JOB)

    queue = settings.lanes["default"].queue_url
    (message,) = boto3.client("sqs", "eu-central-1").receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["id"] == receipt.job_id == JOB


def test_the_stack_is_tidemill_by_default(deployed):
    assert connect(registry=REGISTRY).submitter.registry is REGISTRY


class TestInsideLambda:
    def test_the_environment_is_enough(self, settings, loopback):
        client = connect(registry=REGISTRY, environ=settings.to_env())

        assert set(client.submitter.queue._urls) == {"default", "bulk"}

    def test_its_own_stack_by_name_is_the_environments(self, settings, loopback):
        assert connect("tidemill", registry=REGISTRY, environ=settings.to_env())

    def test_another_stack_is_looked_up(self, settings, loopback):
        with pytest.raises(StackNotFoundError):
            connect("orders", registry=REGISTRY, environ=settings.to_env())


class TestWhatCanBeWrong:
    def test_no_such_stack(self, loopback):
        with pytest.raises(StackNotFoundError, match=r"no stack 'orders' in region eu-central-1.*Fix: check the name"):
            find("orders")

    @pytest.mark.parametrize("missing", ["Settings", "ApiUrl"])
    def test_a_stack_without_our_outputs(self, loopback, outputs, missing):
        del outputs[missing]
        loopback.deploy("tidemill", outputs, "ROLLBACK_COMPLETE")

        with pytest.raises(StackOutputsError, match=rf"\(ROLLBACK_COMPLETE\) has no output {missing},.*Fix: name the"):
            find()

    @pytest.mark.parametrize("text", ["{", "[]", "7", "null", '"x"', "{}", '{"TIDEMILL_STACK":"x"}'])
    def test_settings_of_another_version(self, loopback, outputs, text):
        loopback.deploy("tidemill", {**outputs, "Settings": text})

        with pytest.raises(StackOutputsError, match="unreadable output Settings"):
            find()

    @pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 129, "arn:aws:cloudformation:x"])
    def test_a_name_that_is_no_stacks(self, name):
        with pytest.raises(InputError, match=r"^stack: "):
            find(name)

    def test_no_region(self, bare):
        with pytest.raises(ConnectError, match=r"specify a region\. Fix: give --region"):
            connect("tidemill", registry=REGISTRY)

    def test_the_region_of_the_environment_is_enough(self, loopback, bare, monkeypatch):
        monkeypatch.setenv("AWS_REGION", "sa-east-1")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")

        with pytest.raises(StackNotFoundError, match="region sa-east-1"):
            connect("orders", registry=REGISTRY)

    def test_no_credentials(self, bare):
        with pytest.raises(ConnectError, match=r"locate credentials\. Fix: set AWS_PROFILE"):
            find()

    def test_nothing_answers(self, monkeypatch):
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")

        with pytest.raises(ConnectError, match=r"http://127\.0\.0\.1:1.*Fix: check AWS_ENDPOINT_URL"):
            find()

    @pytest.mark.parametrize(
        ("code", "status", "error", "fix"),
        [
            ("AccessDenied", 403, ConnectError, "the reason.*Fix: let this role or user do that"),
            ("ExpiredToken", 403, ConnectError, "the reason.*Fix: .*log in"),
            ("InvalidClientTokenId", 403, ConnectError, "the reason.*Fix: .*log in"),
            ("Throttling", 400, UnavailableError, r"\(Throttling\)\. Fix: repeat the call"),
            ("InternalFailure", 500, UnavailableError, r"\(InternalFailure\)\. Fix: repeat the call"),
            ("ValidationError", 400, ConnectError, "the reason.*Fix: check that the stack is whole"),
        ],
    )
    def test_aws_says_no(self, loopback, code, status, error, fix):
        loopback.refusal = (code, "the reason", status)

        with pytest.raises(error, match=fix):
            find()
