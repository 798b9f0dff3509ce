"""What happens every minute: parked jobs that fall due are sent, and deaths nobody saw are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Clock, DeadLetterQueue, JobQueue, JobReader, JobStore, Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.service.census import Census
from tidemill.service.errands import Errands
from tidemill.service.reviving import Reviver


@dataclass(frozen=True, slots=True)
class Janitor:
    """Sends what is due and records what died unseen."""

    registry: JobRegistry
    store: JobStore
    reader: JobReader
    queue: JobQueue
    dead_letters: DeadLetterQueue
    lanes: tuple[str, ...]
    clock: Clock
    random: Random
    telemetry: Telemetry
    errands: Errands | None = None
    stack: str = ""

    def sweep(self, deadline_ms: int | None = None) -> int:
        """Send every parked job that falls due within two minutes; answers how many were sent.

        It ends at `deadline_ms` (Unix milliseconds), and the next run goes on with the earliest. See Reviver.
        """
        until = self.clock.now_ms() + milliseconds(limits.SWEEP_AHEAD)
        sent, cursor = 0, None
        while self._is_before(deadline_ms):
            page = self.reader.due(until, limits.MAX_PAGE, cursor)
            sent += self._send(page.jobs)
            cursor = page.cursor
            if cursor is None:
                break
        self.telemetry.count("JobsRevived", sent)
        return sent

    def census(self, deadline_ms: int | None = None) -> int:
        """Record the deaths that only the DLQs know of; answers how many. See Census."""
        census = Census(
            self.registry,
            self.store,
            self.reader,
            self.dead_letters,
            self.lanes,
            self.clock,
            self.random,
            self.telemetry,
            self.errands,
            self.stack,
        )
        return census.take(lambda: self._is_before(deadline_ms))

    def _is_before(self, deadline_ms: int | None) -> bool:
        return deadline_ms is None or self.clock.now_ms() < deadline_ms

    def _send(self, jobs: Sequence[Job]) -> int:
        done = self._reviver.revive([job for job in jobs if self._is_due(job)])
        for job in done.without_arguments:
            self.telemetry.alert("parked_without_arguments", job_id=job.ref.id, tenant=job.ref.tenant)
        for job in done.without_lane:
            self.telemetry.alert("parked_without_lane", job_id=job.ref.id, tenant=job.ref.tenant, wanted=job.lane)
        return len(done.sent)

    @property
    def _reviver(self) -> Reviver:
        return Reviver(self.store, self.reader, self.queue, self.clock, self.random)

    def _is_due(self, job: Job) -> bool:
        """Whether the job needs a message; the index may lag behind the records."""
        if job.watched:
            # It was claimed before a sweep had marked it, maybe by a copy that is gone: if it died, nobody else
            # brings it back.
            return (job.claimable_at or 0) + milliseconds(limits.CLOCK_SKEW) < self.clock.now_ms()
        return job.state is State.SCHEDULED
