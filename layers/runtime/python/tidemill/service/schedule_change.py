"""How a schedule is changed: whatever sweeps do to its row meanwhile, and without a job of the version before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import Clock, Kept, ScheduleStore
from tidemill.domain.schedule_errors import ScheduleExistsError, ScheduleNotFoundError, StaleVersionError
from tidemill.domain.schedule_row import Change, ScheduleRef, ScheduleRow, ScheduleVersion
from tidemill.domain.ticking import settled, settling_for
from tidemill.service.schedule_request import Wanted
from tidemill.service.tick_withdrawal import Withdrawing

# Each refusal means that a sweep moved the row in between, which it does a few times a minute at the most.
TRIES: Final = 8
# The row as it is to be, and the jobs' arguments, made from the row and the version as they are.
Made: TypeAlias = tuple[ScheduleRow, bytes]


@dataclass(frozen=True, slots=True)
class Changing:
    """Changes schedules."""

    rows: ScheduleStore
    withdrawing: Withdrawing
    clock: Clock
    actor: Callable[[], str]

    def create(self, ref: ScheduleRef, wanted: Wanted, now_ms: int, *, paused: bool = False) -> ScheduleRow:
        """Make the schedule as of `now_ms`; one that is there and equal is answered.

        Raises:
            ScheduleExistsError: there is another one of this name.
            TooManySchedulesError: the tenant has 1,000.
        """
        for _ in range(TRIES):
            old = self.rows.find([ref])[0]
            if old is not None and not old.deleted:
                return self.same(old, wanted, paused=paused)
            if old is not None and old.settling is not None:
                self.withdrawing.settle(old)
                continue
            row = ScheduleRow(
                ref=ref,
                plan=wanted.plan,
                version=1 if old is None else old.version + 1,
                revision=1,
                # By it the ids of its jobs differ from those of an earlier one of the name.
                created_at=now_ms if old is None else max(now_ms, old.created_at + 1),
                changed_at=now_ms,
                next_at=None if paused else wanted.plan.first_fire(now_ms),
                paused=paused,
            )
            version = self.version(row, wanted.args, Change.CREATED)
            answer = self.rows.record(old, row, version, limits.MAX_SCHEDULES)
            if isinstance(answer, Kept):
                return answer.row
        raise UnavailableError("create the schedule", "others made and deleted it meanwhile")

    def apply(
        self,
        ref: ScheduleRef,
        version: int | None,
        change: Change,
        make: Callable[[ScheduleRow, ScheduleVersion], Made],
        reverted_to: int | None = None,
    ) -> ScheduleRow:
        """Make the change of the row as it stands, whatever sweeps do to it meanwhile."""
        for _ in range(TRIES):
            row = self.standing(ref)
            if row.settling is not None:
                self.withdrawing.settle(row)
                continue
            if version is not None and version != row.version:
                raise StaleVersionError(ref.name, version, row.version, self._who(row))
            old = self.version_of(row)
            after, args = make(row, old)
            if (after, args) == (row, old.args) and change is not Change.REVERTED:
                return row
            if (done := self._record(row, after, args, change, reverted_to)) is not None:
                return done
        raise UnavailableError("change the schedule", "it kept changing")

    def _record(
        self, row: ScheduleRow, after: ScheduleRow, args: bytes, change: Change, reverted_to: int | None
    ) -> ScheduleRow | None:
        """Write the change and settle what it has to; None if the row is another one by now."""
        now_ms = self.clock.now_ms()
        settling = settling_for(row, now_ms)
        after = replace(
            after,
            version=row.version + 1,
            revision=row.revision + 1,
            changed_at=now_ms,
            settling=settling,
            next_at=None,
        )
        if not settling.ticks:
            after = settled(after, ())
        version = self.version(after, args, change, reverted_to)
        answer = self.rows.record(row, after, version, limits.MAX_SCHEDULES)
        if not isinstance(answer, Kept):
            return None
        return self._settle(answer.row)

    def _settle(self, row: ScheduleRow) -> ScheduleRow:
        """The row once nothing of an earlier version will run any more, whoever saw to it."""
        version = row.version
        for _ in range(TRIES):
            if row.settling is None:
                return row
            done = self.withdrawing.settle(row)
            found = done or self.rows.find([row.ref])[0]
            if found is None or found.version != version:
                # It settled, and somebody changed it after that.
                return replace(row, settling=None)
            row = found
        raise UnavailableError("change the schedule", "it is written and its settling kept changing")

    def standing(self, ref: ScheduleRef) -> ScheduleRow:
        """The row as of now.

        Raises:
            ScheduleNotFoundError: there is none.
        """
        row = self.rows.find([ref])[0]
        if row is None or row.deleted:
            raise ScheduleNotFoundError(ref.tenant, ref.name)
        return row

    def version_of(self, row: ScheduleRow) -> ScheduleVersion:
        """The version that the row is in."""
        found = self.rows.versions_of([row])[0]
        if found is None:
            raise ScheduleNotFoundError(row.ref.tenant, row.ref.name, row.version)
        return found

    def _who(self, row: ScheduleRow) -> str:
        found = self.rows.versions_of([row])[0]
        return "somebody" if found is None else found.actor

    def same(self, row: ScheduleRow, wanted: Wanted, *, paused: bool) -> ScheduleRow:
        """The row that is there, if it is what was asked for: an answer may have been lost."""
        old = self.rows.versions_of([row])[0]
        alike = old is not None and old.change is Change.CREATED and old.args == wanted.args
        if alike and (row.paused, replace(row.plan, since=0)) == (paused, replace(wanted.plan, since=0)):
            return row
        raise ScheduleExistsError(row.ref.tenant, row.ref.name, row.version)

    def version(self, row: ScheduleRow, args: bytes, change: Change, reverted_to: int | None = None) -> ScheduleVersion:
        """The version that a row begins with."""
        return ScheduleVersion(
            row.ref, row.version, change, row.plan, args, row.paused, row.changed_at, self.actor(), reverted_to
        )
