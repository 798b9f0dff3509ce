"""The record after a verdict: what every store writes, computed in one place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete, Cost, Expire, Park, RetryLater, Stop, Verdict
from tidemill.domain.payload import Stored

# What only a job that still goes on has.
_OVER: Final[dict[str, Any]] = {
    "owns_args": False,
    "watched": False,
    "cancel_asked": False,
    "progress": None,
    "repeats": 0,
}


def verb_of(verdict: Verdict) -> Verb:
    """The move that a verdict is."""
    match verdict:
        case Complete():
            return Verb.COMPLETE
        case RetryLater():
            return Verb.RETRY
        case Park(for_answer=for_answer):
            return Verb.WAIT if for_answer else Verb.PARK
        case Bury():
            return Verb.BURY
        case Expire():
            return Verb.EXPIRE
        case Stop():
            return Verb.STOP


def concluded(job: Job, verdict: Verdict, now_ms: int) -> Job:
    """`job`, which runs, after `verdict` was recorded at `now_ms`."""
    ended = job.concluded + 1
    match verdict:
        case Complete(result, keep_until):
            # What went wrong on the way stands in the evidence, not in a job that succeeded.
            done = _final(job, State.SUCCEEDED, now_ms, keep_until, concluded=ended, reason=None, error=None)
            is_stored = isinstance(result, Stored)
            return replace(done, result=None if isinstance(result, Stored) else result, has_result_item=is_stored)
        case Expire(keep_until):
            return _final(job, State.EXPIRED, now_ms, keep_until, concluded=ended, reason="expired")
        case Stop(keep_until):
            return _final(job, State.CANCELLED, now_ms, keep_until, concluded=ended, reason="cancelled")
        case Bury(reason, failure, keep_until):
            dead = _final(job, State.DEAD, now_ms, keep_until, concluded=ended)
            return replace(dead, reason=reason, error=failure.fingerprint, owns_args=True)
        case RetryLater() | Park():
            return replace(_waiting(job, verdict), concluded=ended)


def cancelled(job: Job, now_ms: int, keep_until: int) -> Job:
    """`job`, which waits, after it was cancelled."""
    return _final(job, State.CANCELLED, now_ms, keep_until, reason="cancelled")


def killed(job: Job, now_ms: int, keep_until: int) -> Job:
    """`job`, which runs, after it was killed."""
    return _final(job, State.CANCELLED, now_ms, keep_until, reason="killed")


def revived(job: Job, sent_at: int) -> Job:
    """`job`, which the table answers for, after its message was sent at `sent_at` (Unix ms)."""
    return replace(
        job,
        state=State.QUEUED,
        # The lease that a running job had is over; only a due time is still to be waited for.
        claimable_at=job.claimable_at if job.state is State.SCHEDULED else 0,
        progress=None,
        watched=False,
        ttl_s=max(job.ttl_s, message_ttl_s(sent_at)),
    )


def extended(job: Job, lease_until: int, progress: str | None) -> Job:
    """`job`, which runs, after a sign of life."""
    return replace(job, claimable_at=lease_until, progress=progress or job.progress)


def asked_to_stop(job: Job) -> Job:
    """`job`, which runs, after somebody asked to cancel it."""
    return replace(job, cancel_asked=True)


def reported_dead(job: Job, held: Held, now_ms: int, keep_until: int) -> Job:
    """`job` after its message was found in the DLQ though no worker had said that it is dead."""
    dead = _final(job, State.DEAD, now_ms, keep_until)
    reason = "crashed" if job.attempt else "never_ran"
    return replace(dead, held=held, reason=reason, owns_args=True)


def rescued(job: Job, now_ms: int) -> Job:
    """`job`, which waited for its next attempt, after its message was found in the DLQ: the table sends it anew."""
    return replace(job, state=State.SCHEDULED, owns_args=True, ttl_s=max(job.ttl_s, message_ttl_s(now_ms)))


def final_ttl_s(job: Job, keep_until: int) -> int:
    """When the finished record may be garbage collected, in Unix seconds.

    After its retention, and not before the last message that could still name it is gone (its ttl so far).
    """
    return max(job.ttl_s, keep_until // 1000 + 1)


def message_ttl_s(sent_at: int) -> int:
    """Until when a message sent at `sent_at` (Unix ms) could still come back, in Unix seconds."""
    return sent_at // 1000 + int(limits.STATE_HORIZON.total_seconds())


def _final(job: Job, state: State, now_ms: int, keep_until: int, **changes: Any) -> Job:
    return replace(
        job,
        state=state,
        claimable_at=None,
        finished_at=now_ms,
        keep_until=keep_until,
        ttl_s=final_ttl_s(job, keep_until),
        **{**_OVER, **changes},
    )


def _error(job: Job, verdict: RetryLater | Park) -> str | None:
    """The last failure. One that repeats is remembered over what happens to the job in between."""
    keeps = verdict.failure is None or (verdict.cost is Cost.DEFERRAL and job.repeats)
    return job.error if keeps or verdict.failure is None else verdict.failure.fingerprint


def _waiting(job: Job, verdict: RetryLater | Park) -> Job:
    parked = isinstance(verdict, Park)
    return replace(
        job,
        state=State.SCHEDULED if parked else State.RETRYING,
        claimable_at=verdict.at,
        wait_ms=verdict.wait_ms,
        attempt=job.attempt if verdict.cost is Cost.ATTEMPT else job.attempt - 1,
        deferrals=job.deferrals + 1 if verdict.cost is Cost.DEFERRAL else job.deferrals,
        reason=verdict.reason,
        repeats=verdict.repeats,
        watched=False,
        progress=None,
        error=_error(job, verdict),
        owns_args=parked,
        # The record must outlive the message that the sweep will send when the job is due.
        ttl_s=max(job.ttl_s, message_ttl_s(verdict.at)),
    )
