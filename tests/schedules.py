"""The schedules of a stack that a test puts together by hand."""

from __future__ import annotations

from typing import Any

from tidemill.domain.ports import ScheduleStore
from tidemill.service.auditing import Auditor
from tidemill.service.schedule_runs import ScheduleRuns
from tidemill.service.schedules import Schedules
from tidemill.service.submitter import Submitter
from tidemill.service.tick_withdrawal import Withdrawing
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.schedules import MemorySchedules


def schedules_of(
    submitter: Submitter, rows: ScheduleStore | None = None, trail: Any = None, actor: str = "ada"
) -> Schedules:
    """On the ports of `submitter`; rows and trail in memory unless they are given."""
    rows = MemorySchedules() if rows is None else rows
    auditor = Auditor(trail or MemoryTrail(), submitter.clock, submitter.random, lambda: actor)
    withdrawing = Withdrawing(rows, submitter.store, submitter.reader, submitter.clock)
    runs = ScheduleRuns(submitter, submitter.reader, auditor)
    return Schedules(submitter.registry, rows, withdrawing, runs, submitter.clock, lambda: actor)
