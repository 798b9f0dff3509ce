"""Daylight saving time, over every zone there is.

EventBridge Scheduler's User Guide, "Daylight savings time on EventBridge Scheduler": a time that the clocks skip is
skipped, and of one that comes twice, the first is meant.
"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo, available_timezones

import pytest

from tidemill.domain.cron import Cron

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
EXPRESSIONS = ["* * * * *", "*/20 * * * *", "30 2 * * *", "15,45 0-3 * * *"]


def moves(zone: ZoneInfo) -> list[datetime]:
    """When a zone's clocks are moved, to the hour."""
    found = []
    for number in range((END - START).days):
        day = START + DAY * number
        if offset(day, zone) != offset(day + DAY, zone):
            found += [
                day + HOUR * hour
                for hour in range(24)
                if offset(day + HOUR * hour, zone) != offset(day + HOUR * (hour + 1), zone)
            ]
    return found


def offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset()


def walked(cron: Cron, zone: ZoneInfo, after: datetime, span: timedelta) -> list[datetime]:
    """Every minute that passes, by what the clock on the wall says, which counts once for each time it shows."""
    fires, seen = [], set()
    for number in range(1, span // MINUTE + 1):
        moment = after + MINUTE * number
        wall = moment.astimezone(zone).replace(tzinfo=None, fold=0)
        named = wall.minute in cron.fields.minutes and wall.hour in cron.fields.hours
        if named and wall not in seen:
            fires.append(moment)
        seen.add(wall)
    return fires


@pytest.fixture(scope="module")
def shifts() -> dict[tuple, tuple[str, list[datetime]]]:
    """The zones that move their clocks, one of each behaviour, with the hours in which they do."""
    found = {}
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        hours = moves(zone)
        behaviour = tuple((hour, offset(hour, zone), offset(hour + HOUR, zone)) for hour in hours)
        found.setdefault(behaviour, (name, hours))
    return found


def test_there_are_zones_and_moves_of_every_sort(shifts):
    jumps = {
        offset(hour + HOUR, ZoneInfo(name)) - offset(hour, ZoneInfo(name))
        for name, hours in shifts.values()
        for hour in hours
    }

    assert len(available_timezones()) > 400
    assert {HOUR, -HOUR, HOUR / 2, -HOUR / 2} <= jumps


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_around_every_move_of_every_zone_it_fires_as_a_walk_over_the_minutes_finds(shifts, expression):
    around = 5 * HOUR
    for name, hours in shifts.values():
        cron, zone = Cron(expression, tz=name), ZoneInfo(name)
        for hour in hours:
            after, until = hour - around, hour + around
            fires = list(takewhile(lambda fire: fire <= until, cron.fires(after)))  # noqa: B023 - used at once
            assert fires == walked(cron, zone, after, 2 * around), f"{expression} in {name} around {hour}"


@pytest.mark.parametrize(
    ("zone", "expression", "after", "expected"),
    [
        # The two examples of the User Guide.
        ("America/Los_Angeles", "30 2 * * *", "2026-03-07T12:00", ["2026-03-09T09:30", "2026-03-10T09:30"]),
        ("America/Los_Angeles", "30 2 * * *", "2026-10-31T12:00", ["2026-11-01T10:30", "2026-11-02T10:30"]),
        # Twice 01:30, an hour apart, on the first of November: the earlier one.
        ("America/New_York", "30 1 * * *", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("Europe/Paris", "0 9 * * MON-FRI", "2026-03-27T09:00", ["2026-03-30T07:00", "2026-03-31T07:00"]),
        # Half an hour only.
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-02T20:00", ["2026-10-04T15:15", "2026-10-05T15:15"]),
        # Midnight itself is skipped.
        ("Africa/Cairo", "0 0 * * *", "2026-04-22T23:00", ["2026-04-24T21:00", "2026-04-25T21:00"]),
        ("Asia/Kathmandu", "0 9 * * *", "2026-01-01T00:00", ["2026-01-01T03:15", "2026-01-02T03:15"]),
    ],
)
def test_a_known_night(zone, expression, after, expected):
    fires = Cron(expression, tz=zone).next_fires(datetime.fromisoformat(after).replace(tzinfo=UTC), 2)

    assert [fire.strftime("%Y-%m-%dT%H:%M") for fire in fires] == expected
