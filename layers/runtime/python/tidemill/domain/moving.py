"""Moving a job that waits to another time: which move of the lifecycle that is, or why it is none. Pure.

What decides is where the job's arguments are. The table sends whatever it has the arguments of, at any time. Of any
other queued job only the message has them, and SQS delivers it when its delay ends, whatever anybody wants by then:
such a job can be held back, and can't be called forward.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.decide import HANDED_OVER
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, JobStateError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.waiting import awaited

# The due time of what is due at once: no clock that is behind waits for it.
AT_ONCE: Final = 0
_FIXES: Final = {
    State.RUNNING: "it has started; cancel it if it must not go on",
    State.RETRYING: f"its next attempt is at most {limits.MAX_IN_QUEUE_WAIT.seconds} s away; cancel it, or let it run",
    State.DEAD: "redrive it",
}


def moved(job: Job, due_ms: int, now_ms: int, field: str) -> tuple[Verb, Job] | None:
    """The move that lets `job` start at `due_ms` and not before, and the record after it; None if nothing has to move.

    Arguments:
        due_ms: Unix milliseconds; what is not after `now_ms` is at once.
        field: what the caller calls the time, for errors.

    Raises:
        JobStateError: its state does not allow it, or it can't be called forward.
        InputError: it would expire before, or wait longer than what it remembers is kept.
    """
    if job.state not in (State.SCHEDULED, State.QUEUED):
        over = "it is over; submit it again" if job.state.is_final else ""
        raise JobStateError("moved", job.ref.id, job.state, _FIXES.get(job.state, over))
    due_ms = AT_ONCE if due_ms <= now_ms else due_ms
    stands = AT_ONCE if (job.claimable_at or 0) <= now_ms else job.claimable_at
    if due_ms == stands and (job.state is State.QUEUED or job.claimable_at == due_ms):
        return None
    _check_end(job, due_ms, now_ms, field)
    ttl_s = max(job.ttl_s, message_ttl_s(max(due_ms, now_ms)))
    if job.state is State.SCHEDULED:
        return Verb.MOVE, replace(job, claimable_at=due_ms, ttl_s=ttl_s)
    if job.owns_args:
        return Verb.SHELVE, shelved(replace(job, ttl_s=ttl_s), due_ms)
    if due_ms < (job.claimable_at or 0):
        raise JobStateError(
            "moved to an earlier time",
            job.ref.id,
            job.state,
            "submit such jobs with durable_args=True; the arguments of this one are only in its queue, which keeps "
            "them until the delay is over",
        )
    return Verb.POSTPONE, replace(job, claimable_at=due_ms, ttl_s=ttl_s)


def check_unordered(lane: str, field: str, *, is_ordered: bool) -> None:
    """Raise InputError naming `field` if the lane keeps an order: a job that is late there would be overtaken."""
    if is_ordered:
        raise InputError.at(
            field,
            f"is not possible in lane {lane!r}, which is FIFO: later jobs of the entity would overtake this one. "
            "Fix: cancel the job and submit another one when it is time",
            "fifo_lane",
        )


def shelved(job: Job, due_ms: int) -> Job:
    """`job`, which was queued, after the table took it over to send it at `due_ms`."""
    ttl_s = max(job.ttl_s, message_ttl_s(due_ms))
    return replace(job, state=State.SCHEDULED, claimable_at=due_ms, owns_args=True, ttl_s=ttl_s)


def is_later(before: Job, after: Job) -> bool:
    """Whether the job waits longer than it would have, so that what is kept for it must be kept longer."""
    return (after.claimable_at or 0) > (before.claimable_at or 0)


def _check_end(job: Job, due_ms: int, now_ms: int, field: str) -> None:
    has_started = job.attempt or job.deferrals or job.reason == HANDED_OVER or awaited(job) is not None
    if job.expires_at is not None and not has_started and due_ms >= job.expires_at:
        problem = f"is not before the job's own end, {_written(job.expires_at)}: it could never run"
        raise InputError.at(field, problem, "range")
    longest = _longest(job, now_ms)
    if due_ms > longest:
        problem = f"is after {_written(longest)}, until when what the job remembers of its attempts is kept"
        raise InputError.at(field, problem, "range")


def _longest(job: Job, now_ms: int) -> int:
    """Until when it may wait at the most, Unix milliseconds.

    What a job remembers outlives its last attempt by the longest delay (`limits.MEMORY_HORIZON`), and no move changes
    that: steps that are forgotten would be done again.
    """
    if not job.fence:
        return now_ms + milliseconds(limits.MAX_DELAY)
    if job.started_at is None:
        # A later generation that has not started: when the earlier one did is not known any more.
        return max(job.claimable_at or 0, now_ms)
    return job.started_at + milliseconds(limits.MAX_DELAY)


def _written(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()
