"""Schedules that code declares and whose ticks may not overlap: rows that the janitor keeps as its code says.

EventBridge Scheduler can't look at the job before. So these are schedules like those that are made at run time, and
all that is proven of those holds of them. Nothing is done at a deployment: the first sweep of the new code makes the
row, or changes it. A row that code no longer declares is deleted when its next tick is due, in place of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.domain.schedule import Schedule
from tidemill.domain.schedule_row import Change, ScheduleRef, ScheduleRow, ScheduleVersion
from tidemill.service.schedule_change import Changing
from tidemill.service.schedule_request import Wanted, declared_in, declared_wish

# Who is named in the versions.
ACTOR: Final = "code"


@dataclass(frozen=True, slots=True)
class DeclaredSchedules:
    """Keeps the rows of schedules that are declared with `overlap`."""

    registry: JobRegistry
    changing: Changing
    telemetry: Telemetry

    def keep(self) -> None:
        """Let there be a row for each of them that does what the code says. One that fails stops no other one.

        Whether somebody paused it stays as it is.
        """
        declared = declared_in(self.registry)
        if not declared:
            return
        try:
            found = self.changing.rows.find(list(declared))
            rows = {row.ref: row for row in found if row is not None and not row.deleted}
            versions = dict(zip(rows, self.changing.rows.versions_of(list(rows.values())), strict=True))
        except UnavailableError as error:
            self.telemetry.note("schedules_not_read", operation=error.operation, cause=error.cause)
            return
        for ref, schedule in declared.items():
            try:
                self._keep(ref, schedule, rows.get(ref), versions.get(ref))
            except TidemillError as error:
                self._failed(ref, error)

    def standing(self, rows: Sequence[ScheduleRow]) -> list[ScheduleRow]:
        """Those of `rows` that are to tick: the others are deleted, because the code no longer declares them."""
        declared = declared_in(self.registry)
        return [row for row in rows if not row.plan.declared or row.ref in declared or self._retire(row)]

    def _keep(
        self, ref: ScheduleRef, schedule: Schedule, row: ScheduleRow | None, version: ScheduleVersion | None
    ) -> None:
        now_ms = self.changing.clock.now_ms()
        if row is None:
            self.changing.create(ref, declared_wish(ref, schedule, self.registry, now_ms, now_ms), now_ms)
            return
        wanted = self._wanted(row, schedule, now_ms)
        if version is None or (row.plan, version.args) != (wanted.plan, wanted.args):
            self.changing.apply(ref, None, Change.CHANGED, lambda row, _: self._changed(row, schedule, now_ms))

    def _changed(self, row: ScheduleRow, schedule: Schedule, now_ms: int) -> tuple[ScheduleRow, bytes]:
        wanted = self._wanted(row, schedule, now_ms)
        return replace(row, plan=wanted.plan), wanted.args

    def _wanted(self, row: ScheduleRow, schedule: Schedule, now_ms: int) -> Wanted:
        # An Every of another span counts anew; an equal one goes on.
        since = row.plan.since if schedule.timing == row.plan.timing else now_ms
        return declared_wish(row.ref, schedule, self.registry, now_ms, since)

    def _retire(self, row: ScheduleRow) -> bool:
        """Delete a row whose tick is due; answers whether it is to tick, which it never is."""
        try:
            self.changing.apply(row.ref, None, Change.DELETED, _deleted_if_declared)
        except TidemillError as error:
            self._failed(row.ref, error)
        return False

    def _failed(self, ref: ScheduleRef, error: TidemillError) -> None:
        if isinstance(error, UnavailableError):
            self.telemetry.note("schedule_put_off", tenant=ref.tenant, schedule=ref.name, cause=error.cause)
            return
        self.telemetry.count("TicksRefused", 1)
        self.telemetry.alert("schedule_refused", tenant=ref.tenant, schedule=ref.name, code=error.code)


def _deleted_if_declared(row: ScheduleRow, version: ScheduleVersion) -> tuple[ScheduleRow, bytes]:
    """The row as it is to be: if it was deleted meanwhile and somebody made one of its name, that one stays."""
    return (replace(row, deleted=True) if row.plan.declared else row), version.args
