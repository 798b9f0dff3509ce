"""From what a job raised to how its attempt ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from tidemill.domain.answer_errors import WaitTimeoutError
from tidemill.domain.args import JobArgs
from tidemill.domain.asking import asked
from tidemill.domain.classify import Classification, FailureClass, classify
from tidemill.domain.errors import (
    CodeChangedError,
    InputError,
    IntegrityError,
    PayloadGoneError,
)
from tidemill.domain.failure import failure_of, refusal_of
from tidemill.domain.grouped import members_of
from tidemill.domain.hiding import strings_of
from tidemill.domain.interrupt import Awaiting, HandedOver, HardTimeout, JobCancelled, SoftTimeoutError
from tidemill.domain.outcome import Asked, Attempt, Continued, Raised, Stopped

PERMANENT: Final = Classification(FailureClass.PERMANENT)
TRANSIENT: Final = Classification(FailureClass.TRANSIENT)
# What Tidemill itself raises in a job, and the reason that its job carries.
_TIMED_OUT: Final = "timed_out"
# Of what the tasks of one attempt raised, the first of these speaks for all.
_RANKS: Final = (
    HardTimeout,
    JobCancelled,
    CodeChangedError,
    (InputError, IntegrityError, PayloadGoneError),
    WaitTimeoutError,
)


def ended_by(kind: str, error: BaseException, args: JobArgs, now: datetime) -> Attempt:
    """How an attempt ended that raised `error`, whatever that is. It never raises.

    A group, such as a task group makes of what its tasks raise, is what its gravest member is.

    Arguments:
        args: the job's, which are hidden in the evidence. `now`: for waits that end at a date.
    """
    return asked(partial(_said, kind, error, args), None) or failed(kind, error, args, now)


def failed(kind: str, error: BaseException, args: JobArgs | bytes, now: datetime) -> Raised:
    """The outcome of an attempt that `error` ended, which is none of the engine's own words. It never raises."""
    classification = classify(error, now)
    reason = "permanent" if classification.failure is FailureClass.PERMANENT else "error"
    if asked(lambda: any(isinstance(one, SoftTimeoutError) for one in members_of(error)), otherwise=False):
        reason = _TIMED_OUT
    return Raised(failure_of(kind, error, strings_of(args)), classification, reason)


def timed_out(kind: str) -> Raised:
    """The outcome of an attempt that its hard timeout ended, whether or not its code took notice."""
    return Raised(failure_of(kind, HardTimeout()), TRANSIENT, _TIMED_OUT)


def _said(kind: str, error: BaseException, args: JobArgs) -> Attempt | None:
    spokesman = _spokesman(members_of(error))
    match spokesman:
        case HardTimeout():
            return timed_out(kind)
        case JobCancelled():
            return Stopped()
        case HandedOver():
            return Continued()
        case Awaiting(name=name, until=until):
            return Asked(name, until)
        case _:
            return None if spokesman is None else _refused(kind, spokesman, args)


def _refused(kind: str, error: BaseException, args: JobArgs) -> Raised | None:
    """The end of a job that asked for what Tidemill can't do, or was left without what it needs."""
    match error:
        case CodeChangedError(reason=reason):
            return Raised(refusal_of(kind, error, strings_of(args)), PERMANENT, reason)
        case InputError() | IntegrityError() | PayloadGoneError() | WaitTimeoutError():
            return Raised(refusal_of(kind, error, strings_of(args)), PERMANENT, error.code)
        case _:
            return None


def _spokesman(members: Sequence[BaseException]) -> BaseException | None:
    """Which of the exceptions says what becomes of the job; None if that is a matter of all of them."""
    for rank in _RANKS:
        for one in members:
            if isinstance(one, rank):
                return one
    # A hand-over and a wait go on in another invocation, where a failure beside them would go unnoticed.
    return members[0] if all(isinstance(one, HandedOver | Awaiting) for one in members) else None
