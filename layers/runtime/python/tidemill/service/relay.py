"""Sending what was committed: sent first, removed after.

A crash in between sends once more. A job that is sent twice is one job, as a submit that is repeated is; a fact that is
published twice has one id, by which its subscribers know it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.outbox import Outbound, OutboundFact, OutboundJob
from tidemill.domain.ports import EventBus, Outbox, Telemetry
from tidemill.service.submission import Order
from tidemill.service.submitter import Receipt, SubmitResult, Submitter


@dataclass(frozen=True, slots=True)
class Relay:
    """Sends jobs to their lanes and facts to the bus. Any number of them may do so at once.

    Arguments:
        lanes: those that are deployed. `bus`: None where the program has no events.
    """

    outbox: Outbox
    lanes: Collection[str]
    bus: EventBus | None
    submitter: Submitter
    telemetry: Telemetry | None = None

    def relay(self, outbounds: Sequence[Outbound]) -> list[bool]:
        """Send each of these and remove what was sent; whether it was, in the order given. Never raises for one.

        What was sent and could not be removed counts as sent: whoever finds it sends it once more.
        """
        sent: dict[int, bool] = {}
        jobs = {i: one for i, one in enumerate(outbounds) if isinstance(one, OutboundJob)}
        facts = {i: one for i, one in enumerate(outbounds) if isinstance(one, OutboundFact)}
        sent.update(zip(jobs, self._submit(list(jobs.values())), strict=True))
        sent.update(zip(facts, self._publish(list(facts.values())), strict=True))
        done = [one for i, one in enumerate(outbounds) if sent[i]]
        if done:
            self.outbox.remove(done)
            self._count("OutboxSent", len(done))
        return [sent[i] for i in range(len(outbounds))]

    def _submit(self, jobs: Sequence[OutboundJob]) -> list[bool]:
        orders = [self._order(job) for job in jobs]
        results: list[SubmitResult]
        try:
            results = self.submitter.accept(orders) if orders else []
        except UnavailableError as error:
            # The look at their records failed: the facts beside them are published all the same.
            results = [error] * len(jobs)
        return [self._is_accepted(job, result) for job, result in zip(jobs, results, strict=True)]

    def _order(self, job: OutboundJob) -> Order | TidemillError:
        """The submit that was committed, as it would be made now."""
        envelope = job.envelope
        if job.lane not in self.lanes:
            # A lane that newer code has, or that was taken out.
            return UnavailableError("relay", "UnknownLane")
        try:
            stored = envelope.stored
            args = envelope.args if stored is None else self.submitter.payloads.get(envelope.ref, stored)
        except TidemillError as error:
            return error if isinstance(error, UnavailableError) else UnavailableError("relay", error.code)
        now_ms = self.submitter.clock.now_ms()
        return Order(
            envelope.resend(time_ordered_id(now_ms, self.submitter.random.getrandbits(74))),
            job.lane,
            max(now_ms, envelope.not_before or 0),
            # Somebody else may have sent it.
            is_repeatable=True,
            # A job that ended after it was committed is not run again because it is sent again.
            asked_at=envelope.submitted_at,
            args=args,
            on_final=job.on_final,
            durable_args=job.durable_args,
        )

    def _is_accepted(self, job: OutboundJob, result: SubmitResult) -> bool:
        if isinstance(result, Receipt):
            return True
        if isinstance(result, UnavailableError):
            self._alert("outbox_not_sent", job_id=job.ref.id, tenant=job.ref.tenant, cause=result.cause)
            return False
        # Its key belongs to another job. Its caller can't be told any more; whoever asks for the key gets that job.
        self._alert("outbox_refused", job_id=job.ref.id, tenant=job.ref.tenant, cause=result.code)
        self._count("OutboxRefused", 1)
        return True

    def _publish(self, facts: Sequence[OutboundFact]) -> list[bool]:
        if not facts:
            return []
        if self.bus is None:
            self._alert("outbox_without_bus", facts=len(facts))
            return [False] * len(facts)
        errors = self.bus.publish(facts)
        for fact, error in zip(facts, errors, strict=True):
            if error is not None:
                self._alert("outbox_not_sent", fact_id=fact.id, tenant=fact.tenant, cause=error.cause)
        return [error is None for error in errors]

    def _alert(self, event: str, **fields: object) -> None:
        if self.telemetry is not None:
            self.telemetry.alert(event, **fields)

    def _count(self, name: str, value: int) -> None:
        if self.telemetry is not None:
            self.telemetry.count(name, value)


def still_standing(outbox: Outbox, outbounds: Sequence[Outbound]) -> list[bool]:
    """Which of these nobody has sent meanwhile. What AWS does not say stands: it is sent once more at the worst."""
    try:
        return outbox.standing(outbounds)
    except UnavailableError:
        return [True] * len(outbounds)
