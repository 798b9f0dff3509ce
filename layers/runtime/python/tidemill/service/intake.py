"""Messages that carry no job yet: plain ones are submitted, bad ones are recorded and go to the DLQ."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tidemill.domain.envelope import EVENT_FIELD, is_fact_message, is_tick
from tidemill.domain.errors import KeyConflictError, PlainMessageError, TidemillError, UnavailableError
from tidemill.domain.failure import refusal_of
from tidemill.domain.hiding import strings_of
from tidemill.domain.job import Job
from tidemill.domain.ports import Clock, JobReader, JobStore, Refused, Telemetry, Written
from tidemill.domain.registry import JobRegistry
from tidemill.domain.settle import ACK, TO_DLQ, UNASKED, Settlement
from tidemill.domain.version_errors import NewerVersionError
from tidemill.service.errands import Errands
from tidemill.service.expecting import awaited_by, awaited_in, errand_in
from tidemill.service.reception import Foreign, Unreadable
from tidemill.service.refusal import Refusal, is_refusal, kind_of, refused_ref
from tidemill.service.request import parse_request
from tidemill.service.submission import Submission
from tidemill.service.submitter import Receipt, SubmitResult, Submitter
from tidemill.service.upgrading import hold_for


@dataclass(frozen=True, slots=True)
class Intake:
    """Turns plain messages into jobs of the same lane, and refused ones into dead records with the reason."""

    registry: JobRegistry
    submitter: Submitter
    store: JobStore
    reader: JobReader
    lane: str
    clock: Clock
    telemetry: Telemetry
    errands: Errands | None = None

    def admit(self, messages: Sequence[Foreign | Unreadable]) -> dict[str, Settlement]:
        """Submit the plain messages in one call and record why the others can't be; settlements by message id.

        A redelivery of the same message submits the same job again, which is then a repeat: whatever
        became of the job, it does not run for it. A message that was refused once stays refused, whatever
        newer code would make of it.
        """
        settled = self._met_before([message for message in messages if message.delivery.receives > 1])
        read = [(message, self._read(message)) for message in messages if message.delivery.message_id not in settled]
        expected = self._expect([(message, asked) for message, asked in read if isinstance(asked, Submission)])
        read = [one for one in read if one[0].delivery.message_id not in expected]
        submissions = [asked for _, asked in read if isinstance(asked, Submission)]
        results = iter(self._submit(submissions))
        asked_for = [(message, next(results) if isinstance(asked, Submission) else asked) for message, asked in read]
        met_late = [one for one in zip(asked_for, read, strict=True) if _is_over(*one)]
        expected |= self._expect([asked for _, asked in met_late])
        return (
            settled
            | {message.delivery.message_id: self._settle(message, result) for message, result in asked_for}
            | expected
        )

    def _expect(self, wanted: Sequence[tuple[Foreign | Unreadable, Any]]) -> dict[str, Settlement]:
        """Keep the tokens of state machines; the settlements of messages whose job is there already."""
        awaited = {message.delivery.message_id: one for message, asked in wanted if (one := awaited_by(message, asked))}
        if self.errands is None or not awaited:
            return {}
        settled = zip(awaited, self.errands.expect(list(awaited.values())), strict=True)
        return {message_id: settlement for message_id, settlement in settled if settlement is not None}

    def _met_before(self, repeats: Sequence[Foreign | Unreadable]) -> dict[str, Settlement]:
        """The settlements of those that an earlier receive refused, and of all while that can't be told."""
        if not repeats:
            return {}
        try:
            records = self.reader.find([refused_ref(message) for message in repeats])
        except UnavailableError:
            return {message.delivery.message_id: UNASKED for message in repeats}
        return {
            message.delivery.message_id: TO_DLQ
            for message, job in zip(repeats, records, strict=True)
            if job is not None and is_refusal(job)
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

    def _settle(self, message: Foreign | Unreadable, result: SubmitResult) -> Settlement:
        match result:
            case Receipt():
                if result.created and is_tick(message.document):
                    self._note_lateness(message.document, result)
                return ACK
            case KeyConflictError() if is_tick(message.document) or is_fact_message(message.document):
                # Sent again after a deployment gave the schedule or the kind other arguments: the tick or the fact
                # has its job.
                return ACK
            case UnavailableError():
                return UNASKED
            case NewerVersionError() if (hold := hold_for(message.delivery, self.clock)) is not None:
                return hold
            case _:
                return self._refuse(message, result)

    def _submission(self, received: Foreign) -> Submission:
        delivery = received.delivery
        if self.registry.lanes[self.lane].fifo:
            # Sent anew, it would come after messages that were sent after it.
            raise PlainMessageError(self.lane)
        document, errand = errand_in(received.document, self.errands is not None)
        submission = replace(_read(document, self.registry), asked_at=delivery.sent_at)
        if errand is not None:
            submission = replace(submission, errand=errand, job_id=errand.job_id(), correlation_id=errand.saga)
        if submission.lane is None:
            # The sender chose the lane by choosing the queue.
            submission = replace(submission, lane=self.lane)
        if submission.key is None and submission.job_id is None:
            # The record that its refusal would have: by the kind as the message names it, an alias too.
            return replace(submission, job_id=refused_ref(received).id)
        return submission

    def _note_lateness(self, document: dict[str, Any], receipt: Receipt) -> None:
        from tidemill.domain.tick import read_tick

        tick, now_ms = read_tick(document), self.clock.now_ms()
        if tick.is_late(now_ms):
            self.telemetry.count("TicksLate")
            late_s = (now_ms - tick.at) // 1000
            self.telemetry.alert("tick_late", schedule=tick.schedule, job_id=receipt.job_id, late_seconds=late_s)

    def _refuse(self, received: Foreign | Unreadable, error: TidemillError) -> Settlement:
        """Write a dead record, so that the DLQ's message has its reason; then let SQS move the message."""
        ref = refused_ref(received)
        awaited = awaited_in(received) if self.errands else None
        if self.errands and awaited and not self.errands.refuse(awaited, error.code, ref):
            return UNASKED
        failure = refusal_of(kind_of(received), error, strings_of(_arguments(received)))
        refusal = Refusal(received, error.code, failure, self.clock.now_ms())
        match self.store.refuse(refusal.record(self.lane), refusal.evidence):
            case Written():
                self.telemetry.count("MessagesRefused")
                message_id = received.delivery.message_id
                self.telemetry.alert("message_refused", message_id=message_id, job_id=ref.id, reason=error.code)
                return TO_DLQ
            case Refused(job=Job() as job):
                # Else this very message has become a job before, by code that read it otherwise.
                return TO_DLQ if is_refusal(job) else ACK
            case _:
                return UNASKED


def _is_over(answered: tuple[Any, Any], read: tuple[Any, Any]) -> bool:
    """Whether the job of a saga was made final, or by other code, while its message was submitted."""
    result, asked = answered[1], read[1]
    if not isinstance(asked, Submission) or asked.errand is None:
        return False
    return isinstance(result, KeyConflictError) or (isinstance(result, Receipt) and result.job.state.is_final)


def _read(document: object, registry: JobRegistry) -> Submission:
    # Most workers never meet a tick or a fact, and all of them start cold.
    if is_tick(document):
        from tidemill.service.ticks import parse_tick

        return parse_tick(document, registry)
    if is_fact_message(document):
        from tidemill.service.hearing import parse_fact_message

        return parse_fact_message(document, registry)
    return parse_request(document, registry)


def _arguments(received: Foreign | Unreadable) -> bytes:
    """What a refused message gave as arguments: its evidence must not quote them."""
    document = received.document
    if is_fact_message(document):
        return json.dumps(document[EVENT_FIELD]).encode()
    return json.dumps(document.get("args") if isinstance(document, dict) else document).encode()
