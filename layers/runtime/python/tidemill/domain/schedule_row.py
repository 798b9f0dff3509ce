"""Schedules that are made while the stack runs: rows of the jobs table that make a job at each of their times.

A *tick* is one time of a schedule. Times are Unix milliseconds.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from tidemill.domain.cron import Cron, Timing
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.overlap import Overlap

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


class Missed(StrEnum):
    """What becomes of the ticks that the sweep was too late for."""

    SKIP = "skip"
    # One job for all of them, which is that of the latest.
    RUN_ONCE = "run_once"
    # Each of the latest `missed_limit` gets its job.
    RUN_ALL = "run_all"


class Change(StrEnum):
    """What made a version."""

    CREATED = "created"
    CHANGED = "changed"
    PAUSED = "paused"
    RESUMED = "resumed"
    REVERTED = "reverted"
    DELETED = "deleted"


class NoJob(StrEnum):
    """Why the id of a tick belongs to a record that is cancelled and that no job will ever be."""

    SKIPPED = "tick_skipped"
    MISSED = "tick_missed"
    # The schedule was changed, paused or deleted before the tick's time.
    WITHDRAWN = "tick_withdrawn"


_NO_JOB: Final = frozenset(reason.value for reason in NoJob)


@dataclass(frozen=True, slots=True)
class ScheduleRef:
    """Which schedule: the tenant is part of the identity."""

    tenant: str
    name: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.name}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a schedule does, but for the arguments, which only its versions hold.

    Attributes:
        since: from when an `Every` counts; its first tick is one span later.
        entity: what the jobs are about, where `lane` is FIFO.
        missed_limit: how many missed ticks `run_all` makes up for.
        jitter: each tick's job starts at some time within it after the tick. See `ScheduleRow.start_of`.
        declared: the program's code declares the schedule, and the janitor keeps the row as the code says.
    """

    kind: str
    timing: Timing
    since: int
    lane: str
    entity: str | None = None
    overlap: Overlap = Overlap.ALLOW
    missed: Missed = Missed.RUN_ONCE
    missed_limit: int = 1
    jitter: timedelta | None = None
    declared: bool = False

    @property
    def in_order(self) -> bool:
        """Whether the jobs' lane is FIFO, where no job can be sent ahead of its time."""
        return self.entity is not None

    def fires(self, after: int) -> Iterator[int]:
        """All ticks later than `after`, in their order."""
        if isinstance(self.timing, Cron):
            return (_ms(fire) for fire in self.timing.fires(_datetime(after)))
        span = self.timing.span // _MILLISECOND
        first = max((after - self.since) // span + 1, 1)
        return (self.since + number * span for number in _counting(first))

    def first_fire(self, after: int) -> int | None:
        """The first tick later than `after`; None if there is none any more."""
        return next(self.fires(after), None)

    def same_times(self, other: Plan) -> bool:
        """Whether both fire at the same times."""
        return (self.timing, self.since) == (other.timing, other.since)


@dataclass(frozen=True, slots=True)
class TickJob:
    """One tick's job. `number` grows by one each time that the one before was withdrawn or dropped."""

    at: int
    number: int = 0

    @property
    def again(self) -> TickJob:
        """The next job of the same tick."""
        return TickJob(self.at, self.number + 1)


@dataclass(frozen=True, slots=True)
class Settling:
    """What is to be done before a new version makes its first job.

    Attributes:
        ticks: those of earlier versions that may have been sent and are not to run.
        base: the new version's ticks are those later than this.
    """

    ticks: tuple[TickJob, ...]
    base: int


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One schedule as the table knows it. Every write of it raises `revision`.

    Attributes:
        version: grows with every change by a person, and never begins anew under one name.
        next_at: the first tick that is not dealt with; None if it is paused or has none left.
        made: the ticks whose jobs were made last, the latest last: `MADE_KEPT` of them.
        again: ticks still to come whose earlier jobs were withdrawn.
        waiting: the tick at `next_at` waits for another job to be over.
        problem: why the tick at `next_at` could not be made.
        ticks, late, skipped, missed: how many were made, and of those were late; how many were not made, and why.
        last_missed: the latest tick that was missed.
    """

    ref: ScheduleRef
    plan: Plan
    version: int
    revision: int
    created_at: int
    changed_at: int
    next_at: int | None
    paused: bool = False
    deleted: bool = False
    settling: Settling | None = None
    made: tuple[TickJob, ...] = ()
    again: tuple[TickJob, ...] = ()
    waiting: bool = False
    problem: str = ""
    ticks: int = 0
    late: int = 0
    skipped: int = 0
    missed: int = 0
    last_missed: int | None = None

    @property
    def due_at(self) -> int | None:
        """From when the sweep has something to do with it; at once while it is settling."""
        if self.settling is not None:
            return 0
        return None if self.next_at is None else self.start_of(self.next_at)

    def start_of(self, at: int) -> int:
        """From when the job of the tick at `at` may run, which is the same whoever asks.

        Some second within the jitter and before the next tick, so that ticks keep their order.
        """
        if self.plan.jitter is None:
            return at
        following = self.plan.first_fire(at)
        window = self.plan.jitter // _MILLISECOND
        if following is not None:
            window = min(window, following - at)
        digest = hashlib.sha256(f"tidemill jitter\n{self.ref.tenant}\n{self.ref.name}\n{at}".encode()).digest()
        return at + int.from_bytes(digest[:8], "big") % (window // 1_000) * 1_000

    def tick(self, at: int) -> TickJob:
        """The job that the tick at `at` has, or is to have."""
        known = {tick.at: tick for tick in (*self.made, *self.again)}
        return known.get(at, TickJob(at))

    def job_id(self, tick: TickJob) -> str:
        """The id of a tick's job."""
        return tick_job_id(self.ref, self.created_at, tick)

    def revised(self, **changes: object) -> ScheduleRow:
        """This row with changes, as its next revision."""
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]  # fields of this class


@dataclass(frozen=True, slots=True)
class ScheduleVersion:
    """What a schedule was from `at` on, who made it so, and how.

    Attributes:
        args: the jobs' arguments as canonical JSON.
        actor: an AWS ARN, the subject of a token, or `unknown`.
        reverted_to: the version that it is equal to, if it was made by returning to one.
    """

    ref: ScheduleRef
    number: int
    change: Change
    plan: Plan
    args: bytes
    paused: bool
    at: int
    actor: str
    reverted_to: int | None = None


def cause_of(name: str) -> str:
    """What a job that this schedule made names as its cause."""
    return f"schedule:{name}"


def is_no_job(job: Job) -> bool:
    """Whether the record stands for a tick that has no job under this id."""
    return job.state is State.CANCELLED and job.reason in _NO_JOB


def tick_job_id(ref: ScheduleRef, created_at: int, tick: TickJob) -> str:
    """The id of one tick's job, which is the same whoever makes it and however often.

    A UUIDv8 (RFC 9562: content of our own). `created_at` tells a schedule from an earlier one of its name.
    """
    text = f"tidemill schedule\n{ref.tenant}\n{ref.name}\n{created_at}\n{tick.at}\n{tick.number}"
    value = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return str(uuid.UUID(int=value & ~(0b11 << 62) | 0b10 << 62))


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND


def _datetime(at: int) -> datetime:
    return _EPOCH + at * _MILLISECOND


def _counting(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1
