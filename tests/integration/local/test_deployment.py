"""The unmodified CDK command line into a real server."""

import json

import pytest
from typer.testing import CliRunner

from tidemill.cli.local import local_app
from tidemill.local import LocalCloud, LocalCloudError
from tidemill.local.deploy import CdkProject


@pytest.mark.slow
def test_up_status_env_down(application):
    def run(*arguments):
        return CliRunner().invoke(local_app, [*arguments, "-C", str(application), "--json"], catch_exceptions=False)

    up = run("up")
    assert up.exit_code == 0, up.stderr
    state = json.loads(up.stdout)
    assert state["running"]
    assert state["stacks"].keys() == {"small"}
    assert json.loads(run("status").stdout) == state
    assert json.loads(run("env").stdout)["AWS_ENDPOINT_URL"] == state["endpoint"]

    attributes = (
        LocalCloud.find(application)
        .client("sqs")
        .get_queue_attributes(QueueUrl=state["stacks"]["small"]["QueueUrl"], AttributeNames=["VisibilityTimeout"])[
            "Attributes"
        ]
    )
    assert attributes == {"VisibilityTimeout": "7"}

    assert json.loads(run("down").stdout) == {"stopped": True}
    assert json.loads(run("status").stdout) == {"running": False}


@pytest.mark.slow
def test_a_second_deployment_does_not_bootstrap_again(application, monkeypatch):
    with LocalCloud.started(application) as cloud:
        cloud.deploy("small")
        monkeypatch.setattr(CdkProject, "bootstrap", lambda _: pytest.fail("bootstrapped again"))
        cloud.deploy()

        assert cloud.outputs("small").keys() == {"QueueUrl"}
        with pytest.raises(LocalCloudError, match="no stack 'big' in the local cloud; deployed: small"):
            cloud.outputs("big")


def test_a_broken_application_fails_with_its_own_words_and_the_cloud_stays(application):
    (application / "assembly" / "manifest.json").unlink()
    with LocalCloud.started(application) as cloud:
        with pytest.raises(LocalCloudError, match=r"manifest\.json") as failure:
            cloud.deploy()

        assert failure.value.problem == "cdk deploy failed"
        assert cloud.stacks() == {}
