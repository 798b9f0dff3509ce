"""The program as a whole: what it imports, how it ends, what it says to bad usage."""

import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from tidemill.cli import app as program
from tidemill.cli.app import app
from tidemill.cli.target import Target

HEAVY = ("botocore", "boto3", "aws_lambda_powertools", "tidemill.entrypoints", "tidemill.service.client", "ministack")


@pytest.fixture
def cli():
    return lambda *arguments, **options: CliRunner().invoke(app, list(arguments), **options)


@pytest.mark.parametrize("statement", ["import tidemill", "import tidemill.cli.app", "import tidemill.connect"])
def test_what_starts_often_imports_little(statement):
    code = f"import sys; {statement}; print([name for name in {HEAVY} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("-h",), ("submit", "--help"), ("dlq", "--help"), ("dlq", "redrive", "-h"), ("lanes", "--help")],
)
def test_help_needs_no_stack(cli, arguments):
    result = cli(*arguments)

    assert result.exit_code == 0
    assert "Usage" in result.stdout


@pytest.mark.parametrize(
    "arguments", [("nonsense",), ("get",), ("get", "a", "b"), ("dlq", "nonsense"), ("list", "--x")]
)
def test_bad_usage_ends_with_2_in_both_forms(cli, arguments):
    human, machine = cli(*arguments), cli(*arguments, "--json")

    assert (human.exit_code, machine.exit_code) == (2, 2)
    assert (human.stdout, machine.stdout) == ("", "")
    assert "Usage" in human.stderr
    assert json.loads(machine.stderr)["code"] == "usage"


@pytest.mark.parametrize("option", ["--stack", "--region", "--profile"])
def test_a_root_option_behind_the_command_is_put_right(cli, option):
    command = ("get", "x", option, "y")

    assert f"tidemill {option} VALUE COMMAND" in cli(*command).stderr
    assert f"tidemill {option} VALUE COMMAND" in json.loads(cli(*command, "--json").stderr)["message"]


@pytest.mark.parametrize("option", ["--version", "-V"])
def test_the_option_says_what_the_command_says(cli, option):
    asked = cli(option, "list")

    assert (asked.exit_code, asked.stdout) == (0, cli("version").stdout)
    assert asked.stdout.startswith("tidemill ")


def test_root_options_and_environment_name_the_stack(monkeypatch):
    made = []
    monkeypatch.setattr(program, "Target", lambda *options: made.append(options) or Target(*options))
    runner = CliRunner()

    runner.invoke(app, ["version"])
    runner.invoke(app, ["version"], env={"TIDEMILL_STACK_NAME": "orders"})
    runner.invoke(app, ["--stack", "a", "--region", "b", "--profile", "c", "version"], env={"TIDEMILL_STACK_NAME": "o"})

    assert made == [("tidemill", None, None), ("orders", None, None), ("a", "b", "c")]


def test_a_bug_keeps_its_traceback(run, world):
    world.store.find = lambda _: 1 / 0

    result = run("get", "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b")

    assert isinstance(result.exception, ZeroDivisionError)


def test_without_its_extra_local_says_what_to_install(monkeypatch):
    bare = typer.Typer(cls=program.TidemillGroup)
    bare.command("version")(program.commands_stack.version)
    monkeypatch.setattr(program, "app", bare)
    monkeypatch.setitem(sys.modules, "tidemill.cli.local", None)
    program._mount_local()

    for arguments in (["local"], ["local", "up", "--port", "4566"], ["local", "--help"]):
        result = CliRunner().invoke(bare, arguments)
        assert result.exit_code == 2
        assert "pip install 'tidemill[local]'" in result.stderr
    assert CliRunner().invoke(bare, ["version"]).exit_code == 0


def test_with_its_extra_local_is_there(cli):
    assert "up" in cli("local", "--help").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(cli, shell):
    result = cli(env={"_TIDEMILL_COMPLETE": f"source_{shell}"}, prog_name="tidemill")

    assert result.exit_code == 0
    assert "_TIDEMILL_COMPLETE" in result.stdout
