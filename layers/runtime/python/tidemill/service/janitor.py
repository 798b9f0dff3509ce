"""What happens every minute: parked jobs that fall due are sent, and deaths nobody saw are recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s, reported_dead, revived
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError, IntegrityError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb, allows
from tidemill.domain.ports import Clock, DeadLetterQueue, JobQueue, JobReader, JobStore, Send, Telemetry, Written
from tidemill.domain.registry import JobRegistry
from tidemill.service.reception import Enveloped, receive

# Jobs sent in one run, and DLQ messages looked at per lane: what a minute's run surely finishes.
_SWEEP_JOBS: Final = 5_000
_CENSUS_MESSAGES: Final = 100
# A death is reported only this long after the job could last have been claimed: another copy of its
# message may be on the way to a worker.
_CENSUS_PATIENCE_MS: Final = 2 * milliseconds(limits.SWEEP_PERIOD)


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

    def sweep(self) -> int:
        """Send every parked job that falls due within two minutes; answers how many were sent.

        Sent first, marked after: a crash in between sends once more, and the second copy finds the
        job claimed. The message is delayed to the due time, so that jobs start to the second.
        """
        until = self.clock.now_ms() + milliseconds(limits.SWEEP_AHEAD)
        sent, cursor = 0, None
        while sent < _SWEEP_JOBS:
            page = self.reader.due(until, limits.MAX_PAGE, cursor)
            sent += self._send(page.jobs)
            cursor = page.cursor
            if cursor is None:
                break
        self.telemetry.count("JobsRevived", sent)
        return sent

    def census(self) -> int:
        """Record the deaths that only the DLQs know of; answers how many.

        SQS moves a message after its last receive even if no worker lived to see it (throttles, crashes).
        """
        found = 0
        for lane in self.lanes:
            depth = self.dead_letters.depth(lane)
            if depth:
                messages = receive(self.dead_letters.peek(lane, min(depth, _CENSUS_MESSAGES)))
                found += sum(self._report(lane, message) for message in messages if isinstance(message, Enveloped))
        self.telemetry.count("DeathsReported", found)
        return found

    def _send(self, jobs: Sequence[Job]) -> int:
        # The index may lag behind the records.
        due = [job for job in jobs if job.state is State.SCHEDULED]
        sent = 0
        for lane in dict.fromkeys(job.lane for job in due):
            mine = [(job, send) for job in due if job.lane == lane and (send := self._send_of(job)) is not None]
            for (job, _), error in zip(mine, self.queue.send(lane, [send for _, send in mine]), strict=True):
                if error is None:
                    self.store.move(Verb.REVIVE, job, revived(job, job.claimable_at or 0))
                    sent += 1
        return sent

    def _send_of(self, job: Job) -> Send | None:
        envelope = self._envelope_of(job)
        if envelope is None:
            self.telemetry.alert("parked_without_arguments", job_id=job.ref.id, tenant=job.ref.tenant)
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

    def _report(self, lane: str, message: Enveloped) -> bool:
        job = self.reader.find([message.envelope.ref])[0] or self._record_unseen(lane, message)
        if job is None or not self._died_unseen(job, message):
            return False
        now_ms = self.clock.now_ms()
        dead = reported_dead(job, message.held, now_ms, now_ms + self._keep(job))
        # No dead job without its arguments: the next census tries again.
        if self.store.keep([message.envelope], [dead.ttl_s])[0] is not None:
            return False
        written = isinstance(self.store.move(Verb.REPORT_DEAD, job, dead), Written)
        if written:
            self.telemetry.alert("death_reported", job_id=job.ref.id, kind=job.kind, reason=dead.reason)
        return written

    def _died_unseen(self, job: Job, message: Enveloped) -> bool:
        if not allows(Verb.REPORT_DEAD, job.state) or job.state is State.SCHEDULED:
            return False
        if job.fingerprint != message.envelope.fingerprint:
            return False
        if not _is_awaited(job, message):
            return False
        last_chance = max(job.claimable_at or 0, message.delivery.sent_at)
        return last_chance + _CENSUS_PATIENCE_MS < self.clock.now_ms()

    def _record_unseen(self, lane: str, message: Enveloped) -> Job | None:
        """A job whose submitter crashed before it wrote the record, and which no worker claimed."""
        record = message.envelope.record(lane, State.QUEUED, message_ttl_s(message.delivery.sent_at))
        answer = self.store.insert([record])[0]
        return answer.job if isinstance(answer, Written) else None

    def _keep(self, job: Job) -> int:
        try:
            return milliseconds(self.registry.resolve(job.kind).retention.dead)
        except InputError:
            return milliseconds(Retention().dead)


def _is_awaited(job: Job, message: Enveloped) -> bool:
    """Whether the job waits for this very message, and not for another copy of it."""
    if job.held is None:
        return True
    if job.state is State.QUEUED:
        # Sent anew by a sweep, or as a rerun: what the record holds is the send before, which may be in the DLQ too.
        return message.delivery.sent_at > job.held.sent_at
    return message.envelope.send_id == job.held.send_id
