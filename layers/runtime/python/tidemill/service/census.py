"""What only the DLQs know: deaths that nobody saw, jobs that need a new message, and copies that nobody needs.

SQS moves a message after its last receive even if no worker lived to see it (throttles, crashes, an outage), even if
a burst of duplicates used up its receives, and even if another copy of it has done the work meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s, reported_dead, rescued
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError
from tidemill.domain.failure import Failure, fingerprint
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb, allows
from tidemill.domain.ports import Clock, DeadLetterQueue, JobReader, JobStore, Telemetry, Written
from tidemill.domain.registry import JobRegistry
from tidemill.domain.settle import is_needless
from tidemill.service.announcing import DeathAnnouncer, EndAnnouncer
from tidemill.service.errands import Errands
from tidemill.service.expecting import awaited_in
from tidemill.service.reception import Enveloped, Foreign, Received, Unreadable, receive
from tidemill.service.refusal import Refusal, kind_of, refused_ref

# Messages of one DLQ that one census looks at: a few seconds of receives. SQS hands out a sample, another each time.
_MESSAGES: Final = 1_000
# A death is reported only this long after the job could last have been claimed: another copy of its
# message may be on the way to a worker.
_PATIENCE_MS: Final = 2 * milliseconds(limits.SWEEP_PERIOD)


@dataclass(frozen=True, slots=True)
class Census:
    """Compares the DLQs with the table, and records who is dead."""

    registry: JobRegistry
    store: JobStore
    reader: JobReader
    dead_letters: DeadLetterQueue
    lanes: tuple[str, ...]
    clock: Clock
    random: Random
    telemetry: Telemetry
    errands: Errands | None = None
    stack: str = ""

    def take(self, has_time: Callable[[], bool]) -> int:
        """Record the deaths nobody saw, lane by lane while `has_time`; answers how many."""
        found = 0
        for lane in self.lanes:
            depth = self.dead_letters.depth(lane) if has_time() else 0
            if depth:
                messages = receive(self.dead_letters.peek(lane, min(depth, _MESSAGES)))
                found += self._compare(lane, messages, has_time)
        self.telemetry.count("DeathsReported", found)
        return found

    def _compare(self, lane: str, messages: list[Received], has_time: Callable[[], bool]) -> int:
        records = self.reader.find([_ref(message) for message in messages])
        return self._treat(lane, list(zip(messages, records, strict=True)), has_time)

    def _treat(self, lane: str, found: list[tuple[Received, Job | None]], has_time: Callable[[], bool]) -> int:
        now_ms = self.clock.now_ms()
        self._discard(lane, [message for message, job in found if job is not None and _is_spare(message, job, now_ms)])
        return sum(self._report(lane, message, job) for message, job in found if has_time())

    def _discard(self, lane: str, spare: list[Received]) -> None:
        """Delete copies that would do no work if they were put back: they only call a person for nothing."""
        ids = {message.delivery.message_id for message in spare}
        if ids:
            gone = self.dead_letters.purge(lane, lambda delivery: delivery.message_id in ids, len(ids), _MESSAGES)
            self.telemetry.count("SpareLettersDiscarded", len(gone))

    def _report(self, lane: str, message: Received, job: Job | None) -> bool:
        if isinstance(message, Enveloped):
            return self._report_job(lane, message, job)
        # A message that was refused has its record; one that no worker ever read has none.
        return job is None and self._is_late(message.delivery.sent_at) and self._report_message(lane, message)

    def _report_job(self, lane: str, message: Enveloped, job: Job | None) -> bool:
        job = job or self._record_unseen(lane, message)
        if job is None or not self._died_unseen(job, message):
            return False
        if self._goes_on(lane, job):
            self._rescue(lane, message, job)
            return False
        now_ms = self.clock.now_ms()
        dead = reported_dead(job, message.held, now_ms, now_ms + self._keep(job))
        # No dead job without its arguments: the next census tries again.
        if self.store.keep([message.envelope], [dead.ttl_s])[0] is not None:
            return False
        notices = DeathAnnouncer(self.registry, self.random).of(dead, now_ms, message.envelope)
        ended = EndAnnouncer(self.registry, self.stack).of(dead, now_ms, message.envelope)
        written = isinstance(self.store.move(Verb.REPORT_DEAD, job, dead, notices, outbounds=ended), Written)
        if written:
            self.telemetry.alert("death_reported", job_id=job.ref.id, kind=job.kind, lane=lane, reason=dead.reason)
            self._tell(message, dead)
        return written

    def _tell(self, message: Enveloped, dead: Job) -> None:
        """Report the death to the saga that waits: no worker meets the message any more. Else it waits in vain."""
        if self.errands is not None and message.envelope.errand is not None:
            self.errands.tell([dead])

    def _goes_on(self, lane: str, job: Job) -> bool:
        """Whether a job that SQS gave up only waits for its next attempt. Sent anew in a FIFO lane it is overtaken."""
        return job.state is State.RETRYING and not self.registry.lanes[lane].fifo

    def _rescue(self, lane: str, message: Enveloped, job: Job) -> None:
        """Let the table send the job anew. The message that it waited for is needless then."""
        waiting = rescued(job, self.clock.now_ms())
        if self.store.keep([message.envelope], [waiting.ttl_s])[0] is not None:
            return
        if isinstance(self.store.move(Verb.RESCUE, job, waiting), Written):
            self.telemetry.count("JobsRescued")
            self.telemetry.alert("job_rescued", job_id=job.ref.id, kind=job.kind, lane=lane)

    def _report_message(self, lane: str, message: Foreign | Unreadable) -> bool:
        text = "no worker lived to read this message before SQS gave up on it"
        failure = Failure("NeverRan", text, "", fingerprint(kind_of(message), "NeverRan", "", ""))
        refusal = Refusal(message, "never_ran", failure, self.clock.now_ms())
        dead = refusal.record(lane)
        awaited = awaited_in(message) if self.errands is not None else None
        if self.errands is not None and awaited is not None and not self.errands.refuse(awaited, "never_ran", dead.ref):
            return False
        written = isinstance(self.store.refuse(dead, refusal.evidence), Written)
        if written:
            self.telemetry.alert("death_reported", job_id=dead.ref.id, kind=dead.kind, lane=lane, reason="never_ran")
        return written

    def _died_unseen(self, job: Job, message: Enveloped) -> bool:
        if not allows(Verb.REPORT_DEAD, job.state) or job.state is State.SCHEDULED:
            return False
        if job.fingerprint != message.envelope.fingerprint:
            return False
        if not (_is_awaited(job, message) or self._is_the_last(job)):
            return False
        return self._is_late(max(job.claimable_at or 0, message.delivery.sent_at))

    def _is_the_last(self, job: Job) -> bool:
        """Whether no copy of the job's message can come any more but those in the DLQ.

        Whoever claimed it may have had one that was deleted already, and nobody has sent it since: what was sent
        before is gone from its queue by now. One that was sent anew and waits for its first claim is not meant.
        """
        if job.state is State.QUEUED or job.started_at is None:
            return False
        return self._is_late(job.started_at + milliseconds(limits.SOURCE_RETENTION))

    def _is_late(self, last_chance: int) -> bool:
        return last_chance + _PATIENCE_MS < self.clock.now_ms()

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


def _ref(message: Received) -> JobRef:
    return message.envelope.ref if isinstance(message, Enveloped) else refused_ref(message)


def _is_spare(message: Received, job: Job, now_ms: int) -> bool:
    """Whether this message asks for nothing: its job is over without being dead, or goes on without it."""
    if not isinstance(message, Enveloped) or job.fingerprint != message.envelope.fingerprint:
        return False
    if not job.state.is_final:
        return is_needless(job, message.held, now_ms)
    if job.state is State.SUCCEEDED:
        return True
    return job.state in (State.CANCELLED, State.EXPIRED) and message.envelope.generation <= job.generation


def _is_awaited(job: Job, message: Enveloped) -> bool:
    """Whether the job waits for this very message, and not for another copy of it."""
    if job.held is None:
        return True
    if job.state is State.QUEUED:
        # Sent anew by a sweep, or as a rerun: what the record holds is the send before, which may be in the DLQ too,
        # where a FIFO queue gave it a new time.
        return message.envelope.send_id != job.held.send_id and message.delivery.sent_at > job.held.sent_at
    return message.envelope.send_id == job.held.send_id
