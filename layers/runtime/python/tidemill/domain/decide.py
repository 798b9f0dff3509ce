"""The heart: from how an attempt ended to what becomes of the job. One pure function."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tidemill.domain import limits
from tidemill.domain.classify import FailureClass
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.job import Job
from tidemill.domain.outcome import (
    Attempt,
    Bury,
    Complete,
    Expire,
    Park,
    Raised,
    RetryLater,
    Returned,
    TooLate,
    Untouched,
    Verdict,
)
from tidemill.domain.retry import Retry


def decide(
    job: Job,
    attempt: Attempt,
    *,
    retry: Retry,
    retention: Retention,
    receives: int,
    now_ms: int,
    random: Callable[[], float],
) -> Verdict:
    """What becomes of `job`, which was claimed and whose attempt ended as `attempt`.

    Arguments:
        retry, retention: of the job's kind.
        receives: how often SQS has handed out the message. Near `MAX_RECEIVES` a waiting job is
            parked, because SQS would move its message to the DLQ though the job has attempts left.
        now_ms: Unix milliseconds. `random`: a float in [0, 1) per call.
    """
    match attempt:
        case Returned(result):
            return Complete(result, now_ms + milliseconds(retention.result))
        case TooLate():
            return Expire(now_ms + milliseconds(retention.result))
        case Untouched():
            return _wait(seconds(0), receives, now_ms, spent=False, reason="no_time", raised=None)
        case Raised(classification=classification) if classification.failure is FailureClass.RATE_LIMITED:
            wait = classification.wait
            if wait is None:
                wait = retry.delay(job.tries, _previous(job), random)
            return _wait(
                wait, receives, now_ms, spent=False, reason="rate_limited", raised=attempt, keep=retention.dead
            )
        case Raised(classification=classification):
            permanent = classification.failure is FailureClass.PERMANENT
            if permanent or job.tries >= retry.max_attempts:
                reason = attempt.reason if permanent else "attempts_exhausted"
                return Bury(reason, attempt.failure, now_ms + milliseconds(retention.dead))
            wait = retry.delay(job.tries, _previous(job), random)
            return _wait(wait, receives, now_ms, spent=True, reason=attempt.reason, raised=attempt, keep=retention.dead)


def _wait(
    wait: timedelta,
    receives: int,
    now_ms: int,
    *,
    spent: bool,
    reason: str,
    raised: Raised | None,
    keep: timedelta = timedelta(0),
) -> RetryLater | Park:
    shape = Park if wait > limits.MAX_IN_QUEUE_WAIT or receives >= limits.MAX_RECEIVES - 1 else RetryLater
    wait_ms = milliseconds(wait)
    # The job may still fail for days before it dies, and is kept from then on: the horizon covers 24 waits of 12 h.
    evidence_until = now_ms + milliseconds(keep + limits.STATE_HORIZON)
    return shape(now_ms + wait_ms, wait_ms, spent, reason, raised.failure if raised else None, evidence_until)


def _previous(job: Job) -> timedelta:
    return timedelta(milliseconds=job.wait_ms)
