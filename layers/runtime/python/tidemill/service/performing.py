"""Running one claimed job: the gates before it, the call, and the shape of what comes back."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from tidemill.domain import limits
from tidemill.domain.classify import Classification, FailureClass, classify
from tidemill.domain.context import JobContext
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError
from tidemill.domain.failure import failure_of, refusal_of
from tidemill.domain.outcome import Attempt, Raised, Returned, TooLate, Untouched
from tidemill.domain.ports import Clock
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.domain.retry import Retry
from tidemill.domain.signals import PermanentError
from tidemill.domain.strict_json import dump_canonical
from tidemill.service.claiming import Claimed

_PERMANENT = Classification(FailureClass.PERMANENT)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a kind says about failing and keeping; the defaults for a kind that this code does not know."""

    retry: Retry = field(default_factory=Retry)
    retention: Retention = field(default_factory=Retention)


class EventLoopThread:
    """One event loop for a worker's life, so that clients bound to a loop survive between jobs."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def run(self, awaitable: Any) -> Any:
        """Run to its end from any thread and return its value, or raise what it raised."""
        value, ended = asyncio.run_coroutine_threadsafe(_end_of(awaitable), self._started()).result()
        if ended is not None:
            raise ended
        return value

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="tidemill-async", daemon=True).start()
            return self._loop


@dataclass(frozen=True, slots=True)
class Performer:
    """Runs claimed jobs of one lane. Safe for threads; never raises for what a job does."""

    registry: JobRegistry
    clock: Clock
    deadline_ms: int
    loop: EventLoopThread

    def perform(self, claimed: Claimed) -> Attempt:
        """Run the job unless a gate is closed."""
        kind = claimed.job.kind
        try:
            definition = self.registry.resolve(kind)
            stopped = self._gate(claimed, definition)
            if stopped is not None:
                return stopped
            args = definition.args_type.from_message(claimed.received.envelope.args)
        except InputError as error:
            return Raised(refusal_of(kind, error), _PERMANENT, error.code)
        return self._call(definition, args, self._context(claimed))

    def policy(self, kind: str) -> Policy:
        """The retry policy and retention of `kind`."""
        try:
            definition = self.registry.resolve(kind)
        except InputError:
            return Policy()
        return Policy(definition.retry, definition.retention)

    def _gate(self, claimed: Claimed, definition: AnyDefinition) -> Attempt | None:
        now, job = self.clock.now_ms(), claimed.job
        if job.crashes >= limits.MAX_CRASHES:
            poison = PermanentError(f"{job.crashes} workers died with this job")
            return Raised(failure_of(job.kind, poison), _PERMANENT, "poison")
        # An attempt that follows another one continues a job that started in time.
        started = job.attempt > 1 or job.deferrals > 0
        if not started and job.expires_at is not None and job.expires_at <= now:
            return TooLate()
        if self.deadline_ms - now < milliseconds(definition.timeout):
            return Untouched()
        return None

    def _call(self, definition: AnyDefinition, args: Any, context: JobContext) -> Attempt:
        try:
            value = definition(args, context)
            if definition.is_async:
                value = self.loop.run(value)
        # sys.exit() or a cancelled asyncio.run() in a job ends the job, not the worker with its neighbours.
        except (Exception, SystemExit, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a job raises is its outcome
            classification = classify(error, datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC))
            permanent = classification.failure is FailureClass.PERMANENT
            return Raised(failure_of(context.kind, error), classification, "permanent" if permanent else "error")
        try:
            return Returned(encode_result(value))
        except InputError as error:
            return Raised(refusal_of(context.kind, error), _PERMANENT, "invalid_result")

    def _context(self, claimed: Claimed) -> JobContext:
        job, envelope = claimed.job, claimed.received.envelope
        return JobContext(
            job_id=job.ref.id,
            tenant=job.ref.tenant,
            kind=job.kind,
            lane=job.lane,
            attempt=job.attempt,
            generation=job.generation,
            submitted_at_ms=envelope.submitted_at,
            deadline_ms=self.deadline_ms,
            correlation_id=envelope.correlation_id,
        )


def encode_result(value: object) -> str | None:
    """A job's return value as canonical JSON text; None stays None.

    Raises:
        InputError: it can't be written as JSON, or exceeds 131,072 bytes.
    """
    if value is None:
        return None
    try:
        plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else to_jsonable_python(value)
    except Exception as error:  # noqa: BLE001 - serialising runs the job's own code: serializers, generators
        raise InputError.at("result", f"can't be written as JSON: {error}", "json") from None
    encoded = dump_canonical(plain, "result")
    if len(encoded) > limits.MAX_RESULT_BYTES:
        raise InputError.at(
            "result",
            f"is {len(encoded)} bytes, the limit is {limits.MAX_RESULT_BYTES}. Fix: store it in S3, return its key",
            "too_large",
        )
    return encoded.decode("utf-8")


async def _end_of(awaitable: Any) -> tuple[Any, BaseException | None]:
    try:
        return await awaitable, None
    # Raised through asyncio, these two would end the loop, and every later job would wait for it for ever.
    except (KeyboardInterrupt, SystemExit) as error:
        return None, error
