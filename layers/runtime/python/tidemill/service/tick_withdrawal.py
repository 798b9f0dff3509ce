"""Making sure that a tick's job will not run: it was sent, or somebody may be about to send it.

The id is given a record that is cancelled. A message that comes later meets a final state, and is acked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from tidemill.domain import lifecycle
from tidemill.domain.conclusion import cancelled
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Answer, Clock, JobReader, JobStore, Refused, ScheduleStore, Unwritten, Written
from tidemill.domain.ports import Kept as RowKept
from tidemill.domain.schedule_row import NoJob, ScheduleRow, TickJob, cause_of, is_no_job
from tidemill.domain.ticking import settled
from tidemill.domain.tombstone import tombstone

_KEEP_MS: Final = milliseconds(Retention().result)
# Each refusal means that the record moved in between, and it moves a few times before it is claimed.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Withdrawing:
    """Withdraws ticks of schedules."""

    rows: ScheduleStore
    store: JobStore
    reader: JobReader
    clock: Clock

    def settle(self, row: ScheduleRow) -> ScheduleRow | None:
        """Do what `row.settling` asks for; answers the row after it, None if somebody else wrote it meanwhile.

        Once it is written, no job of an earlier version's tick runs that had not begun. A crash before leaves the
        row as it was, and the next sweep does it again.

        Raises:
            UnavailableError: AWS did not answer.
        """
        ticks = row.settling.ticks if row.settling is not None else ()
        gone = [tick for tick in ticks if self.withdraw(row, tick)]
        answer = self.rows.move(row, settled(row, gone))
        return answer.row if isinstance(answer, RowKept) else None

    def withdraw(self, row: ScheduleRow, tick: TickJob) -> bool:
        """Whether the tick has no job under this id from now on; False if its job began before, or is over.

        Raises:
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        return self._end(row, tick, NoJob.WITHDRAWN, _waits_untouched)

    def rule_out(self, row: ScheduleRow, tick: TickJob, reason: NoJob) -> bool:
        """The same for a tick that nobody is known to have made; False if it has a job, which another sweep counts.

        Raises:
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        return self._end(row, tick, reason, lambda _: False)

    def _end(self, row: ScheduleRow, tick: TickJob, reason: NoJob, ends: Callable[[Job], bool]) -> bool:
        ref = JobRef(row.ref.tenant, row.job_id(tick))
        job = self.reader.find([ref])[0]
        for _ in range(_TRIES):
            if job is not None and (is_no_job(job) or not ends(job)):
                return is_no_job(job)
            answer = self._write(row, ref, job, reason)
            if isinstance(answer, Written):
                return True
            if isinstance(answer, Unwritten):
                raise answer.error
            job = answer.job
        raise UnavailableError("withdraw", "the job kept changing")

    def _write(self, row: ScheduleRow, ref: JobRef, job: Job | None, reason: NoJob) -> Answer:
        now_ms = self.clock.now_ms()
        if job is not None:
            over = replace(cancelled(job, now_ms, now_ms + _KEEP_MS), reason=reason.value)
            return self.store.move(Verb.CANCEL, job, over)
        lifecycle.check_birth("withdraw", State.CANCELLED)
        plan, cause = row.plan, cause_of(row.ref.name)
        none = tombstone(ref, plan.kind, plan.lane, reason.value, now_ms, now_ms + _KEEP_MS, cause)
        (answer,) = self.store.insert([none])
        # Nothing stands in the way and nothing is written: somebody took the record away in between.
        return Unwritten(UnavailableError("withdraw", "no record")) if answer == Refused(None) else answer


def _waits_untouched(job: Job) -> bool:
    return job.state in (State.QUEUED, State.SCHEDULED) and job.fence == 0
