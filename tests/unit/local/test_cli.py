import json
import os

import pytest
from typer.testing import CliRunner

from tidemill.cli.local import local_app
from tidemill.local.process import ProcessIdentity
from tidemill.local.state import Running, StateFolder


@pytest.fixture
def run(tmp_path):
    def call(*arguments: str):
        return CliRunner().invoke(local_app, [*arguments, "--directory", str(tmp_path)])

    return call


def test_down_when_nothing_runs_is_fine(run):
    done = run("down")

    assert (done.exit_code, done.stdout) == (0, "not running\n")
    assert json.loads(run("down", "--json").stdout) == {"stopped": False}


def test_status_when_nothing_runs(run):
    assert run("status").stdout == "not running\n"
    assert json.loads(run("status", "--json").stdout) == {"running": False}


def test_a_stale_record_is_not_running(run, tmp_path):
    folder = StateFolder.of(tmp_path)
    folder.prepare()
    folder.remember(Running(os.getpid(), "an earlier start", 4566))

    assert json.loads(run("status", "--json").stdout) == {"running": False}
    assert run("down").stdout == "not running\n"


@pytest.mark.parametrize("command", ["env", "logs"])
def test_what_needs_a_cloud_says_how_to_get_one(run, command):
    done = run(command)

    assert done.exit_code == 1
    assert done.stdout == ""
    assert "Fix: `tidemill local up`" in done.stderr


def test_up_needs_an_application(run, tmp_path):
    done = run("up")

    assert done.exit_code == 1
    assert "no cdk.json in" in done.stderr
    assert not (tmp_path / ".tidemill").exists()


def test_env_is_made_for_eval(run, tmp_path):
    me = ProcessIdentity.of(os.getpid())
    folder = StateFolder.of(tmp_path)
    folder.prepare()
    folder.remember(Running(me.pid, me.started, 4567))

    lines = run("env").stdout.splitlines()

    assert lines[0] == "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN"
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:4567" in lines
    assert "export AWS_ENDPOINT_URL_S3=http://127.0.0.1:4567" in lines
    assert json.loads(run("env", "--json").stdout)["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4567"
