"""The janitor's minute, as an alarm of the virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tidemill.domain import limits
from tidemill.domain.batch_record import BatchRecord
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.janitor import Janitor
from tidemill.service.leftovers import Leftovers
from tidemill.service.reception import Enveloped, Received, receive
from tidemill.service.refusal import refused_ref
from tidemill.service.schedule_request import declared_in
from tidemill.service.tick_sweep import TickSweep
from tidemill.testing.faults import Crashed
from tidemill.testing.inline import InlineCrew
from tidemill.testing.stack import MemoryStack

_MINUTE_MS: Final = milliseconds(limits.SWEEP_PERIOD)
_AHEAD_MS: Final = milliseconds(limits.SWEEP_AHEAD)
_SKEW_MS: Final = milliseconds(limits.CLOCK_SKEW)
_LEFTOVER_MS: Final = milliseconds(limits.OUTBOX_LEFTOVER)


@dataclass
class Duties:
    """Lets the janitor work at each full minute at which it has something to do; the others are left out."""

    stack: MemoryStack
    janitor: Janitor
    ticks: TickSweep
    batches: BatchWatch
    crew: InlineCrew
    leftovers: Leftovers
    _is_busy: bool = False

    def next_at(self) -> int | None:
        """See Alarm."""
        return None if self._is_busy else self._first_after(self.stack.clock.now_ms())

    def ring(self) -> None:
        """Do what is due."""
        now_ms = self.stack.clock.now_ms()
        if self._is_busy or now_ms % _MINUTE_MS or self._first_after(now_ms - 1) != now_ms:
            return
        self._is_busy = True
        try:
            # Another process than that of a job that may be running.
            with self.crew.elsewhere():
                self._run(self.ticks.run)
                self._run(self.leftovers.sweep)
                self._run(self.janitor.sweep)
                self._run(self.janitor.census)
                self._run(self.batches.look)
        finally:
            self._is_busy = False

    def _run(self, duty: Callable[[], int]) -> None:
        try:
            duty()
        except (Crashed, UnavailableError) as error:
            self.stack.telemetry.alert("janitor_failed", error=str(error))

    def _first_after(self, now_ms: int) -> int | None:
        times = [at for job in self.stack.store.jobs.values() if (at := _due(job)) is not None]
        times += [at - _AHEAD_MS for row in self.stack.schedules.rows.values() if (at := row.due_at) is not None]
        rows = self.stack.schedules.rows
        if any(ref not in rows or rows[ref].deleted for ref in declared_in(self.stack.registry)):
            times.append(now_ms)
        times += [at for batch in self.stack.batches.records.values() if (at := self._look_at(batch)) is not None]
        times += [outbound.written_at + _LEFTOVER_MS for outbound in self.stack.outbox.rows.values()]
        if self._has_unseen_deaths():
            times.append(now_ms)
        if not times:
            return None
        first = max(min(times), now_ms + 1)
        return -(-first // _MINUTE_MS) * _MINUTE_MS

    def _look_at(self, batch: BatchRecord) -> int | None:
        """When the janitor's look at a batch finds something to do; one that has failed waits for nothing but luck."""
        if batch.ended is None or not batch.told:
            return batch.check_at
        tally = self.stack.batches.tally(batch.ref, batch.shards)
        lost = (self.stack.store.jobs.get(batch.ref.child(index)) for index in tally.over - tally.succeeded)
        return batch.check_at if any(job is not None and job.state is State.SUCCEEDED for job in lost) else None

    def _has_unseen_deaths(self) -> bool:
        queues = self.stack.queues
        letters = [
            letter for lane in self.stack.lanes if (depth := queues.depth(lane)) for letter in queues.peek(lane, depth)
        ]
        return any(self._is_unseen(letter) for letter in receive(letters))

    def _is_unseen(self, letter: Received) -> bool:
        ref = letter.envelope.ref if isinstance(letter, Enveloped) else refused_ref(letter)
        job = self.stack.store.jobs.get(ref)
        return job is None or not job.state.is_final


def _due(job: Job) -> int | None:
    """From when the sweep has something to do for the job."""
    if job.state is State.SCHEDULED:
        return (job.claimable_at or 0) - _AHEAD_MS
    return (job.claimable_at or 0) + _SKEW_MS + 1 if job.watched else None
