"""What a caller asks for, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final, TypedDict

from tidemill.domain import limits, names
from tidemill.domain.args import JobArgs
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.definition import OnFinal
from tidemill.domain.due import check_delay, start_of
from tidemill.domain.duration import milliseconds
from tidemill.domain.entity import Entity
from tidemill.domain.envelope import Envelope
from tidemill.domain.errand import Errand
from tidemill.domain.errors import InputError
from tidemill.domain.heard import Heard
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lane import Lane
from tidemill.domain.names import (
    check_entity,
    check_job_id,
    check_key,
    check_sequence,
    check_tenant,
    check_trace,
)
from tidemill.domain.payload import checked_in
from tidemill.domain.registry import JobRegistry
from tidemill.service.placing import placed, told

DEFAULT_TENANT: Final = names.DEFAULT_TENANT
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
        entity: on a FIFO lane, what the job is about (1 to 128 printable ASCII characters without spaces): jobs of
            one tenant, lane and entity run one after the other, in the order they were sent.
        sequence: the job's number among those of its entity, such as the version of what it is about; 0 to 2^53 - 1.
            Left out, the next number is given, at the cost of one write unit; one or the other for all of an entity.
        delay: from now until it may start, up to 365 days. To the second. Not on a FIFO lane.
        run_at: the moment from which it may start, instead of a delay: a datetime with a time zone, up to 365 days
            ahead. One that has just passed (30 s) is now.
        durable_args: the table keeps the arguments of a delay of up to 15 minutes, too, so that the job can be moved to
            an earlier time. It costs one write unit for each kilobyte of the envelope, which is the arguments and about
            half a kilobyte. A longer delay has them there anyway. Not on a FIFO lane.
        expires_in: if it has not started by then, it never runs.
        job_id: an id of the caller's choice for a job without a key (a lower-case UUID).
        correlation_id: carried through everything the job causes; by default the job's id.
        causation_id: the job or event that caused this one. `traceparent`: W3C trace context.
        hops: how many jobs caused each other before this one, 0 to 32; by default none. What a running job submits
            through the client has these four from it, unless they are given.
        scheduled_at: the time of a schedule that the job is made for, Unix milliseconds; `expires_in` counts from it.
        asked_at: when it was asked for, Unix milliseconds, if that is earlier than now: a job that ended
            later is not run again for it.
        errand: what the job does for a saga, whose state machine asked for it.
        heard: the fact that a subscription makes it of.
        webhook: the endpoint that is told how the job ended, instead of the kind's: a name that the registry lists.
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
    hops: int | None = None
    asked_at: int | None = None
    entity: str | None = None
    sequence: int | None = None
    errand: Errand | None = None
    run_at: datetime | None = None
    durable_args: bool = False
    scheduled_at: int | None = None
    heard: Heard | None = None
    webhook: str | None = None


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
    hops: int | None
    asked_at: int | None
    entity: str | None
    sequence: int | None
    run_at: datetime | None
    durable_args: bool
    scheduled_at: int | None
    webhook: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """A checked submission: the envelope to send, and where and when."""

    envelope: Envelope
    lane: str
    due_ms: int
    # Whether the id was derived from a key or chosen by the caller, so that it may exist already.
    is_repeatable: bool
    # When it was asked for, Unix milliseconds, if that is earlier than now: a message may be delivered again.
    asked_at: int | None = None
    # The argument bytes. Where the envelope has a receipt for them, they are to be stored before it is sent.
    args: bytes = b""
    # What a repeat of a final job means. The kind says it for a key; an id without one is only ever repeated.
    on_final: OnFinal = OnFinal.RETURN
    # The table keeps the envelope though its queue has it.
    durable_args: bool = False
    # Why it is too late for a job that there is none of yet: a repeat of one in time is answered as ever.
    overdue: InputError | None = None

    @property
    def ref(self) -> JobRef:
        """The job's identity."""
        return self.envelope.ref

    @property
    def entity(self) -> Entity | None:
        """What the job is about, on a FIFO lane."""
        return self.envelope.entity_in(self.lane)

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
    definition, tenant = registry.resolve(kind), check_tenant(submission.tenant)
    lane = placed(submission.lane, definition, registry)
    _check_switch(submission.durable_args, "durable_args")
    due_ms, overdue = start_of(submission.run_at, submission.delay, now_ms)
    _check_order(submission, registry.lanes[lane])
    scheduled_at = _moment(submission.scheduled_at)
    canonical = submission.args.canonical()
    inline, stored = checked_in(canonical)
    job_id = _identity(submission, tenant, kind, now_ms, random)
    envelope = Envelope(
        send_id=time_ordered_id(now_ms, random.getrandbits(74)),
        ref=JobRef(tenant, job_id),
        kind=kind,
        args=inline,
        fingerprint=fingerprint_of(canonical),
        submitted_at=now_ms,
        correlation_id=check_trace(submission.correlation_id, "correlation_id") or job_id,
        key=submission.key,
        not_before=due_ms if due_ms > now_ms else None,
        expires_at=_expiry(submission.expires_in, timedelta(milliseconds=due_ms - now_ms), scheduled_at or now_ms),
        causation_id=check_trace(submission.causation_id, "causation_id"),
        traceparent=check_trace(submission.traceparent, "traceparent"),
        hops=check_hops(submission.hops),
        entity=submission.entity,
        sequence=submission.sequence,
        errand=submission.errand,
        stored=stored,
        scheduled_at=scheduled_at,
        heard=submission.heard,
        version=submission.args.contract_version,
        webhook=told(submission.webhook, definition, registry),
    )
    return Order(
        envelope,
        lane,
        due_ms,
        submission.key is not None or submission.job_id is not None,
        submission.asked_at,
        canonical,
        OnFinal.RETURN if submission.key is None else definition.on_final,
        submission.durable_args,
        overdue,
    )


def _check_switch(value: object, field: str) -> None:
    if not isinstance(value, bool):
        raise InputError.at(field, f"must be true or false, not {type(value).__name__}")


def check_hops(given: object) -> int:
    """The hops that are given, by default none; raise InputError if they are more than may be."""
    hops = 0 if given is None else given
    if isinstance(hops, bool) or not isinstance(hops, int) or not 0 <= hops <= limits.MAX_HOPS:
        problem = f"is {hops}: jobs that make jobs end after {limits.MAX_HOPS}. Fix: let a job end that makes itself"
        raise InputError.at("hops", problem, "hops")
    return hops


def _kind_of(args: object) -> str:
    if not isinstance(args, JobArgs) or not hasattr(args, "job_kind"):
        raise InputError.at("args", f"must be an instance of a JobArgs class with a kind, not {type(args).__name__}")
    return args.job_kind


def _check_order(submission: Submission, lane: Lane) -> None:
    """Refuse what a FIFO lane can't keep in order, and an order that a standard lane does not keep."""
    if not lane.fifo:
        for field in ("entity", "sequence"):
            if getattr(submission, field) is not None:
                raise InputError.at(
                    field,
                    f"means nothing in lane {lane.name!r}, which keeps no order. "
                    "Fix: leave it out, or submit to a lane that is declared with fifo=True",
                    "standard_lane",
                )
        return
    if submission.entity is None:
        raise InputError.at(
            "entity", f"is missing: lane {lane.name!r} is FIFO. Fix: name what the job is about", "missing"
        )
    check_entity(submission.entity)
    if submission.sequence is not None:
        check_sequence(submission.sequence)
    check_undelayed(submission.delay, lane, "delay")
    for field in ("run_at", "durable_args"):
        check_undelayed(getattr(submission, field), lane, field)


def check_undelayed(delay: object, lane: Lane, field: str) -> None:
    """Raise InputError naming `field` if it is given, and so a job would be late in a lane that keeps an order."""
    if lane.fifo and delay:
        raise InputError.at(
            field,
            f"is not possible in lane {lane.name!r}, which is FIFO: later jobs of the entity would overtake this one. "
            "Fix: leave it out, or submit with the delay to a standard lane a job that then submits this one",
            "fifo_lane",
        )


def _identity(submission: Submission, tenant: str, kind: str, now_ms: int, random: Random) -> str:
    if submission.key is not None:
        if submission.job_id is not None:
            raise InputError.at("job_id", "can't be chosen beside a key: the key decides it")
        return keyed_job_id(tenant, kind, check_key(submission.key))
    if submission.job_id is not None:
        return check_job_id(submission.job_id, "job_id")
    return time_ordered_id(now_ms, random.getrandbits(74))


def _moment(value: int | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise InputError.at("scheduled_at", "must be Unix milliseconds, a whole number from 0 to 2^53", "type")
    return value


def _expiry(expires_in: timedelta | None, delay: timedelta, from_ms: int) -> int | None:
    if expires_in is None:
        return None
    check_expiry(check_delay(expires_in, "expires_in"), delay, "expires_in")
    return from_ms + milliseconds(expires_in)


def check_expiry(expires_in: timedelta, delay: timedelta, field: str) -> None:
    """Raise InputError naming `field` if the job would expire before it may start."""
    if expires_in <= delay:
        raise InputError.at(field, "must be longer than the delay, or the job could never run", "range")
