"""`tidemill dlq ls | show | redrive`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from tidemill.cli.options import PAGE, Cursor, JobId, Json, Limit, Tenant, ref_of
from tidemill.cli.target import target_of
from tidemill.service.submission import DEFAULT_TENANT

dlq_app = typer.Typer(name="dlq", help="What is dead, why, and how it runs again.", no_args_is_help=True)

Lane = Annotated[str | None, typer.Option(help="Only this lane's.")]


@dlq_app.command("ls")
def ls(
    context: typer.Context,
    *,
    lane: Lane = None,
    kind: Annotated[str | None, typer.Option(help="Only of this kind.")] = None,
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's; all by default.")] = None,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List the dead jobs of all tenants, and how many messages each DLQ holds."""
    from tidemill.cli import render
    from tidemill.cli.dead import Filter, dead_jobs
    from tidemill.domain.errors import InputError
    from tidemill.domain.names import check_kind, check_lane, check_tenant
    from tidemill.service.view import job_view

    wanted = Filter(tenant and check_tenant(tenant), lane and check_lane(lane), kind and check_kind(kind))
    program = target_of(context).program
    lanes = tuple(program.settings.lanes)
    if lane is not None and lane not in lanes:
        raise InputError.at("lane", f"no lane {lane!r}; known: {', '.join(lanes)}", "unknown_lane")
    page = dead_jobs(program.reader, wanted, limit, cursor, program.clock.now_ms())
    depths = {name: depth for name, depth in program.desk.depths().items() if lane in (None, name)}
    if as_json:
        dead = [job_view(job) for job in page.jobs]
        render.as_json({"jobs": dead, "cursor": page.cursor, "depths": depths})
        return
    render.jobs(page.jobs, page.cursor, empty="no dead jobs", with_tenant=True)
    render.line(f"messages in the DLQs: {render.counts(depths)}")


@dlq_app.command("show")
def show(context: typer.Context, job: JobId, *, tenant: Tenant = DEFAULT_TENANT, as_json: Json = False) -> None:
    """Show why a job is dead: its failures, the last traceback, its arguments."""
    from tidemill.cli import render
    from tidemill.domain.errors import JobStateError
    from tidemill.domain.lifecycle import State
    from tidemill.service.view import job_view

    ref = ref_of(job, tenant)
    program = target_of(context).program
    dead = program.client.get(ref.id, ref.tenant)
    if dead.state is not State.DEAD:
        raise JobStateError("shown as dead", ref.id, dead.state, f"use `tidemill get {job}`")
    failures = program.reader.failures_of(ref)
    envelope = program.desk.envelope(dead)
    args = None if envelope is None else json.loads(envelope.args)
    if as_json:
        render.as_json({**job_view(dead, None, failures), "args": args})
        return
    times = [render.moment(failure.at) for failure in failures]
    render.job(dead, [("first failure", times[0]), ("last failure", times[-1])] if times else [])
    render.failures(failures)
    if failures and failures[-1].failure.trace:
        render.block("traceback of the last failure", failures[-1].failure.trace)
    render.block(
        "arguments", "not stored: the message in the DLQ has them" if envelope is None else render.pretty(args)
    )


@dlq_app.command("redrive")
def redrive(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    jobs: Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Dead jobs: ID or TENANT/ID.")] = None,
    *,
    lane: Annotated[str | None, typer.Option(help="All messages of this lane's DLQ.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All messages of every lane's DLQ.")] = False,
    limit: Annotated[int | None, typer.Option(help="At most so many messages, with --lane or --all.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Let dead jobs run again, as their next generation."""
    from tidemill.cli.redriving import Redriving, check_choice

    check_choice(jobs, lane, limit, everything=everything)
    refs = [ref_of(job, tenant) for job in jobs or ()]
    redriving = Redriving(target_of(context).program, as_json=as_json)
    if refs:
        redriving.confirm(len(set(refs)), f"{len(set(refs))} jobs", yes=yes)
        redriving.run_jobs(refs)
    else:
        lanes = redriving.lanes(lane)
        waiting = redriving.depth(lanes, limit)
        redriving.confirm(None, f"about {waiting} messages of {', '.join(lanes)}", yes=yes)
        redriving.run_lanes(lanes, limit, waiting)
