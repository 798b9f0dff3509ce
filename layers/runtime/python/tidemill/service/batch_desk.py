"""Looking after batches: start, look, cancel, and read what became of the children."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Fate
from tidemill.domain.batch_errors import BatchNotFoundError
from tidemill.domain.batch_record import BatchRecord
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.ports import BatchStore, JobReader
from tidemill.service.batch_cancelling import BatchCanceller
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.batch_view import BatchView
from tidemill.service.flow import Flow
from tidemill.service.releasing import Releaser
from tidemill.service.starting import Started, Starter
from tidemill.service.submission import DEFAULT_TENANT
from tidemill.service.submitter import Submitter


@dataclass(frozen=True, slots=True)
class FailedChild:
    """A child that did not succeed: its place, its job's id, and the job, if it is one that is still kept."""

    index: int
    job_id: str
    fate: Fate
    job: Job | None


@dataclass(frozen=True, slots=True)
class ChildResult:
    """What a child returned. `is_known` is False where the job's retention is over."""

    index: int
    job_id: str
    value: Any
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class BatchDesk:
    """The batches of one stack. Safe for threads. `JobClient.batches` is one.

    Arguments:
        end_job: cancels a job, given its id and tenant: see JobClient.cancel.
        result_text: what a job that has succeeded returned, as JSON text.
    """

    batches: BatchStore
    submitter: Submitter
    reader: JobReader
    end_job: Callable[[str, str], Job]
    result_text: Callable[[Job], str | None]

    def start(self, flow: Flow, *, key: str | None = None, tenant: str = DEFAULT_TENANT) -> Started:
        """Accept a Batch, Chain or Graph of `tidemill.batches`, with all that is in it.

        All of it is checked before anything is written. A chain or graph is accepted as a whole; of a batch, the
        children are submitted one after the other, and a call that fails in between has submitted some of them.

        Arguments:
            flow: up to 10,000 jobs, all levels together.
            key: idempotency key, at most 96 characters: one batch per tenant and key. A repeat of the call with it
                goes on where an earlier one stopped, for up to a day.
            tenant: whose batch it is, and its jobs.

        Raises:
            InputError: something is bad; its place in the flow is named, and nothing was written.
            KeyConflictError: the key belongs to a batch that asks for something else.
            BatchUnfinishedError: AWS did not answer; not every child was submitted.
            UnavailableError: AWS did not answer; the same call with the same key is safe.
        """
        return Starter(self.batches, self.submitter, self._progress).start(flow, key, tenant)

    def get(self, batch_id: str, tenant: str = DEFAULT_TENANT) -> BatchView:
        """The batch and its counts, as of now. A hundred children are one read unit.

        Raises:
            InputError: the id or the tenant is ill-formed.
            BatchNotFoundError: there is no such batch, or its retention is over.
        """
        record = self._find(batch_id, tenant)
        return BatchView(record, self.batches.tally(record.ref, record.shards))

    def not_succeeded(self, batch_id: str, tenant: str = DEFAULT_TENANT) -> Iterator[FailedChild]:
        """The children that failed or were cancelled, by index.

        Raises:
            BatchNotFoundError: there is no such batch, or its retention is over.
        """
        view = self.get(batch_id, tenant)
        lost = sorted(view.tally.failed | view.tally.cancelled)
        for page in _pages(lost):
            refs = [view.batch.ref.child(index) for index in page]
            for index, ref, job in zip(page, refs, self.reader.find(refs), strict=True):
                fate = Fate.FAILED if index in view.tally.failed else Fate.CANCELLED
                yield FailedChild(index, ref.id, fate, job)

    def results(self, batch_id: str, tenant: str = DEFAULT_TENANT) -> Iterator[ChildResult]:
        """What the children that succeeded returned, by index, parsed from JSON. Inner batches have none.

        Raises:
            BatchNotFoundError: there is no such batch, or its retention is over.
            PayloadGoneError, IntegrityError: see JobClient.result.
        """
        view = self.get(batch_id, tenant)
        for page in _pages(sorted(view.tally.succeeded - view.batch.inner)):
            refs = [view.batch.ref.child(index) for index in page]
            for index, ref, job in zip(page, refs, self.reader.find(refs), strict=True):
                if job is None or job.state is not State.SUCCEEDED:
                    yield ChildResult(index, ref.id, None, is_known=False)
                    continue
                text = self.result_text(job)
                yield ChildResult(index, ref.id, None if text is None else json.loads(text))

    def cancel(self, batch_id: str, tenant: str = DEFAULT_TENANT, *, until_ms: int | None = None) -> BatchView:
        """Cancel the children that wait, ask those that run to stop, and let none start any more.

        See JobClient.cancel for what that means for a job. The batch ends when the last of those that run has, as
        `cancelled`, unless enough of its children succeeded; `on_failure` runs then. A batch that is over stays as it
        is. Whatever fails after the beginning, the janitor goes on within minutes.

        Arguments:
            until_ms: Unix milliseconds; what is left then is left to the janitor.

        Raises:
            BatchNotFoundError: there is no such batch, or its retention is over.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        record = self._find(batch_id, tenant)
        self._canceller.cancel(record, until_ms)
        return self.get(batch_id, tenant)

    def _find(self, batch_id: str, tenant: str) -> BatchRecord:
        ref = BatchRef(check_tenant(tenant), check_job_id(batch_id))
        (record,) = self.batches.find_batches([ref])
        if record is None or record.is_gone(self.submitter.clock.now_ms()):
            raise BatchNotFoundError(tenant, batch_id)
        return record

    @property
    def _canceller(self) -> BatchCanceller:
        end_job = partial(_end_by_id, self.end_job)
        return BatchCanceller(self._progress, self.reader, self.submitter.store, end_job)

    @property
    def _progress(self) -> BatchProgress:
        return BatchProgress(self.batches, Releaser(self.batches, self.submitter), self.submitter.clock)


def _end_by_id(end_job: Callable[[str, str], Job], job: Job) -> Job:
    return end_job(job.ref.id, job.ref.tenant)


def _pages(indexes: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(indexes), limits.MAX_PAGE):
        yield indexes[first : first + limits.MAX_PAGE]
