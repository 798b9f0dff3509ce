"""Running one claimed job: the gates before it, the call, and the shape of what comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.classify import Classification, FailureClass, classify
from tidemill.domain.context import JobContext
from tidemill.domain.decide import HANDED_OVER
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import (
    CodeChangedError,
    InputError,
    IntegrityError,
    PayloadGoneError,
    TidemillError,
    UnavailableError,
)
from tidemill.domain.failure import failure_of, refusal_of
from tidemill.domain.hiding import strings_of
from tidemill.domain.interrupt import HandedOver, HardTimeout, Interrupt, JobCancelled, SoftTimeoutError
from tidemill.domain.job import Job
from tidemill.domain.outcome import Attempt, Continued, Raised, Returned, Stopped, TooLate, Untouched
from tidemill.domain.ports import Clock, EntityOrder, JobMemory, JobStore, Payloads, Telemetry
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.domain.result import encode_result
from tidemill.domain.retry import Retry
from tidemill.domain.signals import PermanentError
from tidemill.service.claiming import Claimed
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.keeping import kept_result
from tidemill.service.lifeline import AttemptLifeline
from tidemill.service.notebook import Notebook
from tidemill.service.running import RunningJob, ThreadInterrupter
from tidemill.service.succession import Succession

_PERMANENT: Final = Classification(FailureClass.PERMANENT)
_TRANSIENT: Final = Classification(FailureClass.TRANSIENT)
# What Tidemill itself raises in a job, and the reason that its job carries.
_TIMED_OUT: Final = "timed_out"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a kind says about failing and keeping; the defaults for a kind that this code does not know."""

    retry: Retry = field(default_factory=Retry)
    retention: Retention = field(default_factory=Retention)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a lane's jobs are run with.

    Arguments:
        hide: sets the visibility of a message, given its receipt and seconds.
        code: the version of this code, "" if the deployment names none.
        interrupter: makes a way into the code of the thread that calls it.
    """

    registry: JobRegistry
    store: JobStore
    memory: JobMemory
    payloads: Payloads
    clock: Clock
    telemetry: Telemetry
    hide: Callable[[str, int], None]
    loop: EventLoopThread
    code: str = ""
    interrupter: Callable[[], ThreadInterrupter] = ThreadInterrupter
    order: EntityOrder = field(kw_only=True)

    @property
    def succession(self) -> Succession:
        """Who comes after whom, where that is kept."""
        return Succession(self.order, self.clock, self.telemetry)


@dataclass(frozen=True, slots=True)
class Performer:
    """Runs the claimed jobs of one batch. Safe for threads; never raises for what a job does.

    Arguments:
        deadline_ms: when the function is ended from outside, Unix milliseconds.
    """

    around: Surroundings
    deadline_ms: int

    @property
    def jobs_end_at(self) -> int:
        """Until when jobs may run, Unix milliseconds: the last of the function's time is kept for recording."""
        return self.deadline_ms - milliseconds(limits.RECORDING_TIME)

    def perform(self, claimed: Claimed, may_start: Callable[[RunningJob], bool]) -> Attempt:
        """Run the job unless a gate is closed; `may_start` is told of it just before, and has the last word."""
        kind, envelope = claimed.job.kind, claimed.received.envelope
        data = envelope.args
        try:
            definition = self.around.registry.resolve(kind)
            stopped = self._gate(claimed, definition)
            if stopped is not None:
                return stopped
            data = self._args_of(envelope)
            args = definition.args_type.from_message(data)
            if envelope.stored is not None and self._is_late(definition):
                # S3 took its time.
                return Untouched()
        except UnavailableError as error:
            self.around.telemetry.alert("payload_unavailable", job_id=envelope.ref.id, cause=error.cause)
            return Untouched("payload_unavailable", limits.PAYLOAD_WAIT)
        except TidemillError as error:
            # A validator's own words may quote what it refused.
            return Raised(refusal_of(kind, error, strings_of(data)), _PERMANENT, error.code)
        try:
            previous = self.around.succession.previous(claimed.job, envelope)
        except UnavailableError:
            return Untouched("order_unavailable", limits.SHORT_HOLD)
        return self._run(claimed, definition, args, may_start, previous)

    def policy(self, kind: str) -> Policy:
        """The retry policy and retention of `kind`."""
        try:
            definition = self.around.registry.resolve(kind)
        except InputError:
            return Policy()
        return Policy(definition.retry, definition.retention)

    def _gate(self, claimed: Claimed, definition: AnyDefinition) -> Attempt | None:
        now, job = self.around.clock.now_ms(), claimed.job
        if job.crashes >= limits.MAX_CRASHES:
            poison = PermanentError(f"{job.crashes} workers died with this job")
            return Raised(failure_of(job.kind, poison), _PERMANENT, "poison")
        if job.cancel_asked and (stopped := self._stopped(job)):
            return stopped
        if job.expires_at is not None and job.expires_at <= now and not _has_started(job):
            return TooLate()
        if (job.claimable_at or 0) - milliseconds(limits.CLOCK_SKEW) <= now:
            # It waited behind others for longer than its heartbeat: another worker may be about to take it.
            return Untouched("lease_over")
        return Untouched() if self._is_late(definition) else None

    def _stopped(self, job: Job) -> Attempt | None:
        """How it ends, asked to stop before this attempt; None if it opened its memory, and may have to clean up."""
        try:
            memory = self.around.memory.look(job.ref)
        except UnavailableError:
            return Untouched("memory_unavailable", limits.SHORT_HOLD)
        return None if memory is not None and memory.fence else Stopped()

    def _is_late(self, definition: AnyDefinition) -> bool:
        """Whether too little of the invocation is left for a job of this kind."""
        return self.jobs_end_at - self.around.clock.now_ms() < milliseconds(definition.timeout)

    def _args_of(self, envelope: Envelope) -> bytes:
        return envelope.args if envelope.stored is None else self.around.payloads.get(envelope.ref, envelope.stored)

    def _run(
        self,
        claimed: Claimed,
        definition: AnyDefinition,
        args: JobArgs,
        may_start: Callable[[RunningJob], bool],
        previous: int | None,
    ) -> Attempt:
        running = self._running(claimed, definition)
        context = replace(self._context(claimed, running), previous_sequence=previous)
        if not may_start(running):
            return Untouched()
        try:
            value = self._call(definition, args, context, running)
            running.lifeline.notebook.check()
        # sys.exit() or a cancelled asyncio.run() in a job ends the job, not the worker with its neighbours.
        except (Exception, SystemExit, asyncio.CancelledError, Interrupt) as error:  # noqa: BLE001 - whatever a job raises is its outcome
            return self._raised(context.kind, running.lifeline.notebook.refusal or error, args)
        self._note_skipped(running.lifeline.notebook)
        return self._returned(claimed.job, definition, args, value)

    def _returned(self, job: Job, definition: AnyDefinition, args: JobArgs, value: object) -> Attempt:
        try:
            return Returned(kept_result(self.around.payloads, job, encode_result(value), definition.retention.result))
        except TidemillError as error:
            classification = _TRANSIENT if isinstance(error, UnavailableError) else _PERMANENT
            return Raised(refusal_of(job.kind, error, strings_of(args)), classification, _unkept(error))

    def _call(self, definition: AnyDefinition, args: JobArgs, context: JobContext, running: RunningJob) -> Any:
        if definition.is_async:
            flight = self.around.loop.start(definition(args, context))
            running.interrupter = flight.interrupt
            return flight.result()
        interrupter = self.around.interrupter()
        try:
            running.interrupter = interrupter
            return definition(args, context)
        finally:
            interrupter.close()

    def _raised(self, kind: str, error: BaseException, args: JobArgs) -> Attempt:
        match error:
            case JobCancelled():
                return Stopped()
            case HandedOver():
                return Continued()
            case HardTimeout():
                return timed_out(kind)
            case CodeChangedError():
                return Raised(refusal_of(kind, error, strings_of(args)), _PERMANENT, error.reason)
            case InputError() | IntegrityError() | PayloadGoneError():
                return Raised(refusal_of(kind, error, strings_of(args)), _PERMANENT, error.code)
            case _:
                return self._failed(kind, error, args)

    def _failed(self, kind: str, error: BaseException, args: JobArgs) -> Raised:
        classification = classify(error, datetime.fromtimestamp(self.around.clock.now_ms() / 1000, UTC))
        reason = "permanent" if classification.failure is FailureClass.PERMANENT else "error"
        if isinstance(error, SoftTimeoutError):
            reason = _TIMED_OUT
        return Raised(failure_of(kind, error, strings_of(args)), classification, reason)

    def _running(self, claimed: Claimed, definition: AnyDefinition) -> RunningJob:
        now_ms, around = self.around.clock.now_ms(), self.around
        hard_at = min(now_ms + milliseconds(definition.timeout), self.jobs_end_at)
        soft_at = None if definition.soft_timeout is None else now_ms + milliseconds(definition.soft_timeout)
        # A timeout costs an attempt, and a hand-over does not: it comes before the first of both.
        first_at = hard_at if soft_at is None else min(soft_at, hard_at)
        notebook = Notebook(
            around.memory,
            around.payloads,
            around.clock,
            around.telemetry,
            claimed.job,
            claimed.received.envelope,
            definition.on_code_change,
            around.code,
            milliseconds(definition.retention.dead + limits.MEMORY_HORIZON),
        )
        lifeline = AttemptLifeline(
            around.store,
            notebook,
            around.clock,
            partial(around.hide, claimed.received.delivery.receipt),
            claimed.job,
            ends_at=hard_at,
            hands_over_at=first_at - int((first_at - now_ms) * limits.HAND_OVER_AT),
            lease_ms=None if definition.heartbeat is None else milliseconds(definition.heartbeat),
        )
        return RunningJob(lifeline, soft_at, hard_at)

    def _context(self, claimed: Claimed, running: RunningJob) -> JobContext:
        job, envelope = claimed.job, claimed.received.envelope
        return JobContext(
            job_id=job.ref.id,
            tenant=job.ref.tenant,
            kind=job.kind,
            lane=job.lane,
            attempt=job.attempt,
            generation=job.generation,
            submitted_at_ms=envelope.submitted_at,
            deadline_ms=running.hard_at,
            correlation_id=envelope.correlation_id,
            lifeline=running.lifeline,
            entity=envelope.entity,
            sequence=envelope.sequence,
        )

    def _note_skipped(self, notebook: Notebook) -> None:
        with suppress(TidemillError):
            if skipped := notebook.unused():
                self.around.telemetry.alert("steps_skipped", job_id=notebook.job.ref.id, steps=len(skipped))


def _unkept(error: TidemillError) -> str:
    """The reason of a job whose result could not be kept."""
    match error:
        case UnavailableError():
            return "result_unavailable"
        case InputError():
            return "invalid_result"
        case _:
            return error.code


def timed_out(kind: str) -> Raised:
    """The outcome of an attempt that its hard timeout ended, whether or not its code took notice."""
    return Raised(failure_of(kind, HardTimeout()), _TRANSIENT, _TIMED_OUT)


def _has_started(job: Job) -> bool:
    """Whether this attempt goes on with a job that an earlier one began in time."""
    return job.attempt > 1 or job.deferrals > 0 or job.reason == HANDED_OVER
