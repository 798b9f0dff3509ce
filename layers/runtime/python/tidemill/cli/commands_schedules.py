"""`tidemill schedule create | change | pause | ...`: schedules that are made while the stack runs.

All of them go through the stack's HTTP API, which knows the kinds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer

from tidemill.cli import commands_schedules_shown as looks
from tidemill.cli.commands_schedules_shown import Name, schedule_path
from tidemill.cli.dlq_options import DryRun, Yes
from tidemill.cli.options import Json, Tenant
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

Args = Annotated[str, typer.Argument(metavar="ARGS", help="A JSON object, @FILE, or - for standard input.")]
SomeArgs = Annotated[str | None, typer.Option("--args", help="Other arguments: a JSON object, @FILE, or -.")]
CronFields = Annotated[str | None, typer.Option("--cron", help="Five fields, such as '0 9 * * MON-FRI'.")]
Zone = Annotated[str | None, typer.Option("--tz", help="The zone of --cron, such as Europe/Paris; else UTC.")]
Span = Annotated[str | None, typer.Option("--every", metavar="DURATION", help="Or once in a span: 5m, 6h, 1d.")]
Lane = Annotated[str | None, typer.Option("--lane", help="Another lane than the kind's.")]
Entity = Annotated[str | None, typer.Option("--entity", help="On a FIFO lane: what the jobs are about.")]
Overlaps = Annotated[str | None, typer.Option("--overlap", help="While a job runs: allow, skip or queue_one.")]
Misses = Annotated[str | None, typer.Option("--missed", help="Of missed ticks: skip, run_once or run_all.")]
MissedLimit = Annotated[int | None, typer.Option("--missed-limit", help="How many run_all makes up for.")]
Jitter = Annotated[
    str | None,
    typer.Option("--jitter", metavar="DURATION", help="Spread the starts of jobs over this: 15m, or 0m."),
]
Version = Annotated[int | None, typer.Option("--version", help="Refuse if it is in another version.")]


def create(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    name: Name,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The kind of the jobs.")],
    args: Args = "{}",
    *,
    cron: CronFields = None,
    tz: Zone = None,
    every: Span = None,
    lane: Lane = None,
    entity: Entity = None,
    overlap: Overlaps = None,
    missed: Misses = None,
    missed_limit: MissedLimit = None,
    jitter: Jitter = None,
    paused: Annotated[bool, typer.Option("--paused", help="Make no job before it is resumed.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Make a schedule."""
    from tidemill.cli.request import read_args

    spans = {"every_seconds": every, "jitter_seconds": jitter}
    policies = {"overlap": overlap, "missed": missed, "missed_limit": missed_limit}
    wish = _wish(spans, {"cron": cron, "tz": tz, "lane": lane, "entity": entity, **policies})
    document = {"name": name, "kind": kind, "args": read_args(args), "paused": paused, "tenant": tenant, **wish}
    _changed(target_of(context).api.call("POST", "/schedules", document), "made", as_json=as_json)


def change(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    name: Name,
    *,
    kind: Annotated[str | None, typer.Option(help="Another kind, with its --args.")] = None,
    args: SomeArgs = None,
    cron: CronFields = None,
    tz: Zone = None,
    every: Span = None,
    lane: Lane = None,
    entity: Entity = None,
    overlap: Overlaps = None,
    missed: Misses = None,
    missed_limit: MissedLimit = None,
    jitter: Jitter = None,
    version: Version = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Let a schedule do something else from now on; what is left out stays."""
    from tidemill.cli.request import read_args

    spans = {"every_seconds": every, "jitter_seconds": jitter}
    policies = {"overlap": overlap, "missed": missed, "missed_limit": missed_limit}
    wish = _wish(spans, {"cron": cron, "tz": tz, "lane": lane, "entity": entity, **policies})
    document = {"tenant": tenant, **wish, **({} if kind is None else {"kind": kind})}
    if args is not None:
        document["args"] = read_args(args)
    _changed(target_of(context).api.call("PATCH", schedule_path(name), document, version), "changed", as_json=as_json)


def _switch(verb: str, done: str, says: str) -> Callable[..., None]:
    """The command for a verb that needs no more than the schedule's name."""

    def command(
        context: typer.Context,
        name: Name,
        *,
        version: Version = None,
        tenant: Tenant = DEFAULT_TENANT,
        as_json: Json = False,
    ) -> None:
        answer = target_of(context).api.call("POST", schedule_path(name, verb), {"tenant": tenant}, version)
        _changed(answer, done, as_json=as_json)

    command.__doc__ = says
    return command


def revert(
    context: typer.Context,
    name: Name,
    to: Annotated[int, typer.Argument(metavar="VERSION", help="As in this version.")],
    *,
    version: Version = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Let a schedule do what it did in an earlier version, as a new one."""
    answer = target_of(context).api.call("POST", schedule_path(name, "revert"), {"to": to, "tenant": tenant}, version)
    _changed(answer, f"as it was in version {to}", as_json=as_json)


def delete(
    context: typer.Context,
    name: Name,
    *,
    version: Version = None,
    yes: Yes = False,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Let a schedule make no job any more. Its versions stay readable for 400 days."""
    _confirm(f"Delete schedule {name} of tenant {tenant}?", yes=yes, as_json=as_json)
    answer = target_of(context).api.call("DELETE", schedule_path(name, tenant=tenant), None, version)
    _changed(answer, "deleted", as_json=as_json)


def trigger(
    context: typer.Context,
    name: Name,
    *,
    job_id: Annotated[str | None, typer.Option(metavar="UUID", help="An id of your choice.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Make a job of a schedule now, whatever its times and policies say."""
    from tidemill.cli import render

    document = {"tenant": tenant, **({} if job_id is None else {"job_id": job_id})}
    answer = target_of(context).api.call("POST", schedule_path(name, "trigger"), document)
    if as_json:
        render.as_json(answer)
    else:
        render.line(f"job {answer['id']} is {answer['state']}")


def backfill(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    name: Name,
    *,
    start: Annotated[str, typer.Option(help="From then on, such as 2027-03-01T00:00Z.")],
    end: Annotated[str, typer.Option(help="Until then, not included; it must be over.")],
    dry_run: DryRun = False,
    yes: Yes = False,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Make the jobs of ticks that are over. Each tick has one, however often this is asked for."""
    from tidemill.cli import render

    api, path = target_of(context).api, schedule_path(name, "backfill")
    document = {"start": start, "end": end, "tenant": tenant}
    found = api.call("POST", path, {**document, "dry_run": True})
    if not dry_run and found["created"]:
        question = f"Make {found['created']} jobs, for {found['ticks']} ticks of {name}?"
        _confirm(question, yes=yes, as_json=as_json)
        found = api.call("POST", path, {**document, "dry_run": False})
    if as_json:
        render.as_json(found)
        return
    made = "would make" if dry_run else "made"
    failed = f"; {found['failed']} could not be made: repeat the command" if found["failed"] else ""
    render.line(f"{made} {found['created']} jobs for {found['ticks']} ticks{failed}")


COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "create": create,
    "change": change,
    "pause": _switch("pause", "paused", "Let a schedule make no jobs until it is resumed."),
    "resume": _switch("resume", "resumed", "Let a schedule make jobs again, from its next tick on."),
    "delete": delete,
    "trigger": trigger,
    "backfill": backfill,
    "ls": looks.ls,
    "show": looks.show,
    "versions": looks.versions,
    "revert": revert,
}


def _wish(spans: dict[str, str | None], options: dict[str, Any]) -> dict[str, Any]:
    from tidemill.cli.durations import parse_duration

    wish = {name: value for name, value in options.items() if value is not None}
    for field, text in spans.items():
        if text is not None:
            wish[field] = int(parse_duration(text, field.removesuffix("_seconds")).total_seconds())
    return wish


def _confirm(question: str, *, yes: bool, as_json: bool) -> None:
    from tidemill.domain.errors import InputError

    if yes:
        return
    if as_json:
        raise InputError.at("yes", "give --yes beside --json: there is nobody to ask", "missing")
    typer.confirm(question, abort=True, err=True)


def _changed(answer: dict[str, Any], what: str, *, as_json: bool) -> None:
    from tidemill.cli import render

    if as_json:
        render.as_json(answer)
        return
    following = f"; next {answer['next_at']}" if answer["next_at"] else ""
    render.line(f"schedule {answer['name']} is {what}, version {answer['version']}{following}")
