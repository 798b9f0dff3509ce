"""A harness with a job that a schedule can make, and what its runs were told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tidemill import DEFAULT_LANES, JobArgs, JobContext, JobRegistry, Lane, Retry, job, minutes, seconds
from tidemill.domain.schedule_row import ScheduleRow
from tidemill.testing import Harness

BEGIN = datetime(2027, 1, 15, 8, 0, tzinfo=UTC)


class Report(JobArgs, kind="test.report"):
    text: str = "daily"


class Ship(JobArgs, kind="test.ship"):
    order: int = 1


class Stage:
    """A harness whose jobs note when they ran and with what; `lasts` is how long a run takes."""

    def __init__(self, now: datetime = BEGIN) -> None:
        self.runs: list[tuple[datetime, str]] = []
        self.lasts = seconds(0)

        def report(args: Report, ctx: JobContext) -> None:
            del ctx
            self.runs.append((self.tide.now, args.text))
            self.tide.advance(self.lasts)

        def ship(args: Ship, ctx: JobContext) -> None:
            del ctx
            self.runs.append((self.tide.now, str(args.order)))

        self.registry = JobRegistry(
            job(Report, timeout=minutes(14), retry=Retry(max_attempts=1))(report),
            job(Ship, lane="orders")(ship),
            lanes=(*DEFAULT_LANES, Lane("orders", fifo=True)),
        )
        self.tide = Harness(self.registry, now=now)
        self.schedules = self.tide.client.schedules

    def row(self, name: str = "nightly", tenant: str = "default") -> ScheduleRow:
        return self.schedules.get(name, tenant=tenant)

    @property
    def times(self) -> list[str]:
        """When jobs ran, to the second."""
        return [at.strftime("%H:%M:%S") for at, _ in self.runs]

    def counts(self, name: str = "nightly") -> tuple[int, int, int, int]:
        """Ticks, late, skipped, missed."""
        row = self.row(name)
        return row.ticks, row.late, row.skipped, row.missed

    def stop_the_janitor(self, stopped: bool = True) -> None:  # noqa: FBT001, FBT002
        """No tick of the janitor comes, as if EventBridge were down."""
        alarms = self.tide.clock._alarms
        self._kept: Any = getattr(self, "_kept", alarms)
        self.tide.clock.wake(*(self._kept[1:] if stopped else self._kept))
