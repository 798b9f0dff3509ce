"""Cancelling what a query finds, a page at a time; each page leaves its entry in the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Page
from tidemill.service.listing import Listing, Query
from tidemill.service.operating import Operator, verb_of

# What of a query its entry in the trail names.
_CHOSEN: Final = ("state", "kind", "day")


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

    operator: Operator
    listing: Listing

    def cancel(self, query: Query, *, dry_run: bool = False, kill: bool = False) -> CancelledPage:
        """Cancel the jobs of one page of `query`, or with `dry_run` only say which they are.

        Only the queues and the index know of a job that was submitted a moment ago: repeat the query until it
        finds nothing more.

        Raises:
            InputError: no index holds what is asked, a field is bad, or the query is for dead jobs.
            UnavailableError: AWS did not list them, or the intent is not known to be written; nothing was cancelled.
        """
        if query.state == State.DEAD:
            raise InputError.at("state", "dead jobs are over. Fix: purge their messages from the DLQ", "final")
        page = self.listing.jobs(query)
        meant = [job.ref for job in page.jobs if not job.state.is_final]
        if dry_run or not meant:
            return self._all(page, lambda job: self._foreseen(job, kill=kill))
        chosen = {name: part for name in _CHOSEN if (part := getattr(query, name)) is not None}
        with self.operator.auditor.action(verb_of(kill=kill), query.tenant, chosen, jobs=meant) as tally:
            done = self._all(page, lambda job: self._end(job, kill=kill))
            for name in ("cancelled", "asked", "unanswered"):
                tally.counts.update({name: len(getattr(done, name))})
        return done

    def _all(self, page: Page, end: Callable[[Job], Job | None]) -> CancelledPage:
        done = CancelledPage(cursor=page.cursor)
        for job in page.jobs:
            done = self._add(done, job, end(job))
        return done

    def _end(self, job: Job, *, kill: bool) -> Job | None:
        try:
            return self.operator.ending(kill=kill)(job.ref.id, job.ref.tenant)
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
