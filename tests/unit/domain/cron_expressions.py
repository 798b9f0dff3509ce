"""Cron expressions made from what they mean, not by reading the text; and a reader of those of Scheduler."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hypothesis import strategies as st

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@dataclass(frozen=True)
class Meant:
    """An expression and the numbers that its fields stand for. None is a star."""

    text: str
    minutes: set[int]
    hours: set[int]
    days: set[int] | None
    months: set[int]
    weekdays: set[int] | None

    def holds(self, wall: datetime) -> bool:
        """Whether a minute is one of the expression's."""
        if wall.minute not in self.minutes or wall.hour not in self.hours or wall.month not in self.months:
            return False
        by_day = self.days is not None and wall.day in self.days
        by_weekday = self.weekdays is not None and (wall.weekday() + 1) % 7 in self.weekdays
        return by_day or by_weekday or (self.days is None and self.weekdays is None)


@st.composite
def items(draw, low: int, high: int, words: list[str] = ()):
    """One item of a list, and its numbers."""

    def spelt(number: int) -> str:
        return draw(st.sampled_from([str(number), words[number - low].lower()])) if words else str(number)

    first = draw(st.integers(low, high))
    last = draw(st.integers(first, high))
    match draw(st.sampled_from(["one", "range", "range-step", "open-step"])):
        case "range":
            return f"{spelt(first)}-{spelt(last)}", set(range(first, last + 1))
        case "range-step" if last > first:
            step = draw(st.integers(1, last - first))
            return f"{spelt(first)}-{spelt(last)}/{step}", set(range(first, last + 1, step))
        case "open-step" if first < high:
            step = draw(st.integers(1, high - first))
            return f"{spelt(first)}/{step}", set(range(first, high + 1, step))
    return spelt(first), {first}


@st.composite
def lists(draw, low: int, high: int, words: list[str] = ()):
    """A field that is no star, and its numbers."""
    drawn = draw(st.lists(items(low, high, words), min_size=1, max_size=5))
    return ",".join(text for text, _ in drawn), set().union(*(numbers for _, numbers in drawn))


def fields(low: int, high: int, words: list[str] = ()):
    """Any field, and its numbers."""
    stars = st.builds(
        lambda step: (f"*/{step}", set(range(low, high + 1, step))) if step > 1 else ("*", set(range(low, high + 1))),
        st.integers(1, high - low),
    )
    return st.one_of(stars, lists(low, high, words))


@st.composite
def expressions(draw) -> Meant:
    """An expression that can be: some year has one of its dates."""
    minutes, hours, months = draw(fields(0, 59)), draw(fields(0, 23)), draw(fields(1, 12, MONTHS))
    star = st.just(("*", None))
    weekdays = draw(st.one_of(star, lists(0, 6, DAYS)))
    days = draw(st.one_of(star, lists(1, 31)))
    longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    if days[1] is not None and not any(min(days[1]) <= longest[month - 1] for month in months[1]):
        days = ("*", None)
    text = " ".join((minutes[0], hours[0], days[0], months[0], weekdays[0]))
    return Meant(text, minutes[1], hours[1], days[1], months[1], weekdays[1])


def fires_by_scheduler(expression: str, wall: datetime) -> bool:
    """Whether `cron(...)` names a minute, as the table of Scheduler's User Guide says. Sunday is 1."""
    minute, hour, day, month, weekday, year = expression.removeprefix("cron(").removesuffix(")").split()
    assert year == "*"
    assert (day == "?") != (weekday == "?")
    return all(
        text == "?" or value in _named(text, low, high, words)
        for text, value, low, high, words in (
            (minute, wall.minute, 0, 59, []),
            (hour, wall.hour, 0, 23, []),
            (day, wall.day, 1, 31, []),
            (month, wall.month, 1, 12, MONTHS),
            (weekday, wall.isoweekday() % 7 + 1, 1, 7, DAYS),
        )
    )


def _named(text: str, low: int, high: int, words: list[str]) -> set[int]:
    named: set[int] = set()
    for item in text.split(","):
        span, _, step = item.partition("/")
        first, _, last = span.partition("-")
        if span == "*":
            start, end = low, high
        else:
            start = words.index(first) + low if first in words else int(first)
            end = (words.index(last) + low if last in words else int(last)) if last else (high if step else start)
        assert low <= start <= end <= high
        # Documented for a number before it only.
        assert not (step and (last or span == "*"))
        named |= set(range(start, end + 1, int(step or 1)))
    return named
