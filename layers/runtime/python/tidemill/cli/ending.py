"""What `tidemill cancel` does and prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tidemill.cli import render
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.service.cancelling import CancelDesk, CancelledPage
from tidemill.service.listing import Query
from tidemill.service.operating import Operator
from tidemill.service.view import job_view


def one(operator: Operator, ref: JobRef, *, kill: bool, as_json: bool) -> None:
    """End one job, and say which it was: cancelled, or asked to stop."""
    job = operator.end(ref.id, ref.tenant, kill=kill)
    if as_json:
        render.as_json(job_view(job))
    elif job.state is State.CANCELLED:
        render.line(f"job {job.ref.id} is cancelled")
    else:
        render.line(f"job {job.ref.id} runs; it was asked to stop")


def many(desk: CancelDesk, query: Query, *, kill: bool, dry_run: bool, as_json: bool) -> None:
    """End all jobs that a query finds, page by page."""
    pages = list(_pages(desk, query, kill=kill, dry_run=dry_run))
    jobs = {
        "cancelled": [job for page in pages for job in page.cancelled],
        "asked": [job for page in pages for job in page.asked],
        "over": [job for page in pages for job in page.over],
        "unanswered": [job for page in pages for job in page.unanswered],
    }
    if as_json:
        render.as_json({"dry_run": dry_run, **{name: [job.ref.id for job in found] for name, found in jobs.items()}})
        return
    would = "would be " if dry_run else ""
    render.line(
        f"{len(jobs['cancelled'])} {would}cancelled, {len(jobs['asked'])} {would}asked to stop, "
        f"{len(jobs['over'])} over before, {len(jobs['unanswered'])} without an answer"
    )
    for job in jobs["unanswered"]:
        render.line(f"no answer for job {job.ref.id}: repeat the command")


def _pages(desk: CancelDesk, query: Query, *, kill: bool, dry_run: bool) -> Iterator[CancelledPage]:
    while True:
        page = desk.cancel(query, dry_run=dry_run, kill=kill)
        yield page
        if page.cursor is None:
            return
        query = replace(query, cursor=page.cursor)
