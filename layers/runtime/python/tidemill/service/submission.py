"""What a caller asks for, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final, TypedDict

from tidemill.domain import limits
from tidemill.domain.args import JobArgs, fingerprint_of
from tidemill.domain.definition import OnFinal
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import MAX_HOPS, Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.names import check_job_id, check_key, check_lane, check_tenant
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.domain.sizing import longest_timeout

DEFAULT_TENANT: Final = "default"
_NOW: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Submission:
    """One job that somebody wants run.

    Arguments:
        args: the arguments; their class names the kind.
        key: idempotency key, at most 96 characters: one job per tenant, kind and key for as long as
            its record is kept (at least 19 days after its last message).
        tenant: whose job it is, at most 48 characters.
        lane: another lane than the kind's.
        delay: from now until it may start, up to 365 days. To the second.
        expires_in: if it has not started by then, it never runs.
        job_id: an id of the caller's choice for a job without a key (a lower-case UUID).
        correlation_id: carried through everything the job causes; by default the job's id.
        causation_id: the job or event that caused this one. `traceparent`: W3C trace context.
        hops: how many jobs caused each other before this one.
        asked_at: when it was asked for, Unix milliseconds, if that is earlier than now: a job that ended
            later is not run again for it.
    """

    args: JobArgs
    key: str | None = None
    tenant: str = DEFAULT_TENANT
    lane: str | None = None
    delay: timedelta = _NOW
    expires_in: timedelta | None = None
    job_id: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    hops: int = 0
    asked_at: int | None = None


class Options(TypedDict, total=False):
    """The fields of a Submission beside its arguments, as keyword arguments."""

    key: str | None
    tenant: str
    lane: str | None
    delay: timedelta
    expires_in: timedelta | None
    job_id: str | None
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None
    hops: int
    asked_at: int | None


@dataclass(frozen=True, slots=True)
class Order:
    """A checked submission: the envelope to send, and where and when."""

    envelope: Envelope
    definition: AnyDefinition
    lane: str
    due_ms: int
    # Whether the id was derived from a key or chosen by the caller, so that it may exist already.
    is_repeatable: bool
    # When it was asked for, Unix milliseconds, if that is earlier than now: a message may be delivered again.
    asked_at: int | None = None

    @property
    def ref(self) -> JobRef:
        """The job's identity."""
        return self.envelope.ref

    @property
    def on_final(self) -> OnFinal:
        """What a repeat of a final job means. The kind says it for a key; an id without one is only ever repeated."""
        return self.definition.on_final if self.envelope.key is not None else OnFinal.RETURN

    def was_answered_by(self, first: Job) -> bool:
        """Whether `first` ended after this was asked for: then it is a late repeat, and asks for no rerun."""
        return self.asked_at is not None and first.finished_at is not None and self.asked_at < first.finished_at

    def outlasts_queue(self, now_ms: int) -> bool:
        """Whether the delay is longer than a queue can hold, so that the record owns the job."""
        return self.due_ms - now_ms > milliseconds(limits.MAX_QUEUE_DELAY)


def check(submission: Submission, registry: JobRegistry, now_ms: int, random: Random) -> Order:
    """Turn a submission into an order.

    Raises:
        InputError: a field is bad; it is named, and nothing was written.
    """
    kind = _kind_of(submission.args)
    definition = registry.resolve(kind)
    tenant = check_tenant(submission.tenant)
    lane = _lane(submission.lane, definition, registry)
    delay = _span(submission.delay, "delay", _NOW)
    hops: object = submission.hops
    if isinstance(hops, bool) or not isinstance(hops, int) or not 0 <= hops <= MAX_HOPS:
        raise InputError.at("hops", f"is {hops}: jobs that make jobs end after {MAX_HOPS}", "hops")
    canonical = submission.args.canonical()
    due_ms = now_ms + milliseconds(delay)
    job_id = _identity(submission, tenant, kind, now_ms, random)
    envelope = Envelope(
        send_id=time_ordered_id(now_ms, random.getrandbits(74)),
        ref=JobRef(tenant, job_id),
        kind=kind,
        args=canonical,
        fingerprint=fingerprint_of(canonical),
        submitted_at=now_ms,
        correlation_id=_trace(submission.correlation_id, "correlation_id") or job_id,
        key=submission.key,
        not_before=due_ms if delay else None,
        expires_at=_expiry(submission.expires_in, delay, now_ms),
        causation_id=_trace(submission.causation_id, "causation_id"),
        traceparent=_trace(submission.traceparent, "traceparent"),
        hops=hops,
    )
    repeatable = submission.key is not None or submission.job_id is not None
    return Order(envelope, definition, lane, due_ms, repeatable, submission.asked_at)


def _kind_of(args: object) -> str:
    if not isinstance(args, JobArgs) or not hasattr(args, "job_kind"):
        raise InputError.at("args", f"must be an instance of a JobArgs class with a kind, not {type(args).__name__}")
    return args.job_kind


def _lane(lane: str | None, definition: AnyDefinition, registry: JobRegistry) -> str:
    if lane is None:
        return definition.lane
    if check_lane(lane) not in registry.lanes:
        raise InputError.at("lane", f"no lane {lane!r}; known: {', '.join(registry.lanes)}", "unknown_lane")
    granted = longest_timeout(registry.in_lane(lane))
    if definition.timeout > granted:
        # Its worker would never have the time to start the job.
        raise InputError.at(
            "lane",
            f"{lane!r} grants a job {granted}, {definition.kind!r} may take {definition.timeout}. "
            "Fix: choose a lane whose own jobs have as long a timeout",
            "timeout",
        )
    return lane


def _identity(submission: Submission, tenant: str, kind: str, now_ms: int, random: Random) -> str:
    if submission.key is not None:
        if submission.job_id is not None:
            raise InputError.at("job_id", "can't be chosen beside a key: the key decides it")
        return keyed_job_id(tenant, kind, check_key(submission.key))
    if submission.job_id is not None:
        return check_job_id(submission.job_id, "job_id")
    return time_ordered_id(now_ms, random.getrandbits(74))


def _expiry(expires_in: timedelta | None, delay: timedelta, now_ms: int) -> int | None:
    if expires_in is None:
        return None
    check_expiry(_span(expires_in, "expires_in", _NOW), delay, "expires_in")
    return now_ms + milliseconds(expires_in)


def check_expiry(expires_in: timedelta, delay: timedelta, field: str) -> None:
    """Raise InputError naming `field` if the job would expire before it may start."""
    if expires_in <= delay:
        raise InputError.at(field, "must be longer than the delay, or the job could never run", "range")


def _span(value: object, field: str, least: timedelta) -> timedelta:
    if not isinstance(value, timedelta):
        raise InputError.at(field, f"must be a timedelta such as minutes(5), not {type(value).__name__}", "type")
    if not least <= value <= limits.MAX_DELAY:
        raise InputError.at(field, f"must be 0 s to {limits.MAX_DELAY.days} days, not {value}", "range")
    return value


def _trace(value: str | None, field: str) -> str | None:
    if value is not None and not (
        isinstance(value, str) and 0 < len(value) <= limits.MAX_TRACE_CHARS and value.isascii() and value.isprintable()
    ):
        raise InputError.at(field, "must be 1 to 64 printable ASCII characters", "format")
    return value
