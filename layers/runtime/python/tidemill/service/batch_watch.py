"""The janitor's look at batches: children whose end nobody counted, callbacks that nobody submitted.

No worker meets the end of a parked job that is cancelled, nor a death that the census records; a submitter may be
gone for good, and so may a worker between two of its writes. So every batch that is open, or has failed and may still
succeed, is looked at, at growing intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidemill.domain import limits
from tidemill.domain.batch import Fate, Tally, fate_of
from tidemill.domain.batch_record import BatchRecord
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import IntegrityError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.ports import BatchStore, Clock, JobReader, Telemetry
from tidemill.service.batch_cancelling import BatchCanceller
from tidemill.service.batch_progress import BatchProgress, End
from tidemill.service.withdrawing import Withdrawal


@dataclass(frozen=True, slots=True)
class BatchWatch:
    """Looks at batches that are due for it."""

    batches: BatchStore
    reader: JobReader
    progress: BatchProgress
    clock: Clock
    telemetry: Telemetry

    def look(self, deadline_ms: int | None = None) -> int:
        """Look at the batches whose time has come; answers how many ends it counted that nobody had.

        It ends at `deadline_ms` (Unix milliseconds), and after 100 batches or 5,000 children; the next run goes on.
        """
        found, left = 0, limits.CHECKED_CHILDREN
        for record in self.batches.due_batches(self.clock.now_ms(), limits.CHECKED_BATCHES).records:
            if left <= 0 or (deadline_ms is not None and self.clock.now_ms() >= deadline_ms):
                break
            try:
                if record.cancel_asked and not self._canceller.cancel(record, deadline_ms):
                    break
                looked, counted = self._look_at(record, left)
            except (UnavailableError, IntegrityError) as error:
                self.telemetry.alert("batch_unchecked", batch_id=record.ref.id, cause=str(error))
                self._postpone(record)
                continue
            left -= looked
            found += counted
        self.telemetry.count("BatchEndsFound", found)
        return found

    def _look_at(self, record: BatchRecord, most: int) -> tuple[int, int]:
        """One batch; answers how many children were looked at and how many ends counted."""
        if record.kept and record.ended is None:
            self.progress.begin(record)
        tally = self.batches.tally(record.ref, record.shards)
        wanted = [i for i in range(record.check_from, record.size) if i not in tally.succeeded | record.inner]
        looked = wanted[:most]
        jobs = self._find(record, looked)
        found = [self._end_of(record, tally, index, job) for index, job in zip(looked, jobs, strict=True)]
        ends = [end for end in (*found, *self._unopened(record, tally)) if end is not None]
        for error in self.progress.count(ends):
            if error is not None:
                raise error
        if ends:
            self.telemetry.alert("batch_ends_found", batch_id=record.ref.id, count=len(ends))
        there = {index for index, job in zip(looked, jobs, strict=True) if job is not None}
        self._go_on(record, there, wanted[most] if len(wanted) > most else None)
        return len(looked), len(ends)

    def _go_on(self, record: BatchRecord, there: set[int], next_index: int | None) -> None:
        """Do what the tally asks for by now, whoever counted; then say when to look again."""
        (stands,) = self.batches.find_batches([record.ref])
        if stands is None:
            return
        tally = self.batches.tally(stands.ref, stands.shards)
        unstarted = [index for index in stands.ready(tally) if index not in there] if stands.edges else []
        self.progress.release(stands, unstarted)
        self.progress.go_on(stands, tally, tally.succeeded if stands.ended else frozenset())
        (after,) = self.batches.find_batches([record.ref])
        if after is None or (after.ended is not None and not after.told):
            return
        now_ms = self.clock.now_ms()
        at = after.next_check(now_ms)
        if next_index is not None and at is not None:
            self.batches.look_again(after, now_ms, next_index)
        elif after.check_at is not None:
            self.batches.look_again(after, at)

    def _find(self, record: BatchRecord, indexes: Sequence[int]) -> list[Job | None]:
        found: list[Job | None] = []
        for first in range(0, len(indexes), limits.MAX_PAGE):
            page = indexes[first : first + limits.MAX_PAGE]
            found += self.reader.find([record.ref.child(index) for index in page])
        return found

    def _end_of(self, record: BatchRecord, tally: Tally, index: int, job: Job | None) -> End | None:
        """The end of a child that is to be counted, if it has come to one and that is not counted."""
        fate = self._unborn(record, index) if job is None else fate_of(job.state) if job.state.is_final else None
        if fate is None or (index in tally.over and fate is not Fate.SUCCEEDED):
            return None
        return End(record.ref, record.member(index), fate)

    def _unopened(self, record: BatchRecord, tally: Tally) -> list[End]:
        """The ends of inner batches that their submitter will not open any more."""
        left = sorted(record.inner - tally.over)
        fate = self._given_up(record)
        if fate is None or not left:
            return []
        found = self.batches.find_batches([record.ref.inner(index) for index in left])
        return [End(record.ref, record.member(i), fate) for i, inner in zip(left, found, strict=True) if inner is None]

    def _unborn(self, record: BatchRecord, index: int) -> Fate | None:
        """What becomes of a child that has no record: nothing, while it may still come."""
        if not record.kept and index < record.submitted:
            return None
        fate = self._given_up(record)
        return None if record.kept and fate is Fate.FAILED else fate

    def _given_up(self, record: BatchRecord) -> Fate | None:
        """What becomes of what nobody will start any more; None while somebody may."""
        if record.cancel_asked:
            return Fate.CANCELLED
        late = record.created_at + milliseconds(limits.BATCH_SUBMIT_TIME) < self.clock.now_ms()
        return Fate.FAILED if late else None

    @property
    def _canceller(self) -> BatchCanceller:
        """Goes on with a cancel whose caller did not come to its end."""
        submitter = self.progress.releaser.submitter
        end_job = Withdrawal(submitter.store, submitter.registry, self.clock).cancel
        return BatchCanceller(self.progress, self.reader, submitter.store, end_job)

    def _postpone(self, record: BatchRecord) -> None:
        if record.ended is not None and not record.told:
            # To look again would mean that everybody is told.
            return
        try:
            self.batches.look_again(record, self.clock.now_ms() + milliseconds(limits.BATCH_CHECK), record.check_from)
        except UnavailableError:
            # It is looked at first by the next run.
            return
