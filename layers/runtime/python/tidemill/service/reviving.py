"""Sending jobs that the table answers for, and marking them as sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tidemill.domain import limits
from tidemill.domain.conclusion import revived
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import IntegrityError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import Verb
from tidemill.domain.ports import Answer, Clock, JobQueue, JobReader, JobStore, Send


@dataclass(frozen=True, slots=True)
class Revived:
    """What became of some jobs: the answers for those whose message SQS has, and those that can't be sent.

    Attributes:
        without_arguments: nothing stores what they would say.
        without_lane: the stack has no lane of the name that they were accepted for.
    """

    sent: tuple[Answer, ...]
    without_arguments: tuple[Job, ...]
    without_lane: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Reviver:
    """Sends jobs of all lanes. Any number of them may do so at once: a copy too many finds the job claimed."""

    store: JobStore
    reader: JobReader
    queue: JobQueue
    clock: Clock
    random: Random

    def revive(self, jobs: Sequence[Job]) -> Revived:
        """Send each job, which is due within `limits.SWEEP_AHEAD`, and mark it.

        Sent first, marked after: a crash in between sends once more. The message is delayed to the due time, so that
        jobs start to the second. One that SQS did not take is still the table's, and the next sweep's.

        Raises:
            UnavailableError: the arguments of one could not be read.
        """
        answers: list[Answer] = []
        without: list[Job] = []
        # One that was left behind must not keep those of the other lanes waiting.
        homeless = tuple(job for job in jobs if not self.queue.has_lane(job.lane))
        able = [job for job in jobs if job not in homeless]
        for lane in dict.fromkeys(job.lane for job in able):
            found = [(job, self._send_of(job)) for job in able if job.lane == lane]
            without += [job for job, send in found if send is None]
            mine = [(job, send) for job, send in found if send is not None]
            for (job, _), error in zip(mine, self.queue.send(lane, [send for _, send in mine]), strict=True):
                if error is None:
                    after = revived(job, max(job.claimable_at or 0, self.clock.now_ms()))
                    answers.append(self.store.move(Verb.REVIVE, job, after))
        return Revived(tuple(answers), tuple(without), homeless)

    def is_near(self, job: Job) -> bool:
        """Whether the job is due before a sweep is sure to have sent it."""
        return (job.claimable_at or 0) <= self.clock.now_ms() + milliseconds(limits.SWEEP_AHEAD)

    def _send_of(self, job: Job) -> Send | None:
        envelope = self._envelope_of(job)
        if envelope is None:
            return None
        now_ms = self.clock.now_ms()
        fresh = envelope.resend(time_ordered_id(now_ms, self.random.getrandbits(74)))
        return Send(fresh, -(-max((job.claimable_at or 0) - now_ms, 0) // 1000))

    def _envelope_of(self, job: Job) -> Envelope | None:
        try:
            return self.reader.envelope_of(job)
        except IntegrityError:
            # One damaged item must not keep all other jobs waiting.
            return None
