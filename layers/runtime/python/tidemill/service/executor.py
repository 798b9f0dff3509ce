"""One batch from delivery to settlement: receive, claim, perform, decide, record, settle.

Nothing here knows Lambda or SQS. The caller runs `begin`, then `perform` once for each message (from as
many threads as it likes), then `finish`, which answers the messages that must stay on the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from tidemill.domain import limits
from tidemill.domain.decide import decide
from tidemill.domain.duration import milliseconds
from tidemill.domain.job import JobRef
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Attempt, Untouched
from tidemill.domain.ports import Clock, Conclusion, JobQueue, JobStore, Refused, Telemetry, Written
from tidemill.domain.registry import JobRegistry
from tidemill.domain.settle import ACK, LEAVE, Ack, Hold, Settlement, settle, settle_fenced_out
from tidemill.service.claiming import Claimed, Claiming
from tidemill.service.intake import Intake
from tidemill.service.performing import EventLoopThread, Performer
from tidemill.service.reception import Enveloped, Foreign, Unreadable, receive
from tidemill.service.reporting import report_batch


@dataclass
class Batch:
    """What is known of one batch so far, by message id."""

    deliveries: Sequence[Delivery]
    performer: Performer
    lease_until: int
    claimed: dict[str, Claimed] = field(default_factory=dict)
    # Claimed and not yet started: SQS may hand out one message twice in a batch.
    startable: dict[str, Claimed] = field(default_factory=dict)
    attempts: dict[str, Attempt] = field(default_factory=dict)
    settlements: dict[str, Settlement] = field(default_factory=dict)
    # Copies of a job that is in this batch already: message id -> the copy that was claimed.
    copies: dict[str, str] = field(default_factory=dict)

    def give_back(self, message_id: str) -> None:
        """Leave the message's job untouched, if it has not been started."""
        if self.startable.pop(message_id, None) is not None:
            self.attempts[message_id] = Untouched()

    def perform(self, message_id: str) -> None:
        """Run the message's job, if it has one to run."""
        claimed = self.startable.pop(message_id, None)
        if claimed is not None:
            self.attempts[message_id] = self.performer.perform(claimed)


@dataclass(frozen=True, slots=True)
class Executor:
    """The engine of one lane's worker."""

    registry: JobRegistry
    store: JobStore
    queue: JobQueue
    intake: Intake
    lane: str
    clock: Clock
    random: Random
    telemetry: Telemetry
    loop: EventLoopThread = field(default_factory=EventLoopThread)

    def begin(self, deliveries: Sequence[Delivery], request_id: str, deadline_ms: int) -> Batch:
        """Read and claim everything; settle what is not to run.

        Arguments:
            request_id: unique for this invocation; part of the lease holder's name.
            deadline_ms: when the function is ended from outside, Unix milliseconds.
        """
        lease_until = deadline_ms + milliseconds(limits.CLOCK_SKEW)
        batch = Batch(deliveries, Performer(self.registry, self.clock, deadline_ms, self.loop), lease_until)
        enveloped: list[Enveloped] = []
        others: list[Foreign | Unreadable] = []
        for received in receive(deliveries):
            match received:
                case Foreign() | Unreadable():
                    others.append(received)
                case Enveloped():
                    enveloped.append(received)
        batch.settlements.update(self.intake.admit(others, request_id))
        while enveloped:
            enveloped = self._claim_one_of_each(batch, enveloped, request_id)
        return batch

    def finish(self, batch: Batch) -> list[str]:
        """Record every outcome, set visibilities, and answer the ids of the messages that stay."""
        now_ms = self.clock.now_ms()
        # A copy: a job that overran may still end in its thread while the others are recorded.
        ended = tuple(batch.attempts)
        conclusions = {message_id: self._conclusion(batch, message_id, now_ms) for message_id in ended}
        answers = self.store.conclude(list(conclusions.values())) if conclusions else []
        for (message_id, conclusion), answer in zip(conclusions.items(), answers, strict=True):
            match answer:
                case Written():
                    batch.settlements[message_id] = settle(conclusion.verdict)
                case Refused(job=job):
                    batch.settlements[message_id] = settle_fenced_out(job)
                case _:
                    batch.settlements[message_id] = LEAVE
        for copy, original in batch.copies.items():
            settled = batch.settlements.get(original, LEAVE)
            batch.settlements[copy] = ACK if isinstance(settled, Ack) else LEAVE
        report_batch(self.telemetry, batch.deliveries, list(zip(conclusions.values(), answers, strict=True)))
        return self._settle(batch, now_ms)

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
        now_ms = self.clock.now_ms()
        claiming = Claiming(self.store, self.lane, request_id, now_ms, batch.lease_until)
        receipts: list[str] = []
        for outcome in claiming.claim(enveloped):
            message_id = outcome.received.delivery.message_id
            if isinstance(outcome, Claimed):
                batch.claimed[message_id] = batch.startable[message_id] = outcome
                receipts.append(outcome.received.delivery.receipt)
            else:
                batch.settlements[message_id] = outcome.settlement
                self.telemetry.note("not_claimed", job_id=outcome.received.envelope.ref.id, cause=outcome.cause)
        # A worker that dies is found when its lease has ended, not six function timeouts later.
        visible_again = Hold(batch.lease_until + milliseconds(limits.SHORT_HOLD)).seconds_from(now_ms)
        if receipts:
            self.queue.hide(self.lane, [(receipt, visible_again) for receipt in receipts])

    def _conclusion(self, batch: Batch, message_id: str, now_ms: int) -> Conclusion:
        claimed = batch.claimed[message_id]
        policy = batch.performer.policy(claimed.job.kind)
        verdict = decide(
            claimed.job,
            batch.attempts[message_id],
            retry=policy.retry,
            retention=policy.retention,
            receives=claimed.received.delivery.receives,
            now_ms=now_ms,
            random=self.random.random,
        )
        return Conclusion(claimed.job, verdict, claimed.received.envelope, now_ms)

    def _settle(self, batch: Batch, now_ms: int) -> list[str]:
        staying: list[str] = []
        holds: list[tuple[str, int]] = []
        for delivery in batch.deliveries:
            # A claimed job that was never performed keeps its lease; so does its message.
            settlement = batch.settlements.get(delivery.message_id, LEAVE)
            if isinstance(settlement, Ack):
                continue
            staying.append(delivery.message_id)
            if settlement.until is not None:
                holds.append((delivery.receipt, settlement.seconds_from(now_ms)))
        if holds:
            self.queue.hide(self.lane, holds)
        return staying
