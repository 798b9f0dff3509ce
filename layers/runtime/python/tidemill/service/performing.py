"""Running one claimed job: the gates before it, the call, and the shape of what comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.decide import has_started
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.failure import failure_of, refusal_of
from tidemill.domain.hiding import strings_of
from tidemill.domain.interrupt import WorkerDied
from tidemill.domain.job import Job
from tidemill.domain.outcome import Attempt, Raised, Returned, Stopped, TooLate, Untouched
from tidemill.domain.registry import AnyDefinition
from tidemill.domain.result import encode_result
from tidemill.domain.signals import PermanentError
from tidemill.service.awaiting import Inquirer
from tidemill.service.causing import Cause, causing
from tidemill.service.claiming import Claimed
from tidemill.service.ending import PERMANENT, TRANSIENT, ended_by, failed
from tidemill.service.keeping import kept_result, unkept
from tidemill.service.lifeline import AttemptLifeline
from tidemill.service.nearness import warn_near
from tidemill.service.notebook import Notebook
from tidemill.service.policy import Policy, policy_of
from tidemill.service.running import RunningJob
from tidemill.service.surroundings import Surroundings
from tidemill.service.untold import Untold

if TYPE_CHECKING:
    from tidemill.service.outgoing import Outgoing


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
        try:
            return self._perform(claimed, may_start)
        except WorkerDied:
            raise
        except BaseException as error:  # noqa: BLE001 - a fault in one job's running is that job's outcome alone
            return failed(claimed.job.kind, error, claimed.received.envelope.args, self._now())

    def _perform(self, claimed: Claimed, may_start: Callable[[RunningJob], bool]) -> Attempt:
        opened = self._opened(claimed)
        if not isinstance(opened, tuple):
            return opened
        definition, args = opened
        undoes = self.around.closer.gate(claimed.job, claimed.received.envelope.errand)
        if isinstance(undoes, Attempt):
            return undoes
        try:
            previous = self.around.succession.previous(claimed.job, claimed.received.envelope)
        except UnavailableError:
            return Untouched("order_unavailable", limits.SHORT_HOLD)
        seen = {"previous_sequence": previous, "undoes": undoes}
        return self._run(claimed, definition, args, may_start, seen)

    def _opened(self, claimed: Claimed) -> tuple[AnyDefinition, JobArgs] | Attempt:
        """The job's code and arguments, unless a gate is closed."""
        kind, envelope = claimed.job.kind, claimed.received.envelope
        data = envelope.args
        try:
            definition = self.around.registry.resolve(kind)
            stopped = self._gate(claimed, definition)
            if stopped is not None:
                return stopped
            data = self._args_of(envelope)
            self._warn(claimed.job, "payload", 0, len(data), limits.MAX_PAYLOAD_BYTES)
            args: JobArgs = definition.args_type.from_message(data, envelope.version)
        except UnavailableError as error:
            self.around.telemetry.alert("payload_unavailable", job_id=envelope.ref.id, cause=error.cause)
            return Untouched("payload_unavailable", limits.PAYLOAD_WAIT)
        except TidemillError as error:
            # A validator's own words may quote what it refused.
            return Raised(refusal_of(kind, error, strings_of(data)), PERMANENT, error.code)
        except Exception as error:  # noqa: BLE001 - a validator is the job's own code
            return failed(kind, error, data, self._now())
        # S3 may have taken its time.
        late = envelope.stored is not None and self._is_late(definition)
        return Untouched() if late else (definition, args)

    def policy(self, kind: str) -> Policy:
        """The retry policy and retention of `kind`."""
        return policy_of(self.around.registry, kind)

    def _gate(self, claimed: Claimed, definition: AnyDefinition) -> Attempt | None:
        now, job = self.around.clock.now_ms(), claimed.job
        if job.crashes >= limits.MAX_CRASHES:
            poison = PermanentError(f"{job.crashes} workers died with this job")
            return Raised(failure_of(job.kind, poison), PERMANENT, "poison")
        if job.cancel_asked and (stopped := self._stopped(job)):
            return stopped
        if job.expires_at is not None and job.expires_at <= now and not has_started(job):
            return TooLate()
        if (job.claimable_at or 0) - milliseconds(limits.CLOCK_SKEW) <= now:
            # It waited behind others for longer than its heartbeat: another worker may be about to take it.
            return Untouched("lease_over")
        if self._is_last_receive(claimed):
            # Sent anew, it has all of them again; on this one, a worker that died would leave it in the DLQ.
            return Untouched("receives_used")
        return Untouched() if self._is_late(definition) else None

    def _is_last_receive(self, claimed: Claimed) -> bool:
        return not self._in_order(claimed.job) and claimed.received.delivery.receives >= limits.MAX_RECEIVES

    def _in_order(self, job: Job) -> bool:
        lane = self.around.registry.lanes.get(job.lane)
        return lane is not None and lane.fifo

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
        seen: dict[str, Any],
    ) -> Attempt:
        running = self._running(claimed, definition)
        context = replace(self._context(claimed, running), **seen)
        if not may_start(running):
            return Untouched()
        try:
            with causing(Cause(claimed.received.envelope, partial(self._warn, claimed.job))):
                value = self._call(definition, args, context, running)
                running.lifeline.notebook.check()
        except WorkerDied:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a job raises is its outcome, and no neighbour's
            return ended_by(context.kind, running.lifeline.notebook.refusal or error, args, self._now())
        self._note_skipped(running.lifeline.notebook)
        return self._returned(claimed.job, definition, args, value)

    def _returned(self, job: Job, definition: AnyDefinition, args: JobArgs, value: object) -> Attempt:
        try:
            text = encode_result(value)
            self._warn(job, "result", 0, len((text or "").encode()), limits.MAX_PAYLOAD_BYTES)
            return Returned(kept_result(self.around.payloads, job, text, definition.retention.result))
        except TidemillError as error:
            classification = TRANSIENT if isinstance(error, UnavailableError) else PERMANENT
            return Raised(refusal_of(job.kind, error, strings_of(args)), classification, unkept(error))

    def _call(self, definition: AnyDefinition, args: JobArgs, context: JobContext, running: RunningJob) -> Any:
        if definition.is_async:
            flight = self.around.loop.start(definition(args, context))
            running.interrupter = flight.interrupt
            return flight.result()
        interrupter = self.around.interrupter()
        try:
            running.interrupter = interrupter
            # What the job sets for its context, decimal's precision for one, is not there for the thread's next job.
            return copy_context().run(definition, args, context)
        finally:
            interrupter.close()

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.around.clock.now_ms() / 1000, UTC)

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
            definition.on_code_change,
            around.code,
            milliseconds(definition.retention.memory),
        )
        inquirer = Inquirer(
            around.waits,
            notebook,
            around.clock,
            claimed.job,
            definition.answers,
            self._in_order(claimed.job),
            notebook.keep_ms,
            around.api_url,
        )
        lifeline = AttemptLifeline(
            around.store,
            notebook,
            around.clock,
            partial(around.hide, claimed.received.delivery.receipt),
            claimed.job,
            inquirer=inquirer,
            untold=Untold(partial(self._outgoing, claimed)),
            ends_at=hard_at,
            hands_over_at=first_at - int((first_at - now_ms) * limits.HAND_OVER_AT),
            lease_ms=None if definition.heartbeat is None else milliseconds(definition.heartbeat),
        )
        return RunningJob(lifeline, soft_at, hard_at)

    def _outgoing(self, claimed: Claimed) -> Outgoing:
        # Few jobs tell anything.
        from random import Random

        from tidemill.service.causing import current_cause
        from tidemill.service.composing import Composer
        from tidemill.service.outgoing import Outgoing

        around = self.around
        # No chance is left in it: every id follows from the job's.
        chance = Random(0)  # noqa: S311 - see above
        composer = Composer(around.registry, around.payloads, around.clock, chance, around.stack)
        cause = current_cause() or Cause(claimed.received.envelope, partial(self._warn, claimed.job))
        return Outgoing(composer, claimed.job, cause)

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
            scheduled_at_ms=envelope.scheduled_at,
            heard=envelope.heard,
        )

    def _warn(self, job: Job, limit: str, before: int, now: int, most: int) -> None:
        warn_near(self.around.telemetry, job.ref.id, limit, before, now, most)

    def _note_skipped(self, notebook: Notebook) -> None:
        with suppress(TidemillError):
            if skipped := notebook.unused():
                self.around.telemetry.alert("steps_skipped", job_id=notebook.job.ref.id, steps=len(skipped))
