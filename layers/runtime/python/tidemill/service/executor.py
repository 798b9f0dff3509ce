"""One batch from delivery to settlement: receive, claim, perform, decide, record, settle.

Nothing here knows Lambda or SQS. The caller runs `begin`, then performs the jobs of `batch.together` (from as
many threads as it likes, calling `batch.tend` meanwhile), then the one that `isolate` names, then `finish`, which
answers the messages that must stay on the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from tidemill.domain import limits
from tidemill.domain.decide import Waits, decide
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Complete
from tidemill.domain.ports import Answer, Conclusion, JobQueue, Unwritten, Written
from tidemill.domain.settle import ACK, LEAVE, UNASKED, Ack, Hold, Settlement, Unasked, settle, settle_fenced_out
from tidemill.service.announcing import DeathAnnouncer, EndAnnouncer
from tidemill.service.batch import Batch
from tidemill.service.claiming import Claimed, Claiming
from tidemill.service.intake import Intake
from tidemill.service.obligations import Met
from tidemill.service.performing import Performer
from tidemill.service.reception import Enveloped, Foreign, Unreadable, receive
from tidemill.service.reporting import report_batch, report_outcomes
from tidemill.service.stopping import conclude
from tidemill.service.surroundings import Surroundings
from tidemill.service.upgrading import leave_newer


@dataclass(frozen=True, slots=True)
class Executor:
    """The engine of one lane's worker.

    Arguments:
        sleep: waits so many seconds.
    """

    around: Surroundings
    queue: JobQueue
    intake: Intake
    lane: str
    random: Random
    sleep: Callable[[float], object] = field(kw_only=True)

    def begin(self, deliveries: Sequence[Delivery], request_id: str, deadline_ms: int) -> Batch:
        """Read and claim everything; settle what is not to run.

        Arguments:
            request_id: unique for this invocation; part of the lease holder's name.
            deadline_ms: when the function is ended from outside, Unix milliseconds.
        """
        batch = Batch(deliveries, Performer(self.around, deadline_ms))
        enveloped: list[Enveloped] = []
        others: list[Foreign | Unreadable] = []
        for received in receive(deliveries):
            match received:
                case Foreign() | Unreadable():
                    others.append(received)
                case Enveloped():
                    enveloped.append(received)
        # First of all: a worker that dies from here on is found when its lease has ended, not six function
        # timeouts later.
        self._hide(batch, enveloped)
        batch.settlements.update(self.intake.admit(others))
        left = leave_newer(enveloped, self.around.registry, self.lane, self.around.clock, self.around.telemetry)
        batch.settlements.update(left)
        enveloped = [received for received in enveloped if received.delivery.message_id not in left]
        while enveloped:
            enveloped = self._claim_one_of_each(batch, enveloped, request_id)
        return batch

    def isolate(self, batch: Batch) -> str | None:
        """The message of the one suspect that may run now, alone; None if there is none.

        Whatever else ended is recorded and settled first, and the other suspects are given back: if this one
        takes the process with it, nothing but itself is lost.
        """
        suspects = batch.suspects
        if not suspects:
            return None
        for place, message_id in enumerate(suspects[1:], 1):
            batch.give_back(message_id, place)
        if len(batch.deliveries) > 1:
            self._record(batch)
            self._let_go(batch)
        return suspects[0]

    def finish(self, batch: Batch) -> list[str]:
        """Record every outcome, set visibilities, and answer the ids of the messages that stay."""
        self._record_in_time(batch)
        report_batch(self.around.telemetry, len(batch.deliveries), batch.outcomes)
        for copy, original in batch.copies.items():
            settled = batch.settlements.get(original, LEAVE)
            batch.settlements[copy] = ACK if isinstance(settled, Ack) else LEAVE
        self._settle(batch)
        if batch.left_behind:
            # The process is about to end, and with it the answer that would have deleted them.
            self.around.telemetry.alert("jobs_left_behind", messages=list(batch.left_behind))
            self._delete_done(batch)
        return [delivery.message_id for delivery in batch.deliveries if not self._is_done(batch, delivery)]

    # --- claiming ---------------------------------------------------------------------------------

    def _hide(self, batch: Batch, enveloped: Sequence[Enveloped]) -> None:
        now_ms = self.around.clock.now_ms()
        holds = {
            received.delivery.receipt: Hold(
                self._lease_until(batch, received, now_ms) + milliseconds(limits.SHORT_HOLD)
            ).seconds_from(now_ms)
            for received in enveloped
        }
        if holds:
            self.queue.hide(self.lane, list(holds.items()))

    def _lease_until(self, batch: Batch, received: Enveloped, now_ms: int) -> int:
        """When the lease of a claim ends: with the function, or sooner if the kind promises a heartbeat."""
        ends = batch.performer.deadline_ms
        try:
            heartbeat = self.around.registry.resolve(received.envelope.kind).heartbeat
        except InputError:
            heartbeat = None
        if heartbeat is not None:
            ends = min(ends, now_ms + milliseconds(heartbeat))
        return ends + milliseconds(limits.CLOCK_SKEW)

    def _claim_one_of_each(self, batch: Batch, enveloped: list[Enveloped], request_id: str) -> list[Enveloped]:
        """Claim each job by its first message; answer the other messages of the jobs that were not claimed.

        Why one message was refused need not hold for another: it may have other arguments, or be a rerun.
        """
        first: dict[JobRef, Enveloped] = {}
        copies = [
            received for received in enveloped if first.setdefault(received.envelope.ref, received) is not received
        ]
        self._claim(batch, list(first.values()), request_id)
        again: list[Enveloped] = []
        for copy in copies:
            original = first[copy.envelope.ref].delivery.message_id
            if original not in batch.claimed:
                again.append(copy)
            elif copy.delivery.message_id != original:
                batch.copies[copy.delivery.message_id] = original
        return again

    def _claim(self, batch: Batch, enveloped: list[Enveloped], request_id: str) -> None:
        now_ms = self.around.clock.now_ms()
        claiming = Claiming(
            self.around.store,
            self.lane,
            request_id,
            now_ms,
            lambda received: self._lease_until(batch, received, now_ms),
        )
        met: dict[str, Met] = {}
        for outcome in claiming.claim(enveloped):
            message_id, envelope = outcome.received.delivery.message_id, outcome.received.envelope
            if isinstance(outcome, Claimed):
                batch.claimed[message_id] = batch.startable[message_id] = outcome
            else:
                met[message_id] = Met(outcome.job, envelope, outcome.settlement)
                self.around.telemetry.note("not_claimed", job_id=envelope.ref.id, cause=outcome.cause)
        self._fulfil(batch, met)

    def _fulfil(self, batch: Batch, met: Mapping[str, Met]) -> None:
        """Do what jobs that are over owe; then their messages can be settled."""
        batch.settlements.update(zip(met, self.around.obligations.settled(list(met.values())), strict=True))

    # --- recording --------------------------------------------------------------------------------

    def _record_in_time(self, batch: Batch) -> None:
        """Record every outcome; while there is time, what the table does not take is written again.

        Unwritten, it would count as a crash, and a job that ended well would run again.
        """
        until_ms = batch.performer.deadline_ms - milliseconds(limits.SETTLING_TIME)
        for wait_s in self._pauses():
            self._record(batch)
            if not batch.unrecorded() or self.around.clock.now_ms() + int(wait_s * 1000) > until_ms:
                break
            # Nothing of the others is left to do, whatever becomes of this process meanwhile.
            self._let_go(batch)
            self.sleep(wait_s)
        unwritten = batch.unrecorded()
        batch.settlements.update(dict.fromkeys(unwritten, UNASKED))
        self._report(batch, [(batch.conclusions[one], batch.unwritten[one]) for one in unwritten])

    def _pauses(self) -> Iterator[float]:
        wait = limits.RECORD_AGAIN
        while True:
            yield wait.total_seconds() * (0.5 + self.random.random() / 2)
            wait = min(wait * 2, limits.MAX_RECORD_AGAIN)

    def _record(self, batch: Batch) -> None:
        """Record what can be recorded now."""
        now_ms = self.around.clock.now_ms()
        waiting = batch.unrecorded()
        for message_id in waiting:
            # One that is written again is the same one: its first try may have been done.
            if message_id not in batch.conclusions:
                batch.conclusions[message_id] = self._conclusion(batch, message_id, now_ms)
        conclusions = [batch.conclusions[message_id] for message_id in waiting]
        ended = conclude(self.around.store, conclusions)
        concluded: list[tuple[Conclusion, Answer]] = []
        met: dict[str, Met] = {}
        for message_id, (conclusion, answer) in zip(waiting, ended, strict=True):
            batch.conclusions[message_id] = conclusion
            if isinstance(answer, Unwritten):
                batch.unwritten[message_id] = answer
                continue
            batch.recorded.add(message_id)
            concluded.append((conclusion, answer))
            settlement = settle(conclusion.verdict) if isinstance(answer, Written) else settle_fenced_out(answer.job)
            envelope = batch.claimed[message_id].received.envelope
            met[message_id] = Met(answer.job, envelope, settlement)
        self._fulfil(batch, met)
        self._report(batch, concluded)
        self._discard([conclusion for conclusion, answer in concluded if isinstance(answer, Written)])

    def _report(self, batch: Batch, concluded: Sequence[tuple[Conclusion, Answer]]) -> None:
        batch.outcomes.update(report_outcomes(self.around.telemetry, concluded))

    def _discard(self, recorded: Sequence[Conclusion]) -> None:
        """Delete the stored arguments of jobs that succeeded: no generation follows that could need them."""
        done = [
            (conclusion.job.ref, conclusion.envelope.stored)
            for conclusion in recorded
            if isinstance(conclusion.verdict, Complete)
            and conclusion.envelope is not None
            and conclusion.envelope.stored is not None
        ]
        if done:
            self.around.payloads.discard(done)

    def _conclusion(self, batch: Batch, message_id: str, now_ms: int) -> Conclusion:
        claimed, job = batch.claimed[message_id], batch.newest(message_id)
        policy = batch.performer.policy(job.kind)
        verdict = decide(
            job,
            batch.attempts[message_id],
            retry=policy.retry,
            retention=policy.retention,
            waits=self._waits(job, claimed.received.delivery, now_ms, heard=batch.has_heard(message_id)),
            now_ms=now_ms,
            random=self.random.random,
        )
        envelope = claimed.received.envelope
        notices = DeathAnnouncer(self.around.registry, self.random).of_verdict(job, verdict, now_ms, envelope)
        ended = EndAnnouncer(self.around.registry, self.around.stack).of_verdict(job, verdict, now_ms, envelope)
        told = batch.told(message_id, now_ms) if isinstance(verdict, Complete) else ()
        return Conclusion(job, verdict, envelope, now_ms, notices, self.around.code, (*told, *ended))

    def _waits(self, job: Job, delivery: Delivery, now_ms: int, *, heard: bool) -> Waits:
        age = timedelta(milliseconds=now_ms - delivery.sent_at)
        return Waits(delivery.receives, self._in_order, age, job.watched, unheard=job.cancel_asked and not heard)

    @property
    def _in_order(self) -> bool:
        lane = self.around.registry.lanes.get(self.lane)
        return lane is not None and lane.fifo

    # --- settling ---------------------------------------------------------------------------------

    def _let_go(self, batch: Batch) -> None:
        self._settle(batch)
        self._delete_done(batch)

    def _settle(self, batch: Batch) -> None:
        """Set the visibility of every message whose settlement is known by now, once."""
        now_ms = self.around.clock.now_ms()
        lease_until = batch.performer.deadline_ms + milliseconds(limits.CLOCK_SKEW)
        holds: list[tuple[str, int]] = []
        for delivery in batch.deliveries:
            settlement = batch.settlements.get(delivery.message_id)
            if settlement is None or delivery.message_id in batch.settled:
                continue
            batch.settled.add(delivery.message_id)
            if isinstance(settlement, Unasked):
                settlement = settlement.hold(delivery.receives, lease_until, now_ms, in_order=self._in_order)
            if isinstance(settlement, Hold) and settlement.until is not None:
                holds.append((delivery.receipt, settlement.seconds_from(now_ms)))
        if holds:
            self.queue.hide(self.lane, holds)

    def _delete_done(self, batch: Batch) -> None:
        done = [delivery.receipt for delivery in batch.deliveries if self._is_done(batch, delivery)]
        if done:
            self.queue.delete(self.lane, done)

    def _is_done(self, batch: Batch, delivery: Delivery) -> bool:
        # A claimed job that was never performed keeps its lease; so does its message.
        settlement: Settlement = batch.settlements.get(delivery.message_id, LEAVE)
        return isinstance(settlement, Ack)
