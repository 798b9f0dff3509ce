"""`tidemill local`: a cloud on this machine, with your application deployed into it."""

from __future__ import annotations

import functools
import json
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ParamSpec

import typer

from tidemill.local import LocalCloud, LocalCloudError
from tidemill.local.logs import LogLine

local_app = typer.Typer(
    name="local", help="A cloud on this machine, with your application deployed into it.", no_args_is_help=True
)

P = ParamSpec("P")
Directory = Annotated[Path, typer.Option("--directory", "-C", help="The folder of the application's cdk.json.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HERE = Path()


def _plainly(command: Callable[P, None]) -> Callable[P, None]:
    """Say what a person can mend without a traceback."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except LocalCloudError as error:
            typer.echo(error, err=True)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None

    return wrapped


@local_app.command()
@_plainly
def up(
    stacks: Annotated[list[str] | None, typer.Argument(help="The stacks to deploy; all by default.")] = None,
    *,
    directory: Directory = HERE,
    port: Annotated[int | None, typer.Option(help="The port to listen on; any free one by default.")] = None,
    as_json: Json = False,
) -> None:
    """Start the local cloud, unless it runs, and deploy the application into it with the CDK command line."""
    began = time.monotonic()
    LocalCloud.check(directory)
    cloud = LocalCloud.start(directory, port=port)
    typer.echo(f"local cloud on {cloud.endpoint}; deploying", err=True)
    cloud.deploy(*(stacks or ()))
    typer.echo(f"up in {time.monotonic() - began:.0f} s", err=True)
    _show(cloud, as_json=as_json)


@local_app.command()
@_plainly
def down(*, directory: Directory = HERE, as_json: Json = False) -> None:
    """Stop the local cloud and all its functions. What was in it is gone."""
    cloud = LocalCloud.find(directory)
    if cloud:
        cloud.stop()
    typer.echo(json.dumps({"stopped": bool(cloud)}) if as_json else ("stopped" if cloud else "not running"))


@local_app.command()
@_plainly
def status(*, directory: Directory = HERE, as_json: Json = False) -> None:
    """Say whether the local cloud runs, where, and what is deployed."""
    cloud = LocalCloud.find(directory)
    if cloud:
        _show(cloud, as_json=as_json)
    else:
        typer.echo(json.dumps({"running": False}) if as_json else "not running")


@local_app.command()
@_plainly
def logs(
    *,
    directory: Directory = HERE,
    function: Annotated[str, typer.Option(help="Only functions with this in their name.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until interrupted.")] = False,
    as_json: Json = False,
) -> None:
    """Print what the functions printed."""
    reader = _running(directory).log_reader(function)
    for line in reader.follow(since_ms=0) if follow else reader.read():
        typer.echo(json.dumps(asdict(line)) if as_json else _readable(line))


@local_app.command()
@_plainly
def env(*, directory: Directory = HERE, as_json: Json = False) -> None:
    """Print the variables that point a shell at the local cloud: `eval "$(tidemill local env)"`."""
    variables = _running(directory).env
    if as_json:
        typer.echo(json.dumps(variables))
        return
    typer.echo("unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN")
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


def _running(directory: Path) -> LocalCloud:
    cloud = LocalCloud.find(directory)
    if cloud is None:
        raise LocalCloudError("no local cloud runs for this project", fix="`tidemill local up`")
    return cloud


def _show(cloud: LocalCloud, *, as_json: bool) -> None:
    state = {
        "running": True,
        "endpoint": cloud.endpoint,
        "port": cloud.running.port,
        "pid": cloud.running.pid,
        "log": str(cloud.folder.log),
        "stacks": cloud.stacks(),
    }
    if as_json:
        typer.echo(json.dumps(state))
        return
    typer.echo(f"running on {cloud.endpoint} (process {cloud.running.pid}, log {cloud.folder.log})")
    for stack, outputs in cloud.stacks().items():
        typer.echo(stack)
        for name, value in sorted(outputs.items()):
            typer.echo(f"  {name} = {value}")


def _readable(line: LogLine) -> str:
    moment = datetime.fromtimestamp(line.timestamp_ms / 1000, UTC).strftime("%H:%M:%S")
    return f"{moment} {line.function}  {line.message}"
