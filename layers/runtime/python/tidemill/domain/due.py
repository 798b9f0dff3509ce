"""When a job is to start, as callers say it: a span from now, or a moment."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOW: Final = timedelta(0)
# RFC 3339, section 5.6, with the offset that it asks for. Seconds may be left out.
MOMENT_PATTERN: Final = (
    r"^[0-9]{4}(-[0-9]{2}){2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
_MOMENT: Final = re.compile(MOMENT_PATTERN)
_PAST: Final = "past"


def check_delay(value: object, field: str) -> timedelta:
    """Return `value` if it is a span of 0 s to 365 days; raise InputError naming `field`."""
    if not isinstance(value, timedelta):
        raise InputError.at(field, f"must be a timedelta such as minutes(5), not {type(value).__name__}", "type")
    if not _NOW <= value <= limits.MAX_DELAY:
        raise InputError.at(field, f"must be 0 s to {limits.MAX_DELAY.days} days, not {value}", "range")
    return value


def due_at(moment: object, now_ms: int, field: str) -> int:
    """The moment in Unix milliseconds, rounded up: nothing starts before it. `now_ms` for one that has just passed.

    A moment is in the past only if it is by more than two clocks may disagree (30 s).

    Raises:
        InputError: it is no datetime, has no time zone, is past, or more than 365 days ahead; the field is `field`.
    """
    if not isinstance(moment, datetime):
        raise InputError.at(field, f"must be a datetime with a time zone, not {type(moment).__name__}", "type")
    if moment.utcoffset() is None:
        bare = moment.replace(tzinfo=None)
        problem = f"has no time zone: {_written(bare)} is another moment in each. Fix: tzinfo=UTC, or a ZoneInfo"
        raise InputError.at(field, problem, "naive")
    at_ms = moment_ms(moment)
    if at_ms < now_ms - milliseconds(limits.CLOCK_SKEW):
        raise InputError.at(field, f"is in the past: {_written(moment)}. Fix: leave it out to start now", _PAST)
    if at_ms > now_ms + milliseconds(limits.MAX_DELAY):
        problem = f"is more than {limits.MAX_DELAY.days} days ahead: {_written(moment)}"
        raise InputError.at(field, problem, "range")
    return max(at_ms, now_ms)


def moment_ms(moment: datetime) -> int:
    """The moment in Unix milliseconds, rounded up."""
    return -((_EPOCH - moment) // timedelta(milliseconds=1))


def new_due(to: datetime | None, delay: timedelta | None, now_ms: int) -> tuple[int, str]:
    """When a job is to start that somebody moves, Unix milliseconds, and which of the two says so.

    Raises:
        InputError: none of them is given, or both, or it is bad.
    """
    if (to is None) == (delay is None):
        raise InputError.at("to", "or `delay` says the new time; give one of the two", "missing")
    if delay is not None:
        return now_ms + milliseconds(check_delay(delay, "delay")), "delay"
    return due_at(to, now_ms, "to"), "to"


def start_of(run_at: object, delay: object, now_ms: int) -> tuple[int, InputError | None]:
    """When a job may start that is submitted, Unix milliseconds, and why not if its moment was right and has passed.

    Raises:
        InputError: one of the two is bad, or both are given.
    """
    span = check_delay(delay, "delay")
    if run_at is None:
        return now_ms + milliseconds(span), None
    if span:
        raise InputError.at("run_at", "stands beside a delay; give one of the two", "extra")
    try:
        return due_at(run_at, now_ms, "run_at"), None
    except InputError as error:
        if all(violation.code == _PAST for violation in error.violations):
            return now_ms, error
        raise


def parse_moment(text: object, field: str) -> datetime:
    """The moment that a text such as `2026-12-01T09:00:00+01:00` or `2026-12-01T08:00:00Z` names.

    Raises:
        InputError: it is no such text; the field is `field`.
    """
    if isinstance(text, str) and _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper())
        except ValueError:
            # A 30th of February.
            pass
    problem = "must be a time with an offset such as 2026-12-01T09:00:00+01:00 or 2026-12-01T08:00:00Z"
    raise InputError.at(field, f"{problem}, not {text!r:.60}", "format")


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
