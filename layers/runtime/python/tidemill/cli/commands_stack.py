"""`tidemill lanes | outbox | version`."""

from __future__ import annotations

import typer

from tidemill.cli.options import Json
from tidemill.cli.target import target_of


def lanes(context: typer.Context, *, as_json: Json = False) -> None:
    """Show how full each lane and its DLQ are, and the queues' settings."""
    from dataclasses import asdict

    from tidemill.cli import render
    from tidemill.cli.durations import written

    found = target_of(context).depths()
    if as_json:
        render.as_json({"lanes": [asdict(lane) for lane in found]})
        return
    headings = ("lane", "ready", "in flight", "delayed", "dead", "visibility", "receives", "kept", "kept dead")
    lines = [
        (
            lane.lane,
            lane.ready,
            lane.in_flight,
            lane.delayed,
            lane.dead,
            written(lane.visibility_timeout_s),
            lane.max_receives,
            written(lane.retention_s),
            written(lane.dlq_retention_s),
        )
        for lane in found
    ]
    render.rows(headings, lines, empty="no lanes")


def outbox(context: typer.Context, *, as_json: Json = False) -> None:
    """Show what was committed and is not sent yet, and how old the oldest of it is."""
    from dataclasses import asdict

    from tidemill.cli import render
    from tidemill.cli.durations import written

    found, now_ms = target_of(context).outbox()
    age_s = None if found.oldest_at is None else max(now_ms - found.oldest_at, 0) // 1000
    if as_json:
        render.as_json({**asdict(found), "oldest_age_s": age_s})
        return
    render.fields(
        (
            ("jobs", found.jobs),
            ("facts", found.facts),
            ("damaged", found.damaged or None),
            ("oldest", None if age_s is None else f"{written(age_s)} ago"),
            ("", None if found.is_whole else "there is more than was looked at"),
        )
    )


def version_asked(asked: bool) -> None:  # noqa: FBT001 - typer hands it over by position
    """`tidemill --version`: what most programs answer to."""
    if asked:
        version()
        raise typer.Exit


def version(*, as_json: Json = False) -> None:
    """Print Tidemill's version."""
    from importlib.metadata import version as version_of

    from tidemill.cli import render

    found = version_of("tidemill")
    if as_json:
        render.as_json({"version": found})
    else:
        render.line(f"tidemill {found}")
