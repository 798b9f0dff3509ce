import json
import os

import pytest

from tidemill.local.deploy import CdkProject
from tidemill.local.errors import LocalCloudError

# Stands in for the CDK command line: notes how it was called, and fails when told to.
CDK = """#!/bin/sh
printf '%s\\n' "$AWS_ENDPOINT_URL" "$@" >>called
echo "said something"
exit ${CDK_FAILS:-0}
"""


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "true"}))
    program = tmp_path / "node_modules" / ".bin" / "cdk"
    program.parent.mkdir(parents=True)
    program.write_text(CDK)
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def project(directory):
    environment = {"PATH": os.environ["PATH"], "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}
    return CdkProject(directory, directory / "assembly", environment)


def called(directory):
    return (directory / "called").read_text().splitlines()


def test_deploys_everything_locally_without_asking(project, directory):
    said = project.deploy()

    endpoint, command, *arguments = called(directory)
    assert (endpoint, command) == ("http://127.0.0.1:4566", "deploy")
    assert "--all" in arguments
    assert arguments[arguments.index("--context") + 1] == "local=true"
    assert arguments[arguments.index("--require-approval") + 1] == "never"
    assert arguments[arguments.index("--output") + 1] == str(directory / "assembly")
    assert said == "said something\n"


def test_deploys_the_named_stacks_with_more_context(project, directory):
    project.deploy(["one", "two"], {"list_index": "off"})

    arguments = called(directory)
    assert arguments[2:4] == ["one", "two"]
    assert "--all" not in arguments
    assert "list_index=off" in arguments


def test_bootstraps_without_running_the_application(project, directory):
    project.bootstrap()

    assert called(directory)[1:5] == ["bootstrap", "aws://000000000000/us-east-1", "--app", ""]


def test_a_failure_carries_what_cdk_said(project, directory):
    failing = CdkProject(directory, project.assembly, {**project.environment, "CDK_FAILS": "1"})

    with pytest.raises(LocalCloudError, match="cdk deploy failed") as failure:
        failing.deploy()
    assert failure.value.log == "said something"


def test_a_folder_without_an_application_says_so(project, directory):
    (directory / "cdk.json").unlink()

    with pytest.raises(LocalCloudError, match=r"no cdk\.json in .*Fix: run this in the folder"):
        project.deploy()
    assert not (directory / "called").exists()
