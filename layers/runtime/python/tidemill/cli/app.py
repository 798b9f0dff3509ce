"""The program `tidemill`: its commands and its root options. What runs is imported by the commands, when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from tidemill.cli import (
    commands_answer,
    commands_dlq_changes,
    commands_jobs,
    commands_project,
    commands_schedules,
    commands_stack,
    commands_trail,
)
from tidemill.cli.commands_batch import batch_app
from tidemill.cli.commands_dlq import dlq_app
from tidemill.cli.commands_projections import projection_app
from tidemill.cli.commands_replay import replay_app
from tidemill.cli.commands_sagas import saga_app
from tidemill.cli.commands_schedule import schedule_app
from tidemill.cli.commands_schema import schema_app
from tidemill.cli.commands_streams import stream_app
from tidemill.cli.commands_webhook import webhook_app
from tidemill.cli.group import TidemillGroup
from tidemill.cli.target import Target
from tidemill.connect import DEFAULT_STACK

app = typer.Typer(
    name="tidemill",
    cls=TidemillGroup,
    help="Submit, look up and look after the jobs of a deployed Tidemill stack.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def root(
    context: typer.Context,
    *,
    stack: Annotated[str, typer.Option(envvar="TIDEMILL_STACK_NAME", help="The CloudFormation stack.")] = DEFAULT_STACK,
    region: Annotated[str | None, typer.Option(help="The AWS region, if not the profile's or AWS_REGION.")] = None,
    profile: Annotated[str | None, typer.Option(help="The AWS profile, if not AWS_PROFILE.")] = None,
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            is_eager=True,
            callback=commands_stack.version_asked,
            help="Print Tidemill's version and do nothing else.",
        ),
    ] = False,
) -> None:
    """Find the stack; a command connects to it when it needs to."""
    # A test hands in a target of its own.
    context.obj = context.obj or Target(stack, region, profile)


app.command("init")(commands_project.init)
app.command("submit")(commands_jobs.submit)
app.command("get")(commands_jobs.get)
app.command("list")(commands_jobs.list_jobs)
app.command("move")(commands_jobs.move)
app.command("answer")(commands_answer.answer)
app.command("cancel")(commands_jobs.cancel)
app.command("trail")(commands_trail.trail)
dlq_app.command("edit")(commands_dlq_changes.edit)
dlq_app.command("purge")(commands_dlq_changes.purge)
dlq_app.command("audit")(commands_dlq_changes.audit)
app.add_typer(batch_app)
app.add_typer(dlq_app)
app.add_typer(projection_app)
app.add_typer(stream_app)
app.add_typer(replay_app)
for _verb, _command in commands_schedules.COMMANDS.items():
    schedule_app.command(_verb)(_command)
app.add_typer(saga_app)
app.add_typer(schedule_app)
app.add_typer(schema_app)
app.add_typer(webhook_app)
app.command("lanes")(commands_stack.lanes)
app.command("outbox")(commands_stack.outbox)
app.command("version")(commands_stack.version)


def _mount_local() -> None:
    try:
        from tidemill.cli.local import local_app  # its extra may be missing
    except ImportError as error:
        _mount_absent_local(error.name or "a package")
    else:
        app.add_typer(local_app)


def _mount_absent_local(package: str) -> None:
    options = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

    @app.command("local", context_settings=options)
    def local(_: typer.Context) -> None:
        """A cloud on this machine. Not installed: pip install 'tidemill[local]'."""
        from tidemill.cli.exits import CliError, ExitCode

        message = f"`tidemill local` needs {package}, which is not installed. Fix: pip install 'tidemill[local]'"
        raise CliError("extra_missing", message, ExitCode.BAD_INPUT)


_mount_local()


def main() -> None:
    """Run the command line."""
    app()
