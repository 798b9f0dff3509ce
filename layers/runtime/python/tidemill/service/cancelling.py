"""Cancelling what a query finds, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.service.client import JobClient
from tidemill.service.listing import Listing, Query


@dataclass(frozen=True, slots=True)
class CancelledPage:
    """What became of one page of jobs.

    Attributes:
        cancelled: they never run, or were killed. `asked`: they run, and were asked to stop.
        over: they had ended before. `unanswered`: AWS did not answer for them; the same call may be repeated.
        cursor: of the next page, None if this was the last.
    """

    cancelled: tuple[Job, ...] = ()
    asked: tuple[Job, ...] = ()
    over: tuple[Job, ...] = ()
    unanswered: tuple[Job, ...] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class CancelDesk:
    """Cancels many jobs of one tenant."""

    client: JobClient
    listing: Listing

    def cancel(self, query: Query, *, dry_run: bool = False, kill: bool = False) -> CancelledPage:
        """Cancel the jobs of one page of `query`, or with `dry_run` only say which they are.

        Only the queues and the index know of a job that was submitted a moment ago: repeat the query until it
        finds nothing more.

        Raises:
            InputError: no index holds what is asked, a field is bad, or the query is for dead jobs.
            UnavailableError: AWS did not list them; nothing was cancelled.
        """
        if query.state == State.DEAD:
            raise InputError.at("state", "dead jobs are over. Fix: purge their messages from the DLQ", "final")
        page = self.listing.jobs(query)
        done = CancelledPage(cursor=page.cursor)
        for job in page.jobs:
            done = self._add(done, job, self._foreseen(job, kill=kill) if dry_run else self._end(job, kill=kill))
        return done

    def _end(self, job: Job, *, kill: bool) -> Job | None:
        end = self.client.kill if kill else self.client.cancel
        try:
            return end(job.ref.id, job.ref.tenant)
        except (JobStateError, JobNotFoundError):
            return job if job.state.is_final else replace(job, state=State.SUCCEEDED)
        except UnavailableError:
            return None

    def _foreseen(self, job: Job, *, kill: bool) -> Job:
        if job.state.is_final or (job.state is State.RUNNING and not kill):
            return job
        return replace(job, state=State.CANCELLED)

    def _add(self, page: CancelledPage, before: Job, after: Job | None) -> CancelledPage:
        if after is None:
            return replace(page, unanswered=(*page.unanswered, before))
        if after.state is State.CANCELLED and before.state is not State.CANCELLED:
            return replace(page, cancelled=(*page.cancelled, after))
        if after.state.is_final:
            return replace(page, over=(*page.over, after))
        return replace(page, asked=(*page.asked, after))
