"""Words for spans of time, so that `timeout=minutes(2)` says its unit."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

_MILLISECOND: Final = timedelta(milliseconds=1)


def seconds(count: float) -> timedelta:
    """A span of `count` seconds."""
    return timedelta(seconds=count)


def minutes(count: float) -> timedelta:
    """A span of `count` minutes."""
    return timedelta(minutes=count)


def hours(count: float) -> timedelta:
    """A span of `count` hours."""
    return timedelta(hours=count)


def days(count: float) -> timedelta:
    """A span of `count` days of 24 hours."""
    return timedelta(days=count)


def milliseconds(span: timedelta) -> int:
    """The whole milliseconds in `span`, rounded down."""
    return span // _MILLISECOND
