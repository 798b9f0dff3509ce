"""`tidemill trail`: who did what, to which job, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.cli.options import PAGE, Cursor, Json, Limit, ref_of
from tidemill.cli.target import target_of

if TYPE_CHECKING:
    from datetime import timedelta

_SINCE = "7d"


def trail(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    job: Annotated[str | None, typer.Option("--job", metavar="ID", help="A job's id, or TENANT/ID.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="Who: an ARN or a part of it.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="redrive, edit, purge, answer, ...")] = None,
    since: Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back: 12h, 30d.")] = _SINCE,
    before: Annotated[str, typer.Option("--before", metavar="SPAN", help="Only what is older than this.")] = "0s",
    tenant: Annotated[str | None, typer.Option("--tenant", help="Whose jobs.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show what operators did, newest first: by job, by actor, by time."""
    from tidemill.cli import render
    from tidemill.service.dead_view import audit_view
    from tidemill.service.trail_search import TrailQuery, search_trail

    program = target_of(context).program
    now = program.clock.now_ms()
    wanted = TrailQuery(
        since=now - _ms(since, "since"),
        until=now - _ms(before, "before"),
        actor=actor,
        job=None if job is None else ref_of(job, tenant or "default"),
        action=action,
        tenant=tenant,
    )
    page = search_trail(program.audit, wanted, limit, cursor)
    if as_json:
        render.as_json({"entries": [audit_view(entry) for entry in page.entries], "cursor": page.cursor})
        return
    lines = [
        (
            render.moment(entry.at),
            entry.actor,
            entry.action,
            ", ".join(f"{name} {value}" for name, value in entry.chosen.items()),
            f"{entry.outcome} ({entry.error})" if entry.error else entry.outcome,
            render.counts(entry.counts),
            ", ".join(entry.jobs[:3]),
        )
        for entry in page.entries
    ]
    render.rows(("at", "actor", "action", "chosen", "outcome", "counts", "jobs"), lines, empty="nothing was done")
    if page.cursor is not None:
        render.line(f"more: --cursor {page.cursor}")


def _ms(text: str, field: str) -> int:
    from tidemill.cli.durations import parse_duration

    span: timedelta = parse_duration(text, field)
    return int(span.total_seconds() * 1_000)
