"""The heart: from how an attempt ended to what becomes of the job. One pure function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from functools import partial
from typing import Final

from tidemill.domain import limits
from tidemill.domain.classify import FailureClass
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.failure import Failure, fingerprint
from tidemill.domain.job import Job
from tidemill.domain.outcome import (
    Asked,
    Attempt,
    Bury,
    Complete,
    Continued,
    Cost,
    Expire,
    Park,
    Raised,
    RetryLater,
    Returned,
    Stop,
    Stopped,
    Suspect,
    TooLate,
    Untouched,
    Verdict,
)
from tidemill.domain.retry import Retry
from tidemill.domain.waiting import awaited, reason_of

# The reason that a job carries from a checkpoint on: it has started, whatever its attempts say.
HANDED_OVER: Final = "handed_over"


@dataclass(frozen=True, slots=True)
class Waits:
    """How the message of a job may wait.

    Arguments:
        receives: how often SQS has handed it out. Near `MAX_RECEIVES` a waiting job is parked, because SQS
            would move its message to the DLQ though the job has attempts left.
        in_order: its lane is FIFO. Parked, it would be overtaken by its successors, so it always waits in the queue.
        age: since its message was sent.
        watched: the job was claimed straight from `scheduled`, maybe by a copy of its message that is gone by now:
            it never waits in the queue.
        unheard: the job was asked to stop, and failed before it was told: it waits for nothing.
    """

    receives: int
    in_order: bool = False
    age: timedelta = timedelta(0)
    watched: bool = False
    unheard: bool = False

    def parks(self, wait: timedelta) -> bool:
        """Whether the job waits in the table rather than in the queue."""
        if self.in_order:
            return False
        return self.watched or wait > limits.MAX_IN_QUEUE_WAIT or self.receives >= limits.MAX_RECEIVES - 1

    def end(self, wait: timedelta) -> str | None:
        """Why the job can't wait that long, where no parking can help; None if it can."""
        if not self.in_order:
            return None
        if self.receives >= limits.MAX_FIFO_RECEIVES:
            # SQS gives up on the message after this receive.
            return "receives_exhausted"
        # Others wait behind it, and SQS deletes what waits too long.
        return "waited_too_long" if self.age + wait > limits.MAX_IN_ORDER_AGE else None

    def stretched(self, wait: timedelta, longer: Callable[[int], timedelta]) -> timedelta:
        """`wait`, made longer once half of the receives are gone, so that the others last as long as a job may wait.

        Arguments:
            longer: the least wait, given how many receives are beyond that half.
        """
        beyond = self.receives - limits.MAX_FIFO_RECEIVES // 2
        return max(wait, longer(beyond)) if self.in_order and beyond > 0 else wait


def decide(
    job: Job,
    attempt: Attempt,
    *,
    retry: Retry,
    retention: Retention,
    waits: Waits,
    now_ms: int,
    random: Callable[[], float],
) -> Verdict:
    """What becomes of `job`, which was claimed and whose attempt ended as `attempt`.

    Arguments:
        retry, retention: of the job's kind.
        waits: how its message may wait.
        now_ms: Unix milliseconds. `random`: a float in [0, 1) per call.
    """
    kept_until = now_ms + milliseconds(retention.result)
    match attempt:
        case Returned(result):
            return Complete(result, kept_until)
        case TooLate():
            return Expire(kept_until)
        case Stopped():
            return Stop(kept_until)
        case Asked(name, until):
            reason, evidence_until = reason_of(name), now_ms + milliseconds(retention.dead + limits.STATE_HORIZON)
            return Park(until, 0, Cost.NOTHING, reason, None, evidence_until, for_answer=True)
        case Raised():
            verdict = _failed(job, attempt, retry, retention, waits, now_ms, random)
            if waits.unheard and isinstance(verdict, RetryLater | Park):
                verdict = _at_once(verdict, waits, now_ms)
        case _:
            verdict = _idle(job, attempt, retry, waits, now_ms, random)
    if isinstance(verdict, RetryLater):
        return _unless_over(job, verdict, waits, now_ms + milliseconds(retention.dead))
    return verdict


def _failed(
    job: Job,
    raised: Raised,
    retry: Retry,
    retention: Retention,
    waits: Waits,
    now_ms: int,
    random: Callable[[], float],
) -> Verdict:
    classification, keep = raised.classification, retention.dead
    deferred = _deferral(job, raised, retry)
    repeats = _repeats(job, raised)
    fatal = None if deferred else _end(job, raised, retry, repeats)
    if fatal is not None:
        return Bury(fatal, raised.failure, now_ms + milliseconds(keep))
    previous = _previous(job)
    if deferred:
        # One that names no time is asked again ever more rarely, whatever the kind's own delays are.
        longer = partial(retry.deferral_delay, previous=previous, random=random)
        wait = waits.stretched(classification.wait or longer(job.deferrals + 1), longer)
        # It says nothing of the job itself: what the job failed of before is still in a row.
        deferral = _wait(waits, wait, now_ms, Cost.DEFERRAL, deferred, raised, keep=keep)
        return replace(deferral, repeats=job.repeats)
    # A server that asks for more time than the policy gives it is heard, though the attempt is spent.
    least = classification.wait or seconds(0)
    wait = max(retry.delay(job.tries, min(previous, retry.grown(job.tries - 1)), random), least)
    return replace(_wait(waits, wait, now_ms, Cost.ATTEMPT, raised.reason, raised, keep=keep), repeats=repeats)


def _at_once(verdict: RetryLater | Park, waits: Waits, now_ms: int) -> RetryLater | Park:
    """The wait of a job that failed before it could hear that it is to stop: there is nothing to wait for."""
    shape = Park if waits.parks(seconds(0)) else RetryLater
    named = {field.name: getattr(verdict, field.name) for field in fields(RetryLater)}
    return shape(**{**named, "at": now_ms, "wait_ms": 0})


def _unless_over(job: Job, verdict: RetryLater, waits: Waits, keep_until: int) -> RetryLater | Bury:
    """The wait, or the job's end if its message can't wait any longer."""
    over = waits.end(timedelta(milliseconds=verdict.wait_ms))
    if over is None:
        return verdict
    most = f"{limits.MAX_FIFO_RECEIVES} receives and {limits.MAX_IN_ORDER_AGE}"
    text = f"in a FIFO lane a message waits for {most} at most, because others wait behind it"
    never_failed = Failure("WaitsOver", text, "", fingerprint(job.kind, "WaitsOver", "", ""))
    return Bury(over, verdict.failure or never_failed, keep_until)


def _previous(job: Job) -> timedelta:
    return timedelta(milliseconds=job.wait_ms)


def _deferral(job: Job, raised: Raised, retry: Retry) -> str | None:
    """Why this failure costs no attempt; None if it does."""
    match raised.classification.failure:
        case FailureClass.RATE_LIMITED:
            return "rate_limited"
        case FailureClass.UNAVAILABLE if job.deferrals < retry.max_deferrals:
            return "unavailable"
        case _:
            return None


def _end(job: Job, raised: Raised, retry: Retry, repeats: int) -> str | None:
    """Why the job is dead now; None if it is not."""
    if raised.classification.failure is FailureClass.PERMANENT:
        return raised.reason
    if job.tries >= retry.max_attempts:
        return "attempts_exhausted"
    if retry.same_error_limit is not None and repeats >= retry.same_error_limit:
        return "repeating"
    return None


def _repeats(job: Job, raised: Raised) -> int:
    """How many times in a row the job has failed in this way, if it is one that time does not cure."""
    if not raised.classification.deterministic:
        return 0
    return job.repeats + 1 if job.error == raised.failure.fingerprint else 1


def _doubled(job: Job, wait: timedelta) -> timedelta:
    """`wait`, or twice the job's last one if that is longer; no wait stays none."""
    if not wait:
        return wait
    return min(max(wait, 2 * timedelta(milliseconds=job.wait_ms)), limits.MAX_PAYLOAD_WAIT)


def has_started(job: Job) -> bool:
    """Whether an attempt goes on with a job that an earlier one began: it does not expire any more."""
    return job.attempt > 1 or job.deferrals > 0 or job.reason == HANDED_OVER or awaited(job) is not None


def _idle(
    job: Job,
    attempt: Continued | Untouched | Suspect,
    retry: Retry,
    waits: Waits,
    now_ms: int,
    random: Callable[[], float],
) -> RetryLater | Park:
    """The attempt did not come to its job's end, and nothing is wrong with the job."""
    if isinstance(attempt, Continued):
        return _wait(waits, seconds(0), now_ms, Cost.NOTHING, HANDED_OVER)
    if isinstance(attempt, Suspect):
        wait, reason = limits.SUSPECT_SPACING * attempt.place, "runs_alone"
    else:
        longer = partial(retry.deferral_delay, previous=_previous(job), random=random)
        wait, reason = waits.stretched(_doubled(job, attempt.wait), longer), attempt.reason
    # It did not run: what is known of its earlier attempts stays.
    kept = job.reason if job.reason == HANDED_OVER or awaited(job) else None
    said = kept or reason
    return replace(_wait(waits, wait, now_ms, Cost.NOTHING, said), repeats=job.repeats)


def _wait(
    waits: Waits,
    wait: timedelta,
    now_ms: int,
    cost: Cost,
    reason: str,
    raised: Raised | None = None,
    *,
    keep: timedelta = timedelta(0),
) -> RetryLater | Park:
    shape = Park if waits.parks(wait) else RetryLater
    wait_ms = milliseconds(wait)
    # The job may still fail for days before it dies, and is kept from then on: the horizon covers 24 waits of 12 h.
    evidence_until = now_ms + milliseconds(keep + limits.STATE_HORIZON)
    failure = raised.failure if raised else None
    return shape(now_ms + wait_ms, wait_ms, cost, reason, failure, evidence_until)
