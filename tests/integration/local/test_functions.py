"""What functions meet in the local cloud."""

import io
import json
import zipfile

import pytest

from tidemill.local import LocalCloud
from tidemill.local.process import ProcessIdentity, wait_for_end

CODE = """
import importlib.util, os

def handler(event, context):
    print("asked for", event["names"])
    found = {name: importlib.util.find_spec(name) is not None for name in event["names"]}
    return {"pid": os.getpid(), "found": found, "endpoint": os.environ["AWS_ENDPOINT_URL"]}
"""


@pytest.fixture
def cloud(application):
    with LocalCloud.started(application) as cloud:
        yield cloud


def invoke(cloud, name, names):
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"names": names}))
    return json.load(answer["Payload"])


def test_a_function_finds_what_lambda_brings_and_nothing_of_the_developers_environment(cloud):
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("asks.py", CODE)
    cloud.client("lambda").create_function(
        FunctionName="asks",
        Runtime="python3.13",
        Handler="asks.handler",
        Role="arn:aws:iam::000000000000:role/any",
        Code={"ZipFile": package.getvalue()},
    )

    answer = invoke(cloud, "asks", ["boto3", "botocore", "pydantic", "pytest", "tidemill", "aws_cdk"])

    assert answer["found"] == {
        "boto3": True,
        "botocore": True,
        "pydantic": False,
        "pytest": False,
        "tidemill": False,
        "aws_cdk": False,
    }
    assert answer["endpoint"] == cloud.endpoint
    messages = [line.message for line in cloud.logs("asks")]
    assert any(message.startswith("asked for ['boto3'") for message in messages)
    assert cloud.logs("another") == []

    warm = ProcessIdentity.of(answer["pid"])
    assert warm is not None
    cloud.stop()
    assert wait_for_end(warm, 1)
