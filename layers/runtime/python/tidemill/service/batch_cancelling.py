"""Cancelling a batch: first it is noted, so that nobody goes on with its children; then one after the other ends.

A child without a record may be on its way to one, by somebody who looked before that was noted. So its id is given a
record that is cancelled: whatever becomes of its message, it never runs, and its end can be counted at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

from tidemill.domain import limits
from tidemill.domain.batch import Fate, Tally, fate_of
from tidemill.domain.batch_record import BatchRecord
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lane import DEFAULT_LANE
from tidemill.domain.ports import Answer, JobReader, JobStore, Refused, Unwritten, Written
from tidemill.domain.tombstone import tombstone
from tidemill.service.batch_progress import BatchProgress, End

# The reason of a child that was made final before it came.
BATCH_CANCELLED: Final = "batch_cancelled"
# Only its message says of which kind it would have been, and in which lane.
_NO_KIND: Final = "batch.child"


@dataclass(frozen=True, slots=True)
class BatchCanceller:
    """Cancels batches.

    Arguments:
        end_job: cancels a job that waits, and asks one that runs to stop.
    """

    progress: BatchProgress
    reader: JobReader
    store: JobStore
    end_job: Callable[[Job], Job]

    def cancel(self, record: BatchRecord, until_ms: int | None = None) -> bool:
        """End what is left of the batch, and of those within it.

        Answers whether it came to all of it by `until_ms` (Unix milliseconds). With the rest the janitor goes on, as it
        does if this fails. Nothing of the batch starts any more from the beginning on.

        Raises:
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        if record.ended is not None:
            return True
        check_at = self._now_ms() + milliseconds(limits.BATCH_CHECK)
        asked = self.progress.batches.ask_cancel(record.ref, check_at)
        if asked is None or asked.ended is not None:
            return True
        if not asked.size:
            self.progress.go_on(asked, Tally(), frozenset())
        for act in self._acts(asked, until_ms):
            if (until_ms is not None and self._now_ms() >= until_ms) or not act():
                self.progress.batches.look_again(asked, self._now_ms())
                return False
        return True

    def _acts(self, batch: BatchRecord, until_ms: int | None) -> Iterator[Callable[[], bool]]:
        """What is to be done, each of it in little time; False if it was not done to its end."""
        tally = self.progress.batches.tally(batch.ref, batch.shards)
        left = sorted(batch.inner - tally.over)
        found = self.progress.batches.find_batches([batch.ref.inner(index) for index in left])
        for index, inner in zip(left, found, strict=True):
            yield partial(self._cancel_inner, batch, index, inner, until_ms)
        jobs = [index for index in range(batch.size) if index not in batch.inner and index not in tally.over]
        for first in range(0, len(jobs), limits.MAX_PAGE):
            yield partial(self._cancel_page, batch, jobs[first : first + limits.MAX_PAGE])

    def _cancel_inner(self, batch: BatchRecord, index: int, inner: BatchRecord | None, until_ms: int | None) -> bool:
        if inner is not None:
            return self.cancel(inner, until_ms)
        self._count([End(batch.ref, batch.member(index), Fate.CANCELLED)])
        return True

    def _cancel_page(self, batch: BatchRecord, page: Sequence[int]) -> bool:
        found = self.reader.find([batch.ref.child(index) for index in page])
        jobs: dict[int, Job | None] = dict(zip(page, found, strict=True))
        absent = [index for index in page if jobs[index] is None and index < _reach(batch)]
        buried = self.store.insert([self._tombstone(batch.ref.child(index)) for index in absent]) if absent else []
        jobs.update((index, _standing(answer)) for index, answer in zip(absent, buried, strict=True))
        ends: list[End] = []
        for index, standing in jobs.items():
            job = standing
            if job is not None and not job.state.is_final:
                with suppress(JobStateError, JobNotFoundError):
                    job = self.end_job(job)
            if job is None or job.state.is_final:
                fate = Fate.CANCELLED if job is None else fate_of(job.state)
                ends.append(End(batch.ref, batch.member(index), fate))
        self._count(ends)
        return True

    def _tombstone(self, ref: JobRef) -> Job:
        now_ms = self._now_ms()
        keep_until = now_ms + milliseconds(Retention().result)
        return tombstone(ref, _NO_KIND, DEFAULT_LANE, BATCH_CANCELLED, now_ms, keep_until)

    def _count(self, ends: Sequence[End]) -> None:
        for error in self.progress.count(ends) if ends else ():
            if error is not None:
                raise error

    def _now_ms(self) -> int:
        return self.progress.clock.now_ms()


def _reach(batch: BatchRecord) -> int:
    """Nobody comes to children from this index on, as whoever submits asks for a cancel after each step.

    Those of a graph start in any order.
    """
    return batch.size if batch.edges else batch.submitted + limits.BATCH_STEP


def _standing(answer: Answer) -> Job:
    """The record as it is now."""
    match answer:
        case Written(job=job) | Refused(job=Job() as job):
            return job
        case Unwritten(error=error):
            raise error
        case _:
            raise UnavailableError("cancel", "the record of the child can't be read")
