"""How long no schedule may fire before somebody should know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile
from typing import Any, Final

from tidemill.domain.cron import UTC_NAME, Cron, Timing
from tidemill.domain.duration import days, hours, minutes
from tidemill.domain.schedule import Schedule

# API Reference of CloudWatch, PutMetricAlarm: with periods shorter than an hour an alarm looks back a day at the most.
LONGEST_WINDOW: Final = days(1)
# "Metrics are delivered on a best-effort basis" (User Guide of EventBridge Scheduler): some are minutes late.
SHORTEST_WINDOW: Final = minutes(30)
# A leap year, and no time of it is of any synth's clock, so that one program always gets one answer.
_START: Final = datetime(2028, 1, 1, tzinfo=UTC)


def silence_window(schedules: Iterable[tuple[Any, Schedule]]) -> timedelta | None:
    """The time in which the one that fires most often misses two of its ticks; None if that is more than a day.

    Only then an alarm can tell a group that is silent from one that has nothing to do.
    """
    windows = [
        window
        for _, schedule in schedules
        if schedule.enabled and (longest := longest_silence(schedule.timing)) is not None
        if (window := 2 * longest + (schedule.jitter or timedelta(0))) < LONGEST_WINDOW
    ]
    return max(min(windows), SHORTEST_WINDOW) if windows else None


def longest_silence(timing: Timing) -> timedelta | None:
    """The longest time between two of its ticks; None if that is more than half a day."""
    if not isinstance(timing, Cron):
        return timing.span
    year = (_START + number * days(1) for number in range(366))
    if not all(timing.fields.names_day(day.month, day.day, day.isoweekday() % 7) for day in year):
        return None
    few_days = list(takewhile(lambda fire: fire < _START + days(3), timing.fires(_START)))
    longest = max(after - before for before, after in pairwise(few_days))
    # Days are alike, but for the one on which the clocks go back.
    longest += timedelta(0) if timing.tz == UTC_NAME else hours(1)
    return longest if longest <= LONGEST_WINDOW / 2 else None
