"""`tidemill dlq edit | purge | audit`."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from tidemill.cli.dlq_options import (
    DryRun,
    Fault,
    FromStep,
    Kind,
    ModeOption,
    Reason,
    Since,
    Until,
    Yes,
    filter_of,
    manner_for,
)
from tidemill.cli.options import PAGE, REGISTRY, Cursor, JobId, Jobs, Json, Limit, Tenant, ref_of
from tidemill.cli.target import target_of
from tidemill.domain.errors import InputError
from tidemill.service.submission import DEFAULT_TENANT


def edit(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    job: JobId,
    args: Annotated[str, typer.Argument(metavar="ARGS", help="A JSON object, @FILE, or - for standard input.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="ARGS are all of the arguments; without it they are merged (RFC 7396).")
    ] = False,
    mode: ModeOption = None,
    from_step: FromStep = None,
    tenant: Tenant = DEFAULT_TENANT,
    jobs: Jobs = REGISTRY,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let a dead job run again with other arguments, which its kind has to accept.

    Run it in the project's folder: the kinds are those of its registry.
    """
    from tidemill.cli import render
    from tidemill.cli.redriving import confirm
    from tidemill.cli.request import read_args
    from tidemill.service.dead_view import redrive_view
    from tidemill.service.editing import Edit

    ref, manner, change = ref_of(job, tenant), manner_for(mode, from_step), Edit(read_args(args), replace)
    if as_json and not (yes or dry_run):
        confirm("", yes=False, as_json=True)
    desk = target_of(context).program_knowing(jobs).desk
    canonical, effects = desk.inspection.foresee_edit(ref, change, manner)
    told = {**redrive_view(ref, manner, effects), "args": json.loads(canonical)}
    if not as_json:
        _show_edit(told)
    if dry_run:
        if as_json:
            render.as_json({**told, "dry_run": True})
        else:
            render.line("dry run: nothing was done")
        return
    confirm(f"job {ref.id} with these arguments", yes=yes, as_json=as_json)
    done = desk.edit(ref, change, manner)
    if as_json:
        render.as_json({**told, "dry_run": False, "via": done.via})
    else:
        render.line(f"job {ref.id} runs again with other arguments (sent from the {done.via})")


def purge(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    lane: Annotated[str, typer.Option(help="The lane whose DLQ is meant.")],
    kind: Kind = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's; all by default.")] = None,
    error: Fault = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete messages of dead jobs from a DLQ for good. The jobs' records stay, and can be redriven from the table."""
    from tidemill.cli import render

    if as_json and not (yes or dry_run):
        raise InputError.at("yes", "give --yes beside --json: there is nobody to ask", "missing")
    desk = target_of(context).program.desk
    parts = {"lane": lane, "kind": kind, "tenant": tenant, "error": error, "reason": reason}
    wanted = filter_of({**parts, "since": since, "until": until}, desk.clock.now_ms(), desk.lanes)
    (found,) = desk.purgeable(wanted)
    told = {"lane": lane, "refusals": found.refusals, "kept": found.kept, "unseen": found.unseen}
    if not as_json:
        lost = f", {found.refusals} of them refused messages that nothing can bring back" if found.refusals else ""
        render.line(f"{len(found.messages)} messages of {lane}{lost}; {found.kept} stay: their jobs are not over")
        if found.unseen:
            render.line(f"about {found.unseen} more were not looked at: purge again once these are gone")
    if dry_run:
        if as_json:
            render.as_json({"dry_run": True, "messages": len(found.messages), **told})
        else:
            render.line("dry run: nothing was done")
        return
    if not yes and typer.prompt(f"To delete them for good, type the lane's name ({lane})", err=True) != lane:
        raise typer.Abort
    (purged,) = desk.purge([found], wanted)
    if as_json:
        render.as_json({"dry_run": False, "messages": len(purged.jobs), **told})
    else:
        render.line(f"deleted: {len(purged.jobs)} messages of {lane}")


def audit(
    context: typer.Context,
    *,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A day in UTC; today by default.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """Show who redrove, edited and purged what, newest first."""
    from tidemill.cli import render
    from tidemill.service.dead_view import audit_view

    page = target_of(context).program.desk.trail(day, limit, cursor)
    if as_json:
        render.as_json({"entries": [audit_view(entry) for entry in page.entries], "cursor": page.cursor})
        return
    headings = ("at", "actor", "action", "chosen", "how", "outcome", "counts", "jobs")
    lines = [
        (
            render.moment(entry.at),
            entry.actor,
            entry.action,
            ", ".join(f"{name} {value}" for name, value in entry.chosen.items()),
            entry.manner,
            f"{entry.outcome} ({entry.error})" if entry.error else entry.outcome,
            render.counts(entry.counts),
            _some(entry.jobs),
        )
        for entry in page.entries
    ]
    render.rows(headings, lines, empty="nothing was done on that day")
    if page.cursor is not None:
        render.line(f"more: --cursor {page.cursor}")


def _show_edit(done: dict[str, Any]) -> None:
    from tidemill.cli import render

    render.block("arguments", render.pretty(done["args"]))
    for title, names in (("happens again", done["again"]), ("is kept", done["kept"])):
        if names:
            render.line(f"{title}: {', '.join(names)}")


def _some(jobs: tuple[str, ...]) -> str:
    return ", ".join(jobs[:3]) + (f" and {len(jobs) - 3} more" if len(jobs) > 3 else "")
