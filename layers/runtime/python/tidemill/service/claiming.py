"""Claiming a whole batch: one conditional write a job, and what to do where it was refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.decide import Waits
from tidemill.domain.duration import milliseconds
from tidemill.domain.ids import milliseconds_of
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.memory import forgotten_by_rerun
from tidemill.domain.moving import shelved
from tidemill.domain.ports import Answer, Claim, JobStore, Refused, Unwritten, Written
from tidemill.domain.settle import ACK, LEAVE, TO_DLQ, UNASKED, Hold, Mine, Revival, Settlement, Shelve, settle_refused
from tidemill.service.reception import Enveloped, owner_of


@dataclass(frozen=True, slots=True)
class Claimed:
    """The job is ours to run."""

    received: Enveloped
    job: Job


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """The job is not ours; the message is settled so."""

    received: Enveloped
    settlement: Settlement
    cause: str
    # The record that stood in the way, if there is one.
    job: Job | None = None


ClaimOutcome: TypeAlias = Claimed | NotClaimed


@dataclass(frozen=True, slots=True)
class Claiming:
    """One batch's attempt to become the holder of its jobs. Times are Unix milliseconds.

    Arguments:
        lane: the lane whose worker claims.
        request_id: this invocation's id.
        lease_of: when the lease of a claim ends: at the function's deadline or a heartbeat, and the margin for clocks.
    """

    store: JobStore
    lane: str
    request_id: str
    now_ms: int
    lease_of: Callable[[Enveloped], int]

    def claim(self, batch: Sequence[Enveloped]) -> list[ClaimOutcome]:
        """Claim each job, in one store call where all goes well."""
        answers = self.store.claim([self._request(received) for received in batch])
        absent = [i for i, answer in enumerate(answers) if isinstance(answer, Refused) and answer.job is None]
        outcomes = [self._outcome(received, answer) for received, answer in zip(batch, answers, strict=True)]
        for index, outcome in zip(absent, self._claim_by_insert([batch[i] for i in absent]), strict=True):
            outcomes[index] = outcome
        return outcomes

    def _request(self, received: Enveloped) -> Claim:
        return Claim(
            ref=received.envelope.ref,
            fingerprint=received.envelope.fingerprint,
            owner=owner_of(self.request_id, received.delivery),
            held=received.held,
            now_ms=self.now_ms,
            lease_until=self.lease_of(received),
            # From now, not from its send: no message that can still come back was sent later, so that a claim
            # never shortens what another send needs.
            ttl_s=message_ttl_s(self.now_ms),
        )

    def _outcome(self, received: Enveloped, answer: Answer) -> ClaimOutcome:
        match answer:
            case Written(job=job, before=before):
                return self._held_before(received, job, before)
            case Unwritten():
                return NotClaimed(received, UNASKED, "store_unavailable")
            case Refused(job=Job() as job):
                return self._refused(received, job)
            case Refused():
                return NotClaimed(received, LEAVE, "no_record")

    def _held_before(self, received: Enveloped, job: Job, before: Job | None) -> ClaimOutcome:
        """Start a new generation of a job that crashed out and was put back by an operator.

        Otherwise the crash limit would swallow the redrive.
        """
        if before is None or before.held is None or job.crashes < limits.MAX_CRASHES:
            return Claimed(received, job)
        if not received.held.is_redrive_of(before.held):
            return Claimed(received, job)
        return self._revive(received, job, Verb.REDRIVE)

    def _refused(self, received: Enveloped, job: Job) -> ClaimOutcome:
        envelope = received.envelope
        answer = settle_refused(
            job,
            received.held,
            generation=envelope.generation,
            fingerprint=envelope.fingerprint,
            owner=owner_of(self.request_id, received.delivery),
            now_ms=self.now_ms,
            waits=Waits(received.delivery.receives),
        )
        match answer:
            case Mine():
                return Claimed(received, job)
            case Shelve():
                return self._shelve(received, job)
            case Revival():
                return self._revive(received, job, Verb(answer))
            case _:
                return NotClaimed(received, answer, f"job_{job.state}", job)

    def _shelve(self, received: Enveloped, job: Job) -> NotClaimed:
        """Let the table have the postponed job; in this order nothing is lost whatever crashes."""
        after = shelved(job, job.claimable_at or 0)
        (error,) = self.store.keep([received.envelope], [after.ttl_s])
        if error is not None:
            return NotClaimed(received, UNASKED, "store_unavailable")
        match self.store.move(Verb.SHELVE, job, after):
            case Written(job=waiting):
                return NotClaimed(received, ACK, "job_postponed", waiting)
            case Unwritten():
                return NotClaimed(received, UNASKED, "store_unavailable")
            case Refused():
                # Moved or cancelled meanwhile; the next receive sees what it is then.
                return NotClaimed(received, Hold(self.now_ms + milliseconds(limits.SHORT_HOLD)), "job_moved")

    def _revive(self, received: Enveloped, job: Job, verb: Verb) -> ClaimOutcome:
        request = self._request(received)
        regenerated = job.regenerated(request.owner, request.held, self.now_ms, request.lease_until, request.ttl_s)
        # Where a rerun runs and until when it may start are its message's to say. A redriven job did start in
        # its time, or it would have expired; now it runs because an operator wants it to.
        expires_at = received.envelope.expires_at if verb is Verb.RERUN else None
        after = replace(regenerated, lane=self.lane, expires_at=expires_at)
        forget = forgotten_by_rerun(job) if verb is Verb.RERUN else None
        match self.store.move(verb, job, after, forget=forget):
            case Written(job=revived):
                return Claimed(received, revived)
            case Unwritten():
                return NotClaimed(received, UNASKED, "store_unavailable")
            case Refused():
                # Somebody else moved it first; the next receive sees what they made of it.
                return NotClaimed(received, Hold(self.now_ms + milliseconds(limits.SHORT_HOLD)), "revival_lost")

    def _claim_by_insert(self, batch: Sequence[Enveloped]) -> list[ClaimOutcome]:
        """The worker was faster than the submitter's record: the claim creates it."""
        fresh = [received for received in batch if not self._is_past_horizon(received)]
        answers = iter(self.store.insert([self._new_record(received) for received in fresh]) if fresh else ())
        return [
            NotClaimed(received, TO_DLQ, "past_horizon")
            if self._is_past_horizon(received)
            else self._inserted(received, next(answers))
            for received in batch
        ]

    def _inserted(self, received: Enveloped, answer: Answer) -> ClaimOutcome:
        match answer:
            case Written(job=job):
                return Claimed(received, job)
            case Refused(job=Job() as job):
                # The record came in between: mostly the submitter's, claimable by the next receive.
                return self._refused(received, job)
            case Unwritten():
                return NotClaimed(received, UNASKED, "store_unavailable")
            case Refused():
                return NotClaimed(received, Hold(self.now_ms + milliseconds(limits.SHORT_HOLD)), "insert_lost")

    def _is_past_horizon(self, received: Enveloped) -> bool:
        # Its record may have been garbage collected: running it again could repeat a finished job.
        age = self.now_ms - milliseconds_of(received.envelope.send_id)
        return age > milliseconds(limits.STATE_HORIZON) - milliseconds(limits.CLOCK_SKEW)

    def _new_record(self, received: Enveloped) -> Job:
        request = self._request(received)
        queued = received.envelope.record(self.lane, State.QUEUED, request.ttl_s)
        return queued.claimed(request.owner, request.held, self.now_ms, request.lease_until, request.ttl_s)
