"""Jobs of a schedule that are made by hand: one now, or those of ticks that are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.errors import InputError, KeyConflictError, TidemillError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.names import check_job_id
from tidemill.domain.ports import JobReader
from tidemill.domain.schedule_row import ScheduleRow, ScheduleVersion, TickJob, cause_of, is_no_job
from tidemill.service.auditing import Auditor
from tidemill.service.schedule_request import old_args
from tidemill.service.submission import Submission
from tidemill.service.submitter import Receipt, Submitter

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# How often one tick may have been withdrawn: each time is a change made within two minutes before it.
_MOST_WITHDRAWN: Final = 100


@dataclass(frozen=True, slots=True)
class BackfilledTick:
    """One tick of a backfill.

    Attributes:
        at: Unix milliseconds.
        job_id: the job that it has, or would have.
        created: whether this backfill made it, or of a dry run would.
        error: why it could not be made; the same backfill may be repeated.
    """

    at: int
    job_id: str
    created: bool
    error: TidemillError | None = None


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a backfill did, or of a dry run would do, tick by tick."""

    ticks: tuple[BackfilledTick, ...]
    dry_run: bool

    @property
    def created(self) -> int:
        """How many jobs were made, or would be."""
        return sum(tick.created for tick in self.ticks)

    @property
    def failed(self) -> int:
        """How many could not be made."""
        return sum(tick.error is not None for tick in self.ticks)


@dataclass(frozen=True, slots=True)
class ScheduleRuns:
    """Makes jobs of schedules by hand; each time leaves its entry in the audit trail."""

    submitter: Submitter
    reader: JobReader
    auditor: Auditor

    def acting_as(self, actor: str) -> ScheduleRuns:
        """The same, for a caller of this name."""
        return replace(self, auditor=replace(self.auditor, actor=lambda: actor))

    def trigger(self, row: ScheduleRow, version: ScheduleVersion, job_id: str | None) -> Receipt:
        """See `Schedules.trigger`."""
        clock, random = self.submitter.clock, self.submitter.random
        chosen = time_ordered_id(clock.now_ms(), random.getrandbits(74)) if job_id is None else job_id
        ref = JobRef(row.ref.tenant, check_job_id(chosen, "job_id"))
        submission = _submission(row, old_args(version, self.submitter.registry), ref.id, clock.now_ms())
        with self.auditor.action("trigger", row.ref.tenant, {"schedule": row.ref.name}, jobs=[ref]) as tally:
            (result,) = self.submitter.submit([submission])
            if isinstance(result, TidemillError):
                raise result
            tally.add("submitted", ref, int(result.created))
        return result

    def backfill(
        self, row: ScheduleRow, version: ScheduleVersion, start: datetime, end: datetime, *, dry_run: bool
    ) -> Backfill:
        """See `Schedules.backfill`."""
        ticks = self._free(row, [TickJob(at) for at in _range(row, start, end, self.submitter.clock.now_ms())])
        if dry_run:
            return Backfill(tuple(BackfilledTick(t.at, row.job_id(t), job is None) for t, job in ticks), dry_run=True)
        args = old_args(version, self.submitter.registry)
        refs = [JobRef(row.ref.tenant, row.job_id(tick)) for tick, job in ticks if job is None]
        chosen = {"schedule": row.ref.name, "start": start.isoformat(), "end": end.isoformat()}
        with self.auditor.action("backfill", row.ref.tenant, chosen, jobs=refs) as tally:
            new = [tick for tick, job in ticks if job is None]
            results = self.submitter.submit([_submission(row, args, row.job_id(tick), tick.at) for tick in new])
            answers = dict(zip(new, results, strict=True))
            done = tuple(_backfilled(row, tick, answers.get(tick)) for tick, _ in ticks)
            for tick in done:
                if tick.created:
                    tally.add("submitted", JobRef(row.ref.tenant, tick.job_id))
            tally.add("failed", count=sum(tick.error is not None for tick in done))
        return Backfill(done, dry_run=False)

    def _free(self, row: ScheduleRow, ticks: Sequence[TickJob]) -> list[tuple[TickJob, Job | None]]:
        """For each tick the first of its ids that is not without a job for good, and the job that has it."""
        found: dict[int, tuple[TickJob, Job | None]] = {}
        left = list(ticks)
        for _ in range(_MOST_WITHDRAWN):
            jobs = self.reader.find([JobRef(row.ref.tenant, row.job_id(tick)) for tick in left]) if left else []
            met = list(zip(left, jobs, strict=True))
            found.update({tick.at: (tick, job) for tick, job in met if job is None or not is_no_job(job)})
            left = [tick.again for tick, job in met if job is not None and is_no_job(job)]
        return [found[tick.at] for tick in ticks if tick.at in found]


def _submission(row: ScheduleRow, args: JobArgs, job_id: str, at: int) -> Submission:
    return Submission(
        args,
        tenant=row.ref.tenant,
        lane=row.plan.lane,
        entity=row.plan.entity,
        job_id=job_id,
        causation_id=cause_of(row.ref.name),
        scheduled_at=at,
    )


def _backfilled(row: ScheduleRow, tick: TickJob, result: object) -> BackfilledTick:
    error = result if isinstance(result, TidemillError) and not isinstance(result, KeyConflictError) else None
    return BackfilledTick(tick.at, row.job_id(tick), isinstance(result, Receipt) and result.created, error)


def _range(row: ScheduleRow, start: datetime, end: datetime, now_ms: int) -> list[int]:
    first, until = _ms(start, "start"), _ms(end, "end")
    if until <= first:
        raise InputError.at("end", "must be later than the start", "range")
    if until > now_ms + 1:
        raise InputError.at("end", "must not be in the future: a backfill is for ticks that are over", "future")
    if until - first > limits.MAX_DELAY // timedelta(milliseconds=1):
        raise InputError.at("end", f"must be within {limits.MAX_DELAY.days} days after the start", "range")
    fires = list(islice(takewhile(lambda at: at < until, row.plan.fires(first - 1)), limits.MAX_BACKFILL + 1))
    if len(fires) > limits.MAX_BACKFILL:
        problem = f"makes more than {limits.MAX_BACKFILL} ticks. Fix: backfill a shorter range after the other"
        raise InputError.at("end", problem, "too_many")
    return fires


def _ms(moment: datetime, field: str) -> int:
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise InputError.at(field, "must be a datetime with a time zone", "naive")
    return (moment - _EPOCH) // timedelta(milliseconds=1)
