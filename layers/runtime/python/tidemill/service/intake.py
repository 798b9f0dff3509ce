"""Messages that carry no job yet: plain ones are submitted, bad ones are recorded and go to the DLQ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tidemill.domain.errors import PlainMessageError, TidemillError, UnavailableError
from tidemill.domain.failure import refusal_of
from tidemill.domain.hiding import strings_of
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Clock, JobStore, Telemetry, Unwritten
from tidemill.domain.registry import JobRegistry
from tidemill.domain.settle import ACK, TO_DLQ, UNASKED, Settlement
from tidemill.service.reception import Foreign, Unreadable, owner_of
from tidemill.service.refusal import burial, is_refusal, message_job_id, refused_record
from tidemill.service.request import parse_request
from tidemill.service.submission import Submission
from tidemill.service.submitter import Receipt, SubmitResult, Submitter


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns plain messages into jobs of the same lane, and refused ones into dead records with the reason."""

    registry: JobRegistry
    submitter: Submitter
    store: JobStore
    lane: str
    clock: Clock
    telemetry: Telemetry

    def admit(self, messages: Sequence[Foreign | Unreadable], request_id: str) -> dict[str, Settlement]:
        """Submit the plain messages in one call and record why the others can't be; settlements by message id.

        A redelivery of the same message submits the same job again, which is then a repeat: whatever
        became of the job, it does not run for it.
        """
        read = [(message, self._read(message)) for message in messages]
        submissions = [asked for _, asked in read if isinstance(asked, Submission)]
        results = iter(self._submit(submissions))
        return {
            message.delivery.message_id: self._settle(
                message, next(results) if isinstance(asked, Submission) else asked, request_id
            )
            for message, asked in read
        }

    def _read(self, message: Foreign | Unreadable) -> Submission | TidemillError:
        if isinstance(message, Unreadable):
            return message.error
        try:
            return self._submission(message)
        except TidemillError as error:
            return error

    def _submit(self, submissions: list[Submission]) -> list[SubmitResult]:
        try:
            return self.submitter.submit(submissions) if submissions else []
        except UnavailableError as error:
            return [error] * len(submissions)

    def _settle(self, message: Foreign | Unreadable, result: SubmitResult, request_id: str) -> Settlement:
        match result:
            case Receipt():
                return ACK
            case UnavailableError():
                return UNASKED
            case _:
                return self._refuse(message, result, request_id)

    def _submission(self, received: Foreign) -> Submission:
        delivery = received.delivery
        if self.registry.lanes[self.lane].fifo:
            # Sent anew, it would come after messages that were sent after it.
            raise PlainMessageError(self.lane)
        submission = replace(parse_request(received.document, self.registry), asked_at=delivery.sent_at)
        if submission.lane is None:
            # The sender chose the lane by choosing the queue.
            submission = replace(submission, lane=self.lane)
        if submission.key is None and submission.job_id is None:
            job_id = message_job_id(submission.tenant, submission.args.job_kind, delivery)
            return replace(submission, job_id=job_id)
        return submission

    def _refuse(self, received: Foreign | Unreadable, error: TidemillError, request_id: str) -> Settlement:
        """Write a dead record, so that the DLQ's message has its reason; then let SQS move the message."""
        now_ms, owner = self.clock.now_ms(), owner_of(request_id, received.delivery)
        inserted = self.store.insert([refused_record(received, self.lane, owner, now_ms)])[0]
        # A record that is there and still runs is our own, from a receive that died before it concluded.
        if isinstance(inserted, Unwritten) or inserted.job is None:
            return UNASKED
        job = inserted.job
        if not is_refusal(job):
            # This very message has become a job before, by code that read it otherwise.
            return ACK
        if job.state is State.RUNNING:
            failure = refusal_of(job.kind, error, strings_of(_arguments(received)))
            self.store.conclude([burial(job, error.code, failure, now_ms)])
            self.telemetry.count("MessagesRefused")
            message_id = received.delivery.message_id
            self.telemetry.alert("message_refused", message_id=message_id, job_id=job.ref.id, reason=error.code)
        return TO_DLQ


def _arguments(received: Foreign | Unreadable) -> bytes:
    """What a refused message gave as arguments: its evidence must not quote them."""
    document = received.document
    return json.dumps(document.get("args") if isinstance(document, dict) else document).encode()
