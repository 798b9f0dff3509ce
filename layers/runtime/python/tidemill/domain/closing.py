"""Making the job of a saga's step final before the step is undone: one pure decision.

Undone while its job may still run, a step would be applied after it was undone. So a job that never came is made
final before it comes, one that waits does not start any more, one that runs is waited for, and a dead one is never
redriven again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from tidemill.domain.conclusion import cancelled, killed
from tidemill.domain.errors import JobStateError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb

# The reason of a job that must not run any more, because its saga went on without it.
SAGA_OVER: Final = "saga_over"
# The reason of a job that was made final before it came, because somebody cancelled its saga.
SAGA_CANCELLED: Final = "saga_cancelled"


@dataclass(frozen=True, slots=True)
class Closed:
    """The job is over for good."""


@dataclass(frozen=True, slots=True)
class Move:
    """The job can be made final by this move, if it is still as it was read."""

    verb: Verb
    after: Job


@dataclass(frozen=True, slots=True)
class Wait:
    """A worker holds the job until then (Unix ms). `ask`: the request to stop, if nobody has made it."""

    until: int
    ask: Move | None


Closing: TypeAlias = Closed | Move | Wait


def closing(job: Job, now_ms: int, keep_until: int) -> Closing:
    """How the step's `job` becomes final.

    Arguments:
        now_ms, keep_until: Unix milliseconds; until when a job that this ends is kept.
    """
    if job.state is State.DEAD and not is_closed(job):
        return Move(Verb.CLOSE, closed(job))
    if job.state.is_final:
        return Closed()
    if job.state is not State.RUNNING:
        return Move(Verb.CANCEL, replace(cancelled(job, now_ms, keep_until), reason=SAGA_OVER))
    if (job.claimable_at or 0) < now_ms:
        # Its worker is gone: the lease outlasts every invocation.
        return Move(Verb.KILL, replace(killed(job, now_ms, keep_until), reason=SAGA_OVER))
    ask = None if job.cancel_asked else Move(Verb.ASK_CANCEL, replace(job, cancel_asked=True))
    return Wait(job.claimable_at or 0, ask)


def closed(job: Job) -> Job:
    """`job`, which is dead, after it was closed. A redrive that has read it before is refused by the fence."""
    return replace(job, reason=SAGA_OVER, fence=job.fence + 1, concluded=job.concluded + 1)


def is_closed(job: Job) -> bool:
    """Whether `job` is dead and stays so, because its saga went on without it."""
    return job.state is State.DEAD and job.reason == SAGA_OVER


def check_open(job: Job) -> None:
    """Refuse to let a dead job run again that was closed: what it did is undone, and it would do it once more.

    Raises:
        JobStateError: its saga is over.
    """
    if is_closed(job):
        raise JobStateError("redriven", job.ref.id, job.state, "its saga is over; start another saga")


def began(job: Job) -> bool:
    """Whether `job`, which is over, was ever claimed, so that it may have been applied."""
    # Closing a dead job took a fence too.
    return job.fence > (1 if is_closed(job) else 0)
