"""What is known of one batch so far, by message id. The executor fills it; threads perform its jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

from tidemill.domain.job import Job
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Attempt, Suspect, Untouched
from tidemill.domain.ports import Conclusion, Unwritten
from tidemill.domain.settle import Settlement
from tidemill.service.claiming import Claimed
from tidemill.service.ending import timed_out
from tidemill.service.performing import Performer
from tidemill.service.running import RunningJob

if TYPE_CHECKING:
    from tidemill.domain.outbox import Outbound


@dataclass
class Batch:
    """One batch from its claims to its settlements.

    Attributes:
        left_behind: jobs that run on though their time is over; only the end of the process stops them.
    """

    deliveries: Sequence[Delivery]
    performer: Performer
    claimed: dict[str, Claimed] = field(default_factory=dict)
    # Claimed and not yet started: SQS may hand out one message twice in a batch.
    startable: dict[str, Claimed] = field(default_factory=dict)
    running: dict[str, RunningJob] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    settlements: dict[str, Settlement] = field(default_factory=dict)
    # Copies of a job that is in this batch already: message id -> the copy that was claimed.
    copies: dict[str, str] = field(default_factory=dict)
    # What is to be recorded of those that ended, and the last refusal of the table to take it.
    conclusions: dict[str, Conclusion] = field(default_factory=dict)
    unwritten: dict[str, Unwritten] = field(default_factory=dict)
    recorded: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    left_behind: list[str] = field(default_factory=list)
    # How many jobs ended how, by metric.
    outcomes: Counter[str] = field(default_factory=Counter)
    # How a job ended is decided once, by its own thread or by the one that gives it up.
    _lock: Lock = field(default_factory=Lock)

    @property
    def suspects(self) -> list[str]:
        """Messages of jobs whose worker died, those that saw fewest deaths first."""
        found = [message_id for message_id, claimed in self.startable.items() if claimed.job.crashes]
        return sorted(found, key=lambda message_id: self.startable[message_id].job.crashes)

    @property
    def together(self) -> list[str]:
        """Messages of jobs that may run beside each other."""
        return [message_id for message_id, claimed in self.startable.items() if not claimed.job.crashes]

    def perform(self, message_id: str) -> None:
        """Run the message's job, if it has one to run."""
        claimed = self.startable.pop(message_id, None)
        if claimed is None:
            return
        attempt = self.performer.perform(claimed, partial(self._start, message_id))
        with self._lock:
            self.attempts.setdefault(message_id, attempt)

    def tend(self, now_ms: int) -> int:
        """Warn, end and keep alive what runs; answers when to come again (Unix ms)."""
        running = [job for message_id, job in tuple(self.running.items()) if message_id not in self.attempts]
        return min([job.tend(now_ms) for job in running], default=self.performer.deadline_ms)

    def overrunning(self, now_ms: int) -> list[str]:
        """Messages of jobs that were ended and run on."""
        return [
            message_id
            for message_id, job in tuple(self.running.items())
            if message_id not in self.attempts and job.has_overrun(now_ms)
        ]

    def leave_behind(self, message_id: str) -> None:
        """Decide the outcome of a job that its timeout could not end, unless it has just ended.

        One that still waits for its arguments will not start any more.
        """
        with self._lock:
            if message_id in self.attempts:
                return
            running = self.running.get(message_id)
            if running is None:
                self.attempts[message_id] = Untouched()
                return
            self.left_behind.append(message_id)
            running.lifeline.cut()
            self.attempts[message_id] = timed_out(self.claimed[message_id].job.kind)

    def give_back(self, message_id: str, place: int | None = None) -> None:
        """Leave the message's job untouched, if it has not been started; `place` in the line of suspects."""
        if self.startable.pop(message_id, None) is not None:
            self.attempts[message_id] = Untouched() if place is None else Suspect(place)

    def unrecorded(self) -> list[str]:
        """Messages whose job ended and is not recorded as such."""
        return [message_id for message_id in tuple(self.attempts) if message_id not in self.recorded]

    def _start(self, message_id: str, job: RunningJob) -> bool:
        with self._lock:
            if message_id in self.attempts:
                return False
            self.running[message_id] = job
            return True

    def has_heard(self, message_id: str) -> bool:
        """Whether the job was told that it is to stop."""
        running = self.running.get(message_id)
        return running is not None and running.lifeline.has_heard

    def told(self, message_id: str, now_ms: int) -> tuple[Outbound, ...]:
        """What the message's job tells now, should it have succeeded."""
        running = self.running.get(message_id)
        return () if running is None else running.lifeline.untold.told(now_ms)

    def newest(self, message_id: str) -> Job:
        """The newest known record of a claimed job; nothing its attempt still does is written from now on."""
        running = self.running.get(message_id)
        return self.claimed[message_id].job if running is None else running.lifeline.cut()
