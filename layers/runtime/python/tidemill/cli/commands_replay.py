"""`tidemill replay start | show | list | cancel | subscribers`: facts of the bus, heard again.

They work on EventBridge with the operator's own rights: events:DescribeEventBus, ListRules, ListTargetsByRule,
ListArchives, StartReplay, DescribeReplay, ListReplays and CancelReplay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidemill.cli.options import Json
from tidemill.cli.target import target_of

if TYPE_CHECKING:
    from tidemill.domain.replay import Replay

replay_app = typer.Typer(name="replay", help="Let subscribers hear facts of the bus again.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The replay's name.")]


@replay_app.command("start")
def start(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    to: Annotated[list[str], typer.Option("--to", metavar="KIND", help="Who hears; may be given several times.")],
    since: Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back: 12h, 30d.")],
    before: Annotated[str, typer.Option("--before", metavar="SPAN", help="Only what is older; at least 10m.")] = "10m",
    event: Annotated[str | None, typer.Option("--event", metavar="TYPE", help="Only facts of this type.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="For one replay alone; by default the time.")] = None,
    archive: Annotated[str | None, typer.Option("--archive", help="If the bus has several.")] = None,
    as_json: Json = False,
) -> None:
    """Send the facts of a span again, to the kinds that are named. Each makes a job more."""
    from tidemill.cli.durations import parse_duration

    desk = target_of(context).replays
    now = target_of(context).program.clock.now_ms()
    begins, ends = (
        now - round(parse_duration(text, field).total_seconds() * 1_000)
        for text, field in ((since, "since"), (before, "before"))
    )
    _show(desk.start(to, since=begins, until=ends, event=event, name=name, archive=archive), as_json=as_json)


@replay_app.command("show")
def show(context: typer.Context, name: Name, *, as_json: Json = False) -> None:
    """Show how far a replay is."""
    _show(target_of(context).replays.get(name), as_json=as_json)


@replay_app.command("list")
def list_replays(context: typer.Context, *, as_json: Json = False) -> None:
    """List the replays that EventBridge knows, the newest first."""
    from tidemill.cli import render

    found = target_of(context).replays.all()
    if as_json:
        render.as_json({"replays": [_document(one) for one in found]})
        return
    lines = [(one.name, str(one.state), _span(one), _reached(one)) for one in found]
    render.rows(("name", "state", "facts of", "reached"), lines, empty="no replays")


@replay_app.command("cancel")
def cancel(context: typer.Context, name: Name, *, as_json: Json = False) -> None:
    """Send nothing more of a replay. What it has sent are jobs already."""
    _show(target_of(context).replays.cancel(name), as_json=as_json)


@replay_app.command("subscribers")
def subscribers(context: typer.Context, *, as_json: Json = False) -> None:
    """List who is deployed to hear which events."""
    from tidemill.cli import render

    found = target_of(context).replays.subscribers()
    if as_json:
        render.as_json({"subscribers": [{"kind": one.kind, "event": one.type} for one in found]})
    else:
        render.rows(("kind", "hears"), [(one.kind, one.type) for one in found], empty="nobody hears anything")


def _show(replay: Replay, *, as_json: bool) -> None:
    from tidemill.cli import render

    if as_json:
        render.as_json(_document(replay))
        return
    reason = f" ({replay.reason})" if replay.reason else ""
    render.line(f"replay {replay.name} is {replay.state}{reason}: facts of {_span(replay)}, reached {_reached(replay)}")


def _document(replay: Replay) -> dict[str, Any]:
    return {
        "name": replay.name,
        "state": str(replay.state),
        "reason": replay.reason or None,
        "since": replay.since,
        "until": replay.until,
        "reached": replay.reached,
        "started_at": replay.started_at,
        "ended_at": replay.ended_at,
    }


def _span(replay: Replay) -> str:
    from tidemill.cli import render

    return f"{render.moment(replay.since)} to {render.moment(replay.until)}"


def _reached(replay: Replay) -> str:
    from tidemill.cli import render

    return render.moment(replay.reached) or "nothing yet"
