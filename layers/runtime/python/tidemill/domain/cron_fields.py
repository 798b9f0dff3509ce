"""The five fields of a cron expression: what each may hold, and which numbers a text names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeGuard

from tidemill.domain.errors import InputError

_MONTHS: Final = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# The longest that each month gets, January first.
_LONGEST: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
# crontab(5) of Vixie cron, "extensions".
_SHORTHANDS: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True, slots=True)
class _Rule:
    """One field: its name, the numbers that it takes, and the words that stand for them, the first for `low`.

    `last` is what `*` and `5/10` go to: Sunday is both 0 and 7, and `*` names it once.
    """

    name: str
    low: int
    high: int
    last: int
    words: tuple[str, ...] = ()


_RULES: Final = (
    _Rule("minute", 0, 59, 59),
    _Rule("hour", 0, 23, 23),
    _Rule("day-of-month", 1, 31, 31),
    _Rule("month", 1, 12, 12, _MONTHS),
    _Rule("day-of-week", 0, 7, 6, WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class CronFields:
    """The numbers that an expression names, in order.

    Attributes:
        days, weekdays: None where the field is `*`. A day matches if either field that is given names it, as in
            Vixie cron. Sunday is weekday 0.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...] | None
    months: tuple[int, ...]
    weekdays: tuple[int, ...] | None

    def names_day(self, month: int, day: int, weekday: int) -> bool:
        """Whether a day of this month, of the month and of the week, is one of the expression's."""
        if month not in self.months:
            return False
        if self.days is None and self.weekdays is None:
            return True
        return day in (self.days or ()) or weekday in (self.weekdays or ())


def parse_cron(expression: object) -> CronFields:
    """Read five fields joined by spaces, or a shorthand such as `@daily`.

    Raises:
        InputError: the expression is none; each violation names its field, the text and the fix.
    """
    if not isinstance(expression, str):
        raise InputError.at("cron", f"must be a string such as '0 9 * * MON-FRI', not {expression!r:.60}", "type")
    texts = _texts(expression)
    minutes, hours, days, months, weekdays = (_numbers(rule, text) for rule, text in zip(_RULES, texts, strict=True))
    _check_days(texts[2], texts[4])
    fields = CronFields(
        minutes,
        hours,
        None if texts[2].startswith("*") and len(days) == 31 else days,
        months,
        None if texts[4].startswith("*") and len(weekdays) == 7 else weekdays,
    )
    _check_dates(texts[2], texts[3], fields)
    return fields


def _texts(expression: str) -> list[str]:
    words = expression.split()
    if len(words) == 1 and words[0].startswith("@"):
        return _long_form(words[0]).split()
    if len(words) == len(_RULES):
        return words
    names = ", ".join(rule.name for rule in _RULES)
    fix = f"Fix: write {names}, joined by spaces"
    if expression.lstrip().startswith(("cron(", "rate(")):
        fix = "Fix: leave the word and the parentheses out, and the year; a rate is Every(minutes(5))"
    elif len(words) in (6, 7):
        fix = f"Fix: leave seconds and years out: {names}"
    raise InputError.at("cron", f"{expression!r:.60} has {len(words)} fields, not five. {fix}", "fields")


def _long_form(word: str) -> str:
    found = _SHORTHANDS.get(word.lower())
    if found is not None:
        return found
    if word.lower() == "@reboot":
        raise InputError.at("cron", "'@reboot' is no time: nothing here boots. Fix: submit the job", "shorthand")
    near = get_close_matches(word.lower(), _SHORTHANDS, n=1)
    fix = f"did you mean {near[0]!r}?" if near else f"write one of {', '.join(_SHORTHANDS)}, or five fields"
    raise InputError.at("cron", f"{word!r:.60} is no shorthand. Fix: {fix}", "shorthand")


def _numbers(rule: _Rule, text: str) -> tuple[int, ...]:
    named: set[int] = set()
    for item in text.split(","):
        named.update(_of_item(rule, text, item))
    # Sunday is 0 and 7.
    return tuple(sorted({number % 7 for number in named} if rule.words == WEEKDAYS else named))


def _of_item(rule: _Rule, text: str, item: str) -> Iterable[int]:
    span, slash, step_text = item.partition("/")
    first, last = _span(rule, text, span, open_ended=bool(slash))
    if not slash:
        return range(first, last + 1)
    step = int(step_text) if _is_number(step_text) else 0
    if not 1 <= step <= last - first:
        most = f"1 to {last - first}" if last > first else "none"
        _refuse(rule, text, f"{item!r} steps by {step_text!r} within {first} to {last}", f"a step of {most}")
    return range(first, last + 1, step)


def _span(rule: _Rule, text: str, span: str, *, open_ended: bool) -> tuple[int, int]:
    """The first and the last number of `*`, `5`, `5-10`; of `5/2`, what is `open_ended`, from 5 to the end."""
    if span == "*":
        return rule.low, rule.last
    start, dash, end = span.partition("-")
    first = _number(rule, text, start)
    if not dash:
        return first, rule.last if open_ended else first
    last = _number(rule, text, end)
    if rule.words == WEEKDAYS and last == 0 and first > 0:
        # FRI-SUN: at the end of a week Sunday is its seventh day.
        last = 7
    if last < first:
        _refuse(rule, text, f"{span!r} runs backwards", f"two ranges: {start}-{rule.last},{rule.low}-{end}")
    return first, last


def _number(rule: _Rule, text: str, word: str) -> int:
    if word.upper() in rule.words:
        return rule.low + rule.words.index(word.upper())
    if _is_number(word) and rule.low <= int(word) <= rule.high:
        return int(word)
    words = f", or {rule.words[0]} to {rule.words[-1]}" if rule.words else ""
    if word == "?":
        _refuse(rule, text, "'?' is EventBridge's own sign", "*")
    if not _is_number(word) and set(word.upper()) & {"L", "W", "#"} and not word.isalpha():
        _refuse(
            rule, text, f"{word!r} is an extension that five-field cron does not have", f"{rule.low} to {rule.high}"
        )
    _refuse(rule, text, f"{word!r} is no {rule.name}", f"{rule.low} to {rule.high}{words}")
    raise AssertionError  # pragma: no cover


def _is_number(word: str) -> TypeGuard[str]:
    return word.isascii() and word.isdigit() and len(word) <= 3


def _check_days(days: str, weekdays: str) -> None:
    """Refuse what crons disagree about, and EventBridge has no words for: days that both fields must name."""
    if (days.startswith("*") and days != "*" and weekdays != "*") or (
        weekdays.startswith("*") and weekdays != "*" and days != "*"
    ):
        raise InputError.at(
            "cron.day-of-month",
            f"{days!r} beside day-of-week {weekdays!r}: a stepped star means that both must match, which EventBridge "
            "can't say. Fix: make one of them '*', or list the days: two lists mean that either may match",
            "days",
        )


def _check_dates(days: str, months: str, fields: CronFields) -> None:
    if fields.days is not None and not any(fields.days[0] <= _LONGEST[month - 1] for month in fields.months):
        raise InputError.at(
            "cron.day-of-month",
            f"{days!r} in month {months!r} is a date that no year has. Fix: choose a day that the month has",
            "date",
        )


def _refuse(rule: _Rule, text: str, problem: str, fix: str) -> None:
    where = "" if problem.startswith(repr(text)) else f"{text!r:.60}: "
    raise InputError.at(f"cron.{rule.name}", f"{where}{problem}. Fix: write {fix}", "field")
