"""`tidemill dlq ls | groups | show | redrive`; `commands_dlq_changes` has edit, purge and audit."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tidemill.cli.dlq_options import (
    AnyTenant,
    DryRun,
    Fault,
    FromStep,
    Kind,
    Lane,
    ModeOption,
    Reason,
    Since,
    Until,
    Yes,
    filter_of,
    manner_for,
)
from tidemill.cli.options import PAGE, Cursor, JobId, Json, Limit, Tenant, ref_of
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

dlq_app = typer.Typer(name="dlq", help="What is dead, why, and how it runs again.", no_args_is_help=True)


@dlq_app.command("ls")
def ls(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    lane: Lane = None,
    kind: Kind = None,
    tenant: AnyTenant = None,
    error: Fault = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List the dead jobs of all tenants, and how many messages each DLQ holds."""
    from tidemill.cli import render
    from tidemill.service.view import job_view

    program = target_of(context).program
    parts = {"lane": lane, "kind": kind, "tenant": tenant, "error": error, "reason": reason}
    wanted = filter_of({**parts, "since": since, "until": until}, program.clock.now_ms(), program.desk.lanes)
    page = program.desk.inspection.page(wanted, limit, cursor)
    depths = {name: depth for name, depth in program.desk.depths().items() if lane in (None, name)}
    if as_json:
        dead = [job_view(job) for job in page.jobs]
        render.as_json({"jobs": dead, "cursor": page.cursor, "depths": depths})
        return
    render.jobs(page.jobs, page.cursor, empty="no dead jobs", with_tenant=True)
    render.line(f"messages in the DLQs: {render.counts(depths)}")


@dlq_app.command("groups")
def groups(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    lane: Lane = None,
    kind: Kind = None,
    tenant: AnyTenant = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    as_json: Json = False,
) -> None:
    """Group the dead jobs by what killed them."""
    from tidemill.cli import render
    from tidemill.service.dead_view import group_view

    program = target_of(context).program
    parts = {"lane": lane, "kind": kind, "tenant": tenant, "reason": reason, "since": since, "until": until}
    found, is_all = program.desk.inspection.groups(filter_of(parts, program.clock.now_ms(), program.desk.lanes))
    if as_json:
        render.as_json({"groups": [group_view(group) for group in found], "complete": is_all})
        return
    headings = ("error", "jobs", "kinds", "lanes", "first", "last", "reason", "message", "sample")
    lines = [
        (
            group.error or "(none)",
            group.count,
            ", ".join(group.kinds),
            ", ".join(group.lanes),
            render.moment(group.first),
            render.moment(group.last),
            ", ".join(group.reasons),
            group.message,
            group.sample,
        )
        for group in found
    ]
    render.rows(headings, lines, empty="no dead jobs")
    if not is_all:
        render.line("there are more dead jobs than were looked at: narrow it with a filter")


@dlq_app.command("show")
def show(context: typer.Context, job: JobId, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Show why a job is dead: its failures, the last traceback, its arguments, what it has done."""
    from tidemill.cli import render
    from tidemill.service.dead_view import dead_view

    dead = target_of(context).program.desk.inspection.show(ref_of(job, tenant))
    if as_json:
        render.as_json(dead_view(dead))
        return
    times = [render.moment(failure.at) for failure in dead.failures]
    render.job(dead.job, [("first failure", times[0]), ("last failure", times[-1])] if times else [])
    render.failures(dead.failures)
    if dead.failures and dead.failures[-1].failure.trace:
        render.block("traceback of the last failure", dead.failures[-1].failure.trace)
    args = "not stored: the message in the DLQ has them" if dead.args is None else render.pretty(json.loads(dead.args))
    render.block("arguments" if dead.version in (None, 1) else f"arguments, version {dead.version}", args)
    steps = dead_view(dead)["steps"]
    if steps:
        rows = [(step["name"], step["at"], step["generation"]) for step in steps]
        render.rows(("finished step", "at", "generation"), rows, empty="")
        render.line("a redrive keeps them; --mode restart or --from-step NAME lets them happen again")


@dlq_app.command("redrive")
def redrive(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Dead jobs: ID or TENANT/ID.")] = None,
    *,
    lane: Annotated[
        str | None, typer.Option(help="This lane's; alone, all messages of its DLQ.", show_default=False)
    ] = None,
    kind: Kind = None,
    tenant: Annotated[str | None, typer.Option(help="This tenant's; beside ids, whose they are.")] = None,
    error: Fault = None,
    reason: Reason = None,
    since: Since = None,
    until: Until = None,
    everything: Annotated[bool, typer.Option("--all", help="All messages of every lane's DLQ.")] = False,
    mode: ModeOption = None,
    from_step: FromStep = None,
    limit: Annotated[int | None, typer.Option(help="At most so many jobs.")] = None,
    rate: Annotated[float | None, typer.Option(metavar="JOBS", help="At most so many a second.")] = None,
    canary: Annotated[int, typer.Option(metavar="JOBS", min=0, help="So many first; stop if one dies again.")] = 0,
    canary_wait: Annotated[str, typer.Option(metavar="DURATION", help="How long the canary may take.")] = "10m",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let dead jobs run again, as their next generation."""
    from tidemill.cli.durations import parse_duration
    from tidemill.cli.redrive_plan import Choice, carry_out
    from tidemill.cli.redriving import check_choice
    from tidemill.service.bulk import Care
    from tidemill.service.pacing import check_rate

    parts = {"lane": lane, "kind": kind, "error": error, "reason": reason, "since": since, "until": until}
    filters = [*parts.values(), None if jobs else tenant]
    check_choice(jobs, filters, limit, everything=everything)
    care = Care(check_rate(rate), canary, parse_duration(canary_wait, "canary_wait"))
    refs = tuple(ref_of(job, tenant or DEFAULT_TENANT) for job in jobs or ())
    choice = Choice(refs, {**parts, "tenant": tenant}, limit, manner_for(mode, from_step), care)
    carry_out(target_of(context).program, choice, dry_run=dry_run, yes=yes, as_json=as_json)
