"""What becomes of the message, decided apart from what becomes of the job."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from tidemill.domain import limits
from tidemill.domain.closing import SAGA_OVER
from tidemill.domain.decide import Waits
from tidemill.domain.duration import milliseconds
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete, Expire, Park, RetryLater, Stop, Verdict


@dataclass(frozen=True, slots=True)
class Ack:
    """The message has done its work: SQS deletes it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The message stays and is hidden until `until` (Unix ms); 0 shows it at once.

    With `until=None` the visibility stays as it is: it ends with the lease.
    """

    until: int | None

    def seconds_from(self, now_ms: int) -> int:
        """Whole seconds of visibility, rounded up so that the message is never early."""
        wait = math.ceil(max((self.until or 0) - now_ms, 0) / 1000)
        return min(wait, int(limits.MAX_HIDING.total_seconds()))


@dataclass(frozen=True, slots=True)
class Unasked:
    """The table did not answer, so that nobody knows what becomes of the message.

    An outage of the table must not use up the receives of the jobs that meet it: it is hidden ever longer.
    """

    def hold(self, receives: int, lease_until: int, now_ms: int, *, in_order: bool) -> Hold:
        """How long it is hidden.

        Arguments:
            receives: how often SQS has handed it out.
            lease_until: when the lease of a claim would end, Unix milliseconds: one whose answer was lost may hold
                the job until then.
            in_order: its lane is FIFO. Others wait behind it, and it has more receives.
        """
        longest = limits.MAX_UNASKED_FIFO_HOLD if in_order else limits.MAX_UNASKED_HOLD
        # No more doublings than a timedelta holds: by then it is the longest anyway.
        wait = limits.UNASKED_HOLD * (1 << min(receives, limits.MAX_RECEIVES) - 1)
        return Hold(max(lease_until + milliseconds(limits.SHORT_HOLD), now_ms + milliseconds(min(wait, longest))))


Settlement: TypeAlias = Ack | Hold | Unasked

ACK: Final = Ack()
# Straight on to the DLQ: each receive at visibility 0 brings SQS's own move nearer.
TO_DLQ: Final = Hold(until=0)
LEAVE: Final = Hold(until=None)
UNASKED: Final = Unasked()
# A sweep may have sent what is due within this time, by its own clock.
_SWEEP_REACH_MS: Final = milliseconds(limits.SWEEP_AHEAD + limits.CLOCK_SKEW)


def settle(verdict: Verdict) -> Settlement:
    """The settlement of the message whose job's `verdict` was recorded."""
    match verdict:
        case Complete() | Expire() | Park() | Stop():
            return ACK
        case RetryLater(at=at):
            return Hold(at)
        case Bury():
            # Never acked, so that SQS itself moves it and the console's redrive "to source" works.
            return TO_DLQ


def settle_fenced_out(job: Job | None) -> Settlement:
    """The settlement for a worker that lost its fence. Losing it does not mean that somebody finished."""
    return ACK if job is not None and job.state in (State.SUCCEEDED, State.CANCELLED) else LEAVE


class Revival(StrEnum):
    """Why a message opens a new generation of a final job."""

    REDRIVE = "redrive"
    RERUN = "rerun"


@dataclass(frozen=True, slots=True)
class Mine:
    """The claim went through although its answer was lost: the record names this delivery as owner."""


@dataclass(frozen=True, slots=True)
class Shelve:
    """The job was postponed while this message was in its queue: the table takes it over, and then sends it anew."""


Refused: TypeAlias = Ack | Hold | Revival | Mine | Shelve


def settle_refused(
    job: Job, held: Held, *, generation: int, fingerprint: str, owner: str, now_ms: int, waits: Waits
) -> Refused:
    """What to do with a message whose claim was refused because the record stood as `job`.

    Arguments:
        held: the message. `generation`, `fingerprint`: what its envelope says.
        owner: this delivery's name as a lease holder.
        waits: how the message may wait.
    """
    if job.fingerprint != fingerprint:
        # The loser of two submits with one key and other arguments; its caller was refused.
        return ACK
    if job.state.is_final:
        return _settle_final(job, held, generation)
    if job.state is State.RUNNING and job.owner == owner:
        return Mine()
    if is_needless(job, held, now_ms):
        return ACK
    if generation == job.generation and _is_postponed(job, now_ms, waits):
        return Shelve()
    return Hold(max(job.claimable_at or 0, now_ms + milliseconds(limits.SHORT_HOLD)))


def _is_postponed(job: Job, now_ms: int, waits: Waits) -> bool:
    """Whether the job waits for a time that its queue can't wait for, and nobody else has its arguments.

    Whatever the table has the arguments of is sent anew, so that its other copies are spare.
    """
    wait_ms = (job.claimable_at or 0) - now_ms
    return (
        job.state is State.QUEUED and not job.owns_args and wait_ms > 0 and waits.parks(timedelta(milliseconds=wait_ms))
    )


def is_needless(job: Job, held: Held, now_ms: int) -> bool:
    """Whether a job that is not over has another message, or the table's care, and does not need this one."""
    return _is_older(job, held) or (job.state is State.SCHEDULED and job.owns_args and _is_spare(job, held, now_ms))


def _is_older(job: Job, held: Held) -> bool:
    """Whether the job was claimed by a message that was sent later, which is still there or in the table's care."""
    newer = job.held
    return newer is not None and not job.watched and newer.send_id != held.send_id and held.sent_at < newer.sent_at


def _is_spare(job: Job, held: Held, now_ms: int) -> bool:
    """Whether a job that the table sends when it is due does not need this copy of its message.

    Not needed is the very send that was claimed before the job was parked: a sweep sends under a name of its own.
    Another one may be what a sweep has just sent and is about to mark, once the due time is near.
    """
    if job.held is not None and held.send_id == job.held.send_id:
        return True
    return (job.claimable_at or 0) > now_ms + _SWEEP_REACH_MS


def _settle_final(job: Job, held: Held, generation: int) -> Refused:
    if job.reason == SAGA_OVER:
        # Nothing makes it run again, whoever puts its message back.
        return ACK
    if job.state is not State.SUCCEEDED and generation > job.generation:
        return Revival.RERUN
    if job.state is not State.DEAD:
        return ACK
    if job.held is not None and held.is_redrive_of(job.held):
        return Revival.REDRIVE
    # Only the send that died belongs into the DLQ; another copy of it would be redriven twice.
    return TO_DLQ if job.held is not None and held.send_id == job.held.send_id else ACK
