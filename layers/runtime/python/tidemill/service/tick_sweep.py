"""The janitor's look at the schedules: each minute, every tick of the next two minutes gets its job.

For one tick, and after a crash between any two steps:

1. The job is submitted under the tick's id: sent, then recorded. Crash: the row still names the tick, the next sweep
   submits it again, and the id makes one job of both.
2. The row moves on to the next tick, if it is still the one that was read.

A tick that is to have no job gets a record that says so first, so that nobody who read the row before can make it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeAlias

from tidemill.domain import limits
from tidemill.domain.errors import (
    InputError,
    InvalidArgsError,
    KeyConflictError,
    TidemillError,
    UnavailableError,
    Violation,
)
from tidemill.domain.job import Job, JobRef
from tidemill.domain.overlap import Overlap
from tidemill.domain.ports import Clock, JobReader, Kept, ScheduleStore, Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.domain.schedule_row import NoJob, ScheduleRef, ScheduleRow, ScheduleVersion, TickJob, cause_of, is_no_job
from tidemill.domain.ticking import AHEAD_MS, Drop, Leave, Make, Step, Wait, decide_tick, dropped, is_late, made
from tidemill.service.declared_schedules import ACTOR, DeclaredSchedules
from tidemill.service.schedule_change import Changing
from tidemill.service.schedule_request import old_args
from tidemill.service.submission import Submission
from tidemill.service.submitter import Receipt, SubmitResult, Submitter
from tidemill.service.tick_withdrawal import Withdrawing

_Versions: TypeAlias = dict[tuple[ScheduleRef, int], ScheduleVersion]


@dataclass(frozen=True, slots=True)
class TickSweep:
    """Makes the jobs of schedules that are due."""

    registry: JobRegistry
    rows: ScheduleStore
    submitter: Submitter
    reader: JobReader
    withdrawing: Withdrawing
    clock: Clock
    telemetry: Telemetry

    def run(self, deadline_ms: int | None = None) -> int:
        """Deal with every tick until two minutes from now; answers how many jobs were made.

        It ends at `deadline_ms` (Unix milliseconds), and the next run goes on with the earliest.

        Raises:
            UnavailableError: the rows that are due can't be read.
        """
        declared = self._declared
        declared.keep()
        total, cursor = 0, None
        while self._is_before(deadline_ms):
            # Before the rows are read: whoever changes one knows how far ahead of that a sweep of the old one looks.
            now_ms = self.clock.now_ms()
            page = self.rows.due(now_ms + AHEAD_MS, limits.MAX_PAGE, cursor)
            total += self._deal_with(declared.standing(page.rows), now_ms, deadline_ms)
            cursor = page.cursor
            if cursor is None:
                break
        return total

    def _deal_with(self, rows: Sequence[ScheduleRow], now_ms: int, deadline_ms: int | None) -> int:
        rounds = _Rounds(self, now_ms)
        while rows and self._is_before(deadline_ms):
            rows = rounds.take(rows)
        return rounds.made

    def _is_before(self, deadline_ms: int | None) -> bool:
        return deadline_ms is None or self.clock.now_ms() < deadline_ms

    @property
    def _declared(self) -> DeclaredSchedules:
        changing = Changing(self.rows, self.withdrawing, self.clock, lambda: ACTOR)
        return DeclaredSchedules(self.registry, changing, self.telemetry)


@dataclass
class _Rounds:
    """One page of rows, each taken a step further in each round.

    Arguments:
        now_ms: the time at which the page was asked for. However long the rounds take, they look no further ahead.
    """

    sweep: TickSweep
    now_ms: int
    made: int = 0
    _versions: _Versions = field(default_factory=dict)

    def take(self, rows: Sequence[ScheduleRow]) -> list[ScheduleRow]:
        """Take each row one step further; answers those that may have more to be done."""
        ready = [row if row.settling is None else self._settled(row) for row in rows]
        standing = [row for row in ready if row is not None]
        busy = self._busy(standing)
        steps: list[tuple[ScheduleRow, Step]] = []
        for row in standing:
            step = self._decide(row, is_busy=row.ref in busy)
            if not isinstance(step, Leave):
                steps.append((row, step))
        results = self._submit([(row, step.tick) for row, step in steps if isinstance(step, Make)])
        after = [self._end(row, step, results.get(row.ref)) for row, step in steps]
        return [row for row in after if row is not None]

    def _settled(self, row: ScheduleRow) -> ScheduleRow | None:
        try:
            return self.sweep.withdrawing.settle(row)
        except UnavailableError as error:
            self._failed(row, error)
        except TidemillError as error:
            self._refused(row, error)
        return None

    def _decide(self, row: ScheduleRow, *, is_busy: bool) -> Step:
        try:
            return decide_tick(row, self.now_ms, lambda: is_busy)
        except TidemillError as error:
            self._refused(row, error)
            return Leave()

    def _busy(self, rows: Sequence[ScheduleRow]) -> set[ScheduleRef]:
        """The schedules of which a job is not over, among those that ask."""
        asked = [
            (row.ref, JobRef(row.ref.tenant, row.job_id(tick)))
            for row in rows
            if row.plan.overlap is not Overlap.ALLOW
            for tick in row.made
        ]
        found = self.sweep.reader.find([ref for _, ref in asked]) if asked else []
        return {ref for (ref, _), job in zip(asked, found, strict=True) if job is not None and not job.state.is_final}

    def _submit(self, ticks: Sequence[tuple[ScheduleRow, TickJob]]) -> dict[ScheduleRef, SubmitResult | Job]:
        """What became of each tick's submit. Where the id is another one's, the record that has it."""
        submissions: dict[ScheduleRef, Submission] = {}
        results: dict[ScheduleRef, SubmitResult | Job] = {}
        self._read_versions([row for row, _ in ticks])
        for row, tick in ticks:
            try:
                submissions[row.ref] = self._submission(row, tick)
            except TidemillError as error:
                results[row.ref] = error
            except Exception as error:  # noqa: BLE001 - a validator of the kind's own, which stops no other schedule
                problem = f"can't be checked: a validator raised {type(error).__name__}"
                results[row.ref] = InvalidArgsError(Violation("args", problem, "validator"))
        answers = self.sweep.submitter.submit(list(submissions.values())) if submissions else []
        results.update(zip(submissions, answers, strict=True))
        return {**results, **self._met(results)}

    def _met(self, results: Mapping[ScheduleRef, SubmitResult | Job]) -> dict[ScheduleRef, Job]:
        taken = {
            ref: JobRef(ref.tenant, result.job_id)
            for ref, result in results.items()
            if isinstance(result, KeyConflictError)
        }
        found = self.sweep.reader.find(list(taken.values())) if taken else []
        return {ref: job for ref, job in zip(taken, found, strict=True) if job is not None}

    def _read_versions(self, rows: Sequence[ScheduleRow]) -> None:
        wanted = [row for row in rows if (row.ref, row.version) not in self._versions]
        found = self.sweep.rows.versions_of(wanted)
        self._versions.update(
            ((row.ref, row.version), version) for row, version in zip(wanted, found, strict=True) if version is not None
        )

    def _submission(self, row: ScheduleRow, tick: TickJob) -> Submission:
        # Written together with the row, and kept for as long as the row is in it.
        version = self._versions[row.ref, row.version]
        wait_ms = max(row.start_of(tick.at) - self.sweep.clock.now_ms(), 0)
        return Submission(
            old_args(version, self.sweep.registry),
            tenant=row.ref.tenant,
            lane=row.plan.lane,
            entity=row.plan.entity,
            delay=timedelta(milliseconds=wait_ms),
            job_id=row.job_id(tick),
            causation_id=cause_of(row.ref.name),
            scheduled_at=tick.at,
        )

    def _end(self, row: ScheduleRow, step: Step, result: SubmitResult | Job | None) -> ScheduleRow | None:
        """The row after its step; None if nothing more can be done for it now."""
        try:
            match step:
                case Make(tick=tick):
                    return self._after_submit(row, tick, result)
                case Drop(tick=tick, reason=reason):
                    if not self.sweep.withdrawing.rule_out(row, tick, reason):
                        return self._made(row, tick)
                    return self._dropped(row, step)
                case Wait():
                    self._move(row, row.revised(waiting=True))
                    return None
                case Leave():
                    return None
        except UnavailableError as error:
            self._failed(row, error)
        except TidemillError as error:
            self._refused(row, error)
        return None

    def _after_submit(self, row: ScheduleRow, tick: TickJob, result: SubmitResult | Job | None) -> ScheduleRow | None:
        match result:
            case Job() if is_no_job(result):
                # Somebody decided so before, and did not come to say so in the row.
                return self._dropped(row, Drop(tick, NoJob(result.reason or ""), tick.at))
            case Receipt() | Job():
                return self._made(row, tick)
            case UnavailableError():
                self._failed(row, result)
            case TidemillError():
                self._refused(row, result)
            case None:
                pass
        return None

    def _made(self, row: ScheduleRow, tick: TickJob) -> ScheduleRow | None:
        now_ms = self.sweep.clock.now_ms()
        after = self._move(row, made(row, tick, now_ms))
        if after is not None and tick not in row.made:
            self.made += 1
            self._count("TicksMade", 1)
            self._count("TicksLate", int(is_late(row, tick, now_ms)))
            self._count("TicksSkipped", after.skipped - row.skipped)
        return after

    def _dropped(self, row: ScheduleRow, step: Drop) -> ScheduleRow | None:
        after = self._move(row, dropped(row, step))
        if after is not None:
            self._count("TicksSkipped", after.skipped - row.skipped)
            self._count("TicksMissed", after.missed - row.missed)
        return after

    def _move(self, row: ScheduleRow, after: ScheduleRow) -> ScheduleRow | None:
        answer = self.sweep.rows.move(row, after)
        return answer.row if isinstance(answer, Kept) else None

    def _refused(self, row: ScheduleRow, error: TidemillError) -> None:
        """The tick can't be made by this code. It stays the next one, and is late once it can."""
        self._count("TicksRefused", 1)
        self.sweep.telemetry.alert(
            "tick_refused", tenant=row.ref.tenant, schedule=row.ref.name, code=error.code, at=row.next_at
        )
        # Where, and not what: the text of a violation may quote the arguments.
        fields = ", ".join(violation.field for violation in error.violations) if isinstance(error, InputError) else ""
        problem = f"{error.code}{fields and f' ({fields})'}"[: limits.PROBLEM_CHARS]
        if row.problem != problem:
            self.sweep.rows.move(row, row.revised(problem=problem))

    def _failed(self, row: ScheduleRow, error: UnavailableError) -> None:
        """The next sweep does it."""
        self.sweep.telemetry.note(
            "tick_put_off", tenant=row.ref.tenant, schedule=row.ref.name, operation=error.operation, cause=error.cause
        )

    def _count(self, name: str, value: int) -> None:
        if value:
            self.sweep.telemetry.count(name, value)
