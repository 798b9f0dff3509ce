"""From what a job says with `ctx.wait_for` to its question, every argument checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.errors import InputError
from tidemill.domain.names import check_wait
from tidemill.domain.returning import is_async
from tidemill.domain.waiting import Question

_AT: Final = "wait_for"
_LEAST: Final = seconds(1)


def question_of(
    name: object,
    returns: Any,
    timeout: object,
    remind: Sequence[timedelta],
    reminder: Callable[[int], object] | None,
    asks: object,
) -> Question:
    """The question.

    Raises:
        InputError: an argument is bad; it is named `wait_for.<argument>`.
    """
    span = _span("timeout", timeout)
    if span > limits.MAX_DELAY:
        raise InputError.at(f"{_AT}.timeout", f"must be {_LEAST} to {limits.MAX_DELAY.days} days, not {span}", "range")
    if not isinstance(asks, str) or len(asks) > limits.MAX_ASKS_CHARS:
        raise InputError.at(f"{_AT}.asks", f"must be a text of at most {limits.MAX_ASKS_CHARS} characters", "length")
    return Question(
        check_wait(name, f"{_AT}.name"), returns, milliseconds(span), _spans(remind, span, reminder), reminder, asks
    )


def _spans(remind: object, timeout: timedelta, reminder: object) -> tuple[int, ...]:
    where = f"{_AT}.remind"
    if not isinstance(remind, list | tuple) or len(remind) > limits.MAX_REMINDERS:
        raise InputError.at(
            where, f"must be a list of at most {limits.MAX_REMINDERS} spans, such as [hours(24)]", "type"
        )
    if bool(remind) != (reminder is not None):
        raise InputError.at(where, "and `reminder` need each other: when to remind, and what is called then", "missing")
    if reminder is not None and (not callable(reminder) or is_async(reminder)):
        raise InputError.at(f"{_AT}.reminder", "must be a plain function of the reminder's number", "type")
    spans = [_span("remind", span) for span in remind]
    if any(later <= earlier for earlier, later in pairwise([*spans, timeout])):
        raise InputError.at(where, f"must rise, and end before the timeout of {timeout}", "range")
    return tuple(map(milliseconds, spans))


def _span(argument: str, value: object) -> timedelta:
    if not isinstance(value, timedelta):
        problem = f"must be a span such as days(3), not {type(value).__name__}"
        raise InputError.at(f"{_AT}.{argument}", problem, "type")
    if value < _LEAST:
        raise InputError.at(f"{_AT}.{argument}", f"must be at least {_LEAST}, not {value}", "range")
    return value
