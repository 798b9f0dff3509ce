"""`tidemill schedule ls | show | versions`: schedules that were made while the stack runs, looked at."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

import typer

from tidemill.cli.options import PAGE, Cursor, Json, Tenant
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

Name = Annotated[str, typer.Argument(metavar="SCHEDULE", help="The schedule's name.")]


def ls(
    context: typer.Context,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    limit: Annotated[int, typer.Option("--limit", help="Schedules a page, 1 to 100.")] = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List the schedules that were made while the stack runs. `list` has those of the code."""
    from tidemill.cli import render

    query = {"tenant": tenant, "limit": limit, **({} if cursor is None else {"cursor": cursor})}
    page = target_of(context).api.call("GET", f"/schedules?{urlencode(query)}")
    if as_json:
        render.as_json(page)
        return
    lines = [
        (one["name"], one["kind"], _when(one), one["version"], _state(one), one["next_at"], one["counts"]["missed"])
        for one in page["schedules"]
    ]
    headings = ("schedule", "kind", "when", "version", "state", "next", "missed")
    render.rows(headings, lines, empty="no schedules")
    _point_on(page)


def show(context: typer.Context, name: Name, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Show a schedule: what it does, its last and its next ticks, what was late, skipped or missed."""
    from tidemill.cli import render

    api = target_of(context).api
    found = api.call("GET", schedule_path(name, tenant=tenant))
    found["next"] = api.call("GET", schedule_path(name, "next", tenant=tenant))["next"]
    if as_json:
        render.as_json(found)
        return
    last = found["last_tick"] or {}
    names = ("kind", "lane", "entity", "overlap", "missed", "problem")
    render.fields(
        [
            ("schedule", found["name"]),
            ("tenant", found["tenant"]),
            ("state", _state(found)),
            ("declared", "in code" if found["declared"] else None),
            ("version", found["version"]),
            ("when", _when(found)),
            *((one, found[one]) for one in names),
            ("last tick", last.get("at")),
            ("its job", last.get("job_id")),
            ("last missed", found["last_missed_at"]),
            *found["counts"].items(),
            *(("next", at) for at in found["next"]),
        ]
    )
    render.block("arguments", render.pretty(found["args"]))


def versions(
    context: typer.Context,
    name: Name,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show who made a schedule what it is, newest first."""
    from tidemill.cli import render

    page = target_of(context).api.call("GET", schedule_path(name, "versions", tenant=tenant, cursor=cursor))
    if as_json:
        render.as_json(page)
        return
    lines = [
        (one["version"], one["change"], one["at"], one["actor"], _when(one), one["overlap"], one["missed"])
        for one in page["versions"]
    ]
    render.rows(("version", "change", "at", "by", "when", "overlap", "missed"), lines, empty="no versions")
    _point_on(page)


def schedule_path(name: str, verb: str = "", **query: str | None) -> str:
    """Where the API has the schedule, or something of it."""
    from tidemill.domain.names import check_schedule

    asked = urlencode({key: value for key, value in query.items() if value is not None})
    path = f"/schedules/{quote(check_schedule(name, 'name'))}"
    return path + (f"/{verb}" if verb else "") + (f"?{asked}" if asked else "")


def _point_on(page: dict[str, Any]) -> None:
    from tidemill.cli import render

    if page["cursor"]:
        render.line(f"more: --cursor {page['cursor']}")


def _when(found: dict[str, Any]) -> str:
    from tidemill.cli.durations import written

    when = f"{found['cron']} {found['tz']}" if found["cron"] else f"every {written(found['every_seconds'])}"
    return f"{when}, within {written(found['jitter_seconds'])}" if found["jitter_seconds"] else when


def _state(found: dict[str, Any]) -> str:
    if found["paused"]:
        return "paused"
    return "stuck" if found["problem"] else "waiting" if found["waiting"] else "active"
