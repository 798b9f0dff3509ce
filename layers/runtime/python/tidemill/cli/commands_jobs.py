"""`tidemill submit | get | list | move | cancel`."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidemill.cli.options import PAGE, ArgsVersion, At, Cursor, Durable, JobId, Json, Limit, Sequence, Tenant, ref_of
from tidemill.cli.target import Target, target_of
from tidemill.service.submission import DEFAULT_TENANT

if TYPE_CHECKING:
    from tidemill.domain.job import Job

LISTED = ["dead", "retrying", "scheduled"]


def submit(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="The job's kind, such as media.thumbnail.")],
    args: Annotated[str, typer.Argument(metavar="ARGS", help="A JSON object, @FILE, or - for standard input.")],
    *,
    key: Annotated[str | None, typer.Option(help="Idempotency key: one job per tenant, kind and key.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    lane: Annotated[str | None, typer.Option(help="Another lane than the kind's.")] = None,
    entity: Annotated[str | None, typer.Option(help="On a FIFO lane: what the job is about.")] = None,
    sequence: Sequence = None,
    delay: Annotated[str | None, typer.Option(metavar="DURATION", help="Start no sooner: 90s, 5m, 2h, 1d.")] = None,
    at: At = None,
    durable_args: Durable = False,
    expires_in: Annotated[str | None, typer.Option(metavar="DURATION", help="Never start later than this.")] = None,
    job_id: Annotated[str | None, typer.Option(metavar="UUID", help="An id of your choice, without a key.")] = None,
    args_version: ArgsVersion = None,
    wait: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Wait for it to end; fail unless it succeeds.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Submit a job through the stack's HTTP API.

    Without a key or an id of yours it gets an id here, so that a lost answer can be asked for again.
    """
    from tidemill.cli.request import request_document

    target = target_of(context)
    options = {
        "key": key,
        "tenant": tenant,
        "lane": lane,
        "entity": entity,
        "sequence": sequence,
        "job_id": job_id or (None if key else _fresh_id()),
        "delay": delay,
        "at": at,
        "durable_args": "true" if durable_args else None,
        "expires_in": expires_in,
        "version": None if args_version is None else str(args_version),
    }
    document = request_document(kind, args, options, lambda: dict(target.info.settings.lanes))
    accepted = _post(target, document)
    if wait is not None:
        _wait(target, str(accepted["id"]), tenant, wait, as_json=as_json)
    elif as_json:
        _print_json(accepted)
    else:
        _show_accepted(accepted)


def get(
    context: typer.Context,
    job: JobId,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    args: Annotated[
        bool, typer.Option("--args", help="Its arguments too, where the table has them: parked or dead.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show a job: its record, its result, its failures."""
    ref = ref_of(job, tenant)
    program = target_of(context).program
    found = program.client.get(ref.id, ref.tenant)
    _show(target_of(context), found, as_json=as_json, with_args=args)


def list_jobs(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    *,
    state: Annotated[
        str | None, typer.Option(help="dead, retrying or scheduled.", autocompletion=lambda: LISTED)
    ] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind; without a state, those of one day.")] = None,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A day in UTC; today by default.")] = None,
    tenant: Tenant = DEFAULT_TENANT,
    limit: Limit = PAGE,
    cursor: Cursor = None,
    as_json: Json = False,
) -> None:
    """List a tenant's jobs, by state or by kind and day."""
    from tidemill.cli import render
    from tidemill.service.listing import Query
    from tidemill.service.view import job_view

    query = Query(tenant=tenant, state=state, kind=kind, day=day, limit=limit, cursor=cursor)
    page = target_of(context).program.listing.jobs(query)
    if as_json:
        render.as_json({"jobs": [job_view(job) for job in page.jobs], "cursor": page.cursor})
    else:
        render.jobs(page.jobs, page.cursor, empty="no such jobs")


def move(
    context: typer.Context,
    job: JobId,
    *,
    to: Annotated[str | None, typer.Option(metavar="TIME", help="When: 2026-12-01T09:00:00+01:00, or ...Z.")] = None,
    delay: Annotated[
        str | None, typer.Option("--in", metavar="DURATION", help="From now: 0s, 90s, 5m, 2h, 1d.")
    ] = None,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Let a job that waits start at another time, and not at its old one."""
    from tidemill.cli import render
    from tidemill.cli.durations import parse_duration
    from tidemill.domain.due import new_due, parse_moment
    from tidemill.service.view import job_view

    ref, program = ref_of(job, tenant), target_of(context).program
    moment = None if to is None else parse_moment(to, "to")
    wait = None if delay is None else parse_duration(delay, "in")
    due_ms, field = new_due(moment, wait, program.clock.now_ms())
    moved = program.operator.move(program.client.get(ref.id, ref.tenant), due_ms, field)
    if as_json:
        render.as_json(job_view(moved))
    else:
        render.line(f"job {moved.ref.id} is {moved.state}, due {render.moment(moved.claimable_at or None) or 'now'}")


def cancel(  # noqa: PLR0913 - one parameter an option
    context: typer.Context,
    job: Annotated[str | None, typer.Argument(help="A job's id; or leave it out and say which jobs.")] = None,
    *,
    state: Annotated[str | None, typer.Option(help="All of this state: retrying or scheduled.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind; without a state, those of one day.")] = None,
    day: Annotated[str | None, typer.Option(metavar="YYYY-MM-DD", help="A day in UTC; today by default.")] = None,
    kill: Annotated[bool, typer.Option("--kill", help="End what runs without asking it.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which jobs it would be.")] = False,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: Json = False,
) -> None:
    """Cancel a job that waits, ask one that runs to stop; or all that a state, a kind or a day names."""
    from tidemill.cli import ending
    from tidemill.domain import limits
    from tidemill.domain.errors import InputError
    from tidemill.service.listing import Query

    program = target_of(context).program
    if job is not None:
        if state or kind or day or dry_run:
            raise InputError.at("job", "stands alone. Fix: leave out --state, --kind, --day and --dry-run", "extra")
        ref = ref_of(job, tenant)
        ending.one(program.operator, ref, kill=kill, as_json=as_json)
        return
    query = Query(tenant=tenant, state=state, kind=kind, day=day, limit=limits.MAX_PAGE)
    ending.many(program.cancel_desk, query, kill=kill, dry_run=dry_run, as_json=as_json)


def _post(target: Target, document: dict[str, Any]) -> dict[str, Any]:
    from tidemill.domain.errors import UnavailableError

    try:
        accepted: dict[str, Any] = target.api.post("/jobs", document)
    except UnavailableError as error:
        # The answer may be lost and the job accepted: the same id or key asks again without a second job.
        again = f"--key {document['key']}" if "key" in document else f"--job-id {document['job_id']}"
        raise UnavailableError(
            error.operation, f"{error.cause}; the job may be accepted, repeat with {again}"
        ) from None
    return accepted


def _fresh_id() -> str:
    from tidemill.domain.ids import time_ordered_id

    return time_ordered_id(time.time_ns() // 1_000_000, secrets.randbits(74))


def _wait(target: Target, job_id: str, tenant: str, seconds: float, *, as_json: bool) -> None:
    from tidemill.cli.waiting import check_succeeded, wait_for
    from tidemill.domain.job import JobRef

    ended = wait_for(target.program.client, JobRef(tenant, job_id), seconds)
    _show(target, ended, as_json=as_json)
    check_succeeded(ended, seconds)


def _show(target: Target, found: Job, *, as_json: bool, with_args: bool = False) -> None:
    import json

    from tidemill.cli import render
    from tidemill.service.view import job_view, wait_view

    result, omitted = _result_of(target, found)
    failures = target.program.reader.failures_of(found.ref)
    waits = target.program.client.answerer.waits_of(found)
    args = target.program.client.args_text(found) if with_args else None
    if as_json:
        shown: dict[str, Any] = {"result_omitted": omitted} if omitted else {}
        shown |= {"args": None if args is None else json.loads(args)} if with_args else {}
        shown |= {"waits": [wait_view(wait.name, wait) for wait in waits]} if waits else {}
        render.as_json({**job_view(found, result, failures), **shown})
        return
    render.job(found, ((f"asked {wait.name}", render.wait(wait)) for wait in waits))
    if with_args:
        render.block("args", render.pretty(json.loads(args)) if args else "only the job's message has them")
    if result is not None or omitted:
        render.block("result", omitted or render.pretty(json.loads(result or "null")))
    render.failures(failures)


def _result_of(target: Target, found: Job) -> tuple[str | None, str]:
    """What the job returned as JSON text, or why it can't be shown: its record still can."""
    from tidemill.domain.errors import IntegrityError, PayloadGoneError
    from tidemill.domain.lifecycle import State

    if found.state is not State.SUCCEEDED:
        return None, ""
    try:
        return target.program.client.result_text(found), ""
    except (PayloadGoneError, IntegrityError) as error:
        return None, str(error)


def _print_json(accepted: dict[str, Any]) -> None:
    from tidemill.cli import render

    render.as_json(accepted)


def _show_accepted(accepted: dict[str, Any]) -> None:
    from tidemill.cli import render

    known = "" if accepted.get("created", True) else ", which the key has had before"
    render.line(f"job {accepted['id']} is {accepted.get('state', 'accepted')}{known}")
