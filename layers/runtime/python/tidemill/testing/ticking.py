"""What EventBridge Scheduler does, when a test tells it to."""

from __future__ import annotations

from datetime import datetime, timedelta

from tidemill.domain.job import JobRef
from tidemill.domain.registry import JobRegistry
from tidemill.domain.tick import SCHEDULED_TIME, Tick, tick_message
from tidemill.testing.queue import MemoryQueues


def send_tick(registry: JobRegistry, queues: MemoryQueues, name: str, at: datetime) -> JobRef:
    """Send one tick of a declared schedule to its lane; answers whose job it is.

    Raises:
        AssertionError: there is no such schedule, it ticks by the clock, or `at` has no time zone.
    """
    declared = {schedule.title: (definition, schedule) for definition, schedule in registry.schedules}
    if name not in declared:
        raise AssertionError(f"no schedule {name!r}; the registry has {', '.join(declared) or 'none'}")
    if at.tzinfo is None:
        raise AssertionError(f"{at} has no time zone. Fix: give one, such as tzinfo=UTC")
    definition, schedule = declared[name]
    if schedule.is_swept:
        raise AssertionError(f"schedule {name!r} has overlap={schedule.overlap}: it ticks by the clock. Fix: run_for")
    # To the second, as Scheduler writes it.
    at = at.replace(microsecond=0)
    queues.put(definition.lane, tick_message(definition, schedule).replace(SCHEDULED_TIME, at.isoformat()))
    epoch = datetime.fromtimestamp(0, at.tzinfo)
    tick = Tick(name, (at - epoch) // timedelta(milliseconds=1))
    return JobRef(schedule.tenant, tick.job_id(schedule.tenant, definition.kind))
