"""Messages that carry no job yet: plain ones are submitted, bad ones are recorded and go to the DLQ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from tidemill.domain.args import fingerprint_of
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, TidemillError, UnavailableError
from tidemill.domain.failure import refusal_of
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery, Held
from tidemill.domain.names import check_kind, check_tenant
from tidemill.domain.outcome import Bury
from tidemill.domain.ports import Clock, Conclusion, JobStore, Telemetry, Unwritten
from tidemill.domain.registry import JobRegistry
from tidemill.domain.settle import ACK, LEAVE, TO_DLQ, Settlement
from tidemill.service.reception import Foreign, Unreadable, owner_of
from tidemill.service.request import parse_request
from tidemill.service.submission import DEFAULT_TENANT, Submission
from tidemill.service.submitter import Receipt, SubmitResult, Submitter

# The kind in the record of a message whose own kind can't be read.
UNREADABLE_KIND: Final = "unreadable"


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns plain messages into jobs of the same lane, and refused ones into dead records with the reason."""

    registry: JobRegistry
    submitter: Submitter
    store: JobStore
    lane: str
    clock: Clock
    telemetry: Telemetry

    def admit(self, received: Foreign | Unreadable, request_id: str) -> Settlement:
        """Submit a plain message, or record why it can't be; answer what becomes of the message.

        A redelivery of the same message submits the same job again, which is then a repeat.
        """
        if isinstance(received, Unreadable):
            return self._refuse(received.delivery, received.document, received.error, request_id)
        result = self._submit(received)
        match result:
            case Receipt():
                return ACK
            case UnavailableError():
                return LEAVE
            case _:
                return self._refuse(received.delivery, received.document, result, request_id)

    def _submit(self, received: Foreign) -> SubmitResult:
        try:
            return self.submitter.submit([self._submission(received)])[0]
        except TidemillError as error:
            return error

    def _submission(self, received: Foreign) -> Submission:
        submission = parse_request(received.document, self.registry)
        if submission.lane is None:
            # The sender chose the lane by choosing the queue.
            submission = replace(submission, lane=self.lane)
        if submission.key is None and submission.job_id is None:
            return replace(
                submission, job_id=message_job_id(submission.tenant, submission.args.job_kind, received.delivery)
            )
        return submission

    def _refuse(self, delivery: Delivery, document: object, error: TidemillError, request_id: str) -> Settlement:
        """Write a dead record, so that the DLQ's message has its reason; then let SQS move the message."""
        inserted = self.store.insert([self._dead_record(delivery, document, request_id)])[0]
        # A record that is there and still runs is our own, from a receive that died before it concluded.
        if isinstance(inserted, Unwritten) or inserted.job is None:
            return LEAVE
        if inserted.job.state is State.RUNNING:
            self._bury(inserted.job, error)
            self.telemetry.count("MessagesRefused")
            self.telemetry.alert(
                "message_refused", message_id=delivery.message_id, job_id=inserted.job.ref.id, reason=error.code
            )
        return TO_DLQ

    def _bury(self, job: Job, error: TidemillError) -> None:
        now_ms = self.clock.now_ms()
        verdict = Bury(error.code, refusal_of(job.kind, error), now_ms + milliseconds(Retention().dead))
        self.store.conclude([Conclusion(job, verdict, None, now_ms)])

    def _dead_record(self, delivery: Delivery, document: object, request_id: str) -> Job:
        named: dict[str, Any] = document if isinstance(document, dict) else {}
        tenant = _checked(check_tenant, named.get("tenant"), DEFAULT_TENANT)
        kind = _checked(check_kind, named.get("kind"), UNREADABLE_KIND)
        now_ms = self.clock.now_ms()
        job_id = message_job_id(tenant, kind, delivery)
        queued = Job(
            ref=JobRef(tenant, job_id),
            kind=kind,
            lane=self.lane,
            state=State.QUEUED,
            fingerprint=fingerprint_of(delivery.body.encode("utf-8", "replace")),
            created_at=delivery.sent_at,
            claimable_at=0,
            ttl_s=message_ttl_s(delivery.sent_at),
        )
        # A plain message has no send id; its job's id stands in, which no envelope can carry.
        held = Held(job_id, delivery.sent_at)
        return queued.claimed(owner_of(request_id, delivery), held, now_ms, now_ms, queued.ttl_s)


def _checked(check: Callable[[object], str], value: object, default: str) -> str:
    try:
        return check(value)
    except InputError:
        return default


def message_job_id(tenant: str, kind: str, delivery: Delivery) -> str:
    """The job id of a plain message without a key: equal for every receive of the same message."""
    # No key holds a '#', so that no caller's key can be this one.
    return keyed_job_id(tenant, kind, f"message#{delivery.message_id}")
