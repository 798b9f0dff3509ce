"""When a schedule fires: at times of a calendar (`Cron`), or once in a span (`Every`).

Both are what people write in a crontab or say aloud; `expressions` is the same in EventBridge Scheduler's words
(User Guide, "Schedule types in EventBridge Scheduler"). `next_fires` computes what Scheduler does, daylight saving
time included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias

from tidemill.domain import limits
from tidemill.domain.cron_fields import WEEKDAYS, CronFields, parse_cron
from tidemill.domain.declared import check_span
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.zones import check_zone_name, zone_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

UTC_NAME: Final = "UTC"
# Scheduler's field of years ends here (same page).
_LAST_YEAR: Final = 2199
_MINUTE: Final = timedelta(minutes=1)
_UNITS: Final = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (_MINUTE, "minute"))


@dataclass(frozen=True, slots=True)
class Cron:
    """The minutes of a calendar that five fields name, in one time zone.

        Cron("0 9 * * MON-FRI", tz="Europe/Paris")
        Cron("*/15 8-18 * * *")
        Cron("@daily", tz="Asia/Kathmandu")

    Fields: minute (0-59), hour (0-23), day of month (1-31), month (1-12 or JAN-DEC), day of week (0-7 or SUN-SAT,
    Sunday is 0 and 7); each `*`, a number or name, a range `8-18`, a list `0,30`, a step `*/15`, `8-18/2` or `5/10`.
    Where both day fields are given, a day that either names is meant, as in Vixie cron.

    Daylight saving time as EventBridge Scheduler has it: a time that the clocks skip is skipped, and one that they
    repeat is meant once, the first time. So `*/5 * * * *` in such a zone pauses for an hour once a year: use
    UTC, or Every, for what must not.

    Arguments:
        expression: the five fields, or @yearly, @monthly, @weekly, @daily, @hourly.
        tz: an IANA name, at most 50 characters. Whether there is such a zone is checked by `cdk synth`,
            `tidemill schedule` and `next_fires`: a worker's machine may not know it.

    Raises:
        DefinitionError: the expression is none, or names a date that no year has; the message names the field.
    """

    expression: str
    tz: str = UTC_NAME
    fields: CronFields = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "fields", parse_cron(self.expression))
            check_zone_name(self.tz)
        except InputError as error:
            raise DefinitionError(f"Cron({self.expression!r:.80}): {error}") from error

    def __str__(self) -> str:
        return self.expression

    @property
    def expressions(self) -> tuple[str, ...]:
        """The same for EventBridge Scheduler. Two where both day fields are given, which it takes one of at a time.

        On a day that both name, both fire at one time: one tick, and so one job.
        """
        minutes, hours, months = (
            _written(numbers, low, high)
            for numbers, low, high in (
                (self.fields.minutes, 0, 59),
                (self.fields.hours, 0, 23),
                (self.fields.months, 1, 12),
            )
        )
        days, weekdays = self.fields.days, self.fields.weekdays
        pairs: list[tuple[str, str]] = []
        if days is not None or weekdays is None:
            pairs.append(("*" if days is None else _written(days, 1, 31), "?"))
        if weekdays is not None:
            # By name: there Sunday is 1, not 0.
            pairs.append(("?", _listed(weekdays, WEEKDAYS)))
        return tuple(f"cron({minutes} {hours} {day} {months} {weekday} *)" for day, weekday in pairs)

    def next_fires(self, after: datetime, count: int) -> list[datetime]:
        """The next `count` times after `after`, in UTC.

        Raises:
            InputError: `after` has no time zone, or `tz` is none that this machine knows.
        """
        return list(islice(self.fires(after), count))

    def fires(self, after: datetime) -> Iterator[datetime]:
        """All times after `after`, in UTC, up to the year 2199. See `next_fires`."""
        zone = zone_of(self.tz)
        started = _aware(after).astimezone(zone).date()
        ordinals = range(started.toordinal(), date(_LAST_YEAR, 12, 31).toordinal() + 1)
        return (
            fire
            for day in map(date.fromordinal, ordinals)
            if self.fields.names_day(day.month, day.day, day.isoweekday() % 7)
            for fire in self._on(day, zone, after)
        )

    def _on(self, day: date, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
        for hour in self.fields.hours:
            for minute in self.fields.minutes:
                # `fold` is 0: of a time that comes twice, the first.
                wall = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
                fire = wall.astimezone(UTC)
                # A time that the clocks skip comes back as another.
                if fire > after and fire.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
                    yield fire


@dataclass(frozen=True, slots=True)
class Every:
    """Once in a span, day and night: `Every(minutes(5))`, `Every(hours(6))`, `Every(days(1))`.

    EventBridge Scheduler counts from the moment the schedule was created, which is the deployment that brought it,
    and fires then for the first time; a day is 24 hours in every zone. For a time of day, use Cron.

    Arguments:
        span: whole minutes, 1 minute to 365 days.

    Raises:
        DefinitionError: the span is none, or out of its range.
    """

    span: timedelta

    def __post_init__(self) -> None:
        check_span("Every", self.span)
        if self.span % _MINUTE:
            raise DefinitionError(
                f"Every is {self.span}. Fix: give whole minutes, which is as fine as EventBridge fires"
            )
        if not _MINUTE <= self.span <= limits.MAX_DELAY:
            raise DefinitionError(f"Every is {self.span}. Fix: choose 1 minute to {limits.MAX_DELAY.days} days")

    def __str__(self) -> str:
        count, unit = self._counted
        return f"every {unit}" if count == 1 else f"every {count} {unit}s"

    @property
    def tz(self) -> str:
        """A span knows no zone."""
        return UTC_NAME

    @property
    def expressions(self) -> tuple[str, ...]:
        """The same for EventBridge Scheduler."""
        count, unit = self._counted
        return (f"rate({count} {unit}{'' if count == 1 else 's'})",)

    @property
    def _counted(self) -> tuple[int, str]:
        return next((self.span // unit, name) for unit, name in _UNITS if not self.span % unit)

    def next_fires(self, after: datetime, count: int, *, since: datetime) -> list[datetime]:
        """The next `count` times after `after`, in UTC, of a schedule that was created at `since`.

        Raises:
            InputError: a time has no time zone.
        """
        begun = _aware(since, "since").astimezone(UTC)
        past = max(0, (_aware(after).astimezone(UTC) - begun) // self.span + 1)
        return [begun + self.span * number for number in range(past, past + count)]


Timing: TypeAlias = Cron | Every


def _aware(moment: datetime, name: str = "after") -> datetime:
    if moment.tzinfo is None:
        raise InputError.at(name, "has no time zone. Fix: datetime.now(UTC), or another time with a tzinfo", "naive")
    return moment


def _written(numbers: Sequence[int], low: int, high: int) -> str:
    """Numbers in the signs that Scheduler documents: `*`, lists, ranges, and `5/10` for a step up to the end."""
    if len(numbers) == high - low + 1:
        return "*"
    step = numbers[1] - numbers[0] if len(numbers) > 2 else 0
    if step > 1 and tuple(numbers) == tuple(range(numbers[0], high + 1, step)):
        return f"{numbers[0]}/{step}"
    return _listed(numbers, [str(number) for number in range(high + 1)])


def _listed(numbers: Sequence[int], names: Sequence[str]) -> str:
    """Numbers by their names, three and more in a row as a range."""
    written: list[str] = []
    for run in _runs(numbers):
        words = [names[number] for number in run]
        written += [f"{words[0]}-{words[-1]}"] if len(words) > 2 else words
    return ",".join(written)


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs
