"""Durations as people type them: `90s`, `5m`, `1h30m`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_PART: Final = re.compile(r"([0-9]{1,9})([smhd])")


def parse_duration(text: str, field: str) -> timedelta:
    """The span that `text` names.

    Raises:
        InputError: it names none, or one over 365 days.
    """
    parts = _PART.findall(text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        raise InputError.at(field, f"must be a duration such as 90s, 5m, 2h or 1d, not {text!r:.40}", "format")
    seconds = sum(int(count) * _UNITS[unit] for count, unit in parts)
    if seconds > limits.MAX_DELAY.total_seconds():
        raise InputError.at(field, f"must be at most {limits.MAX_DELAY.days}d, not {text:.40}", "range")
    return timedelta(seconds=seconds)


def written(seconds: int) -> str:
    """A whole number of seconds in the largest unit that fits: `90s`, `15m`, `4d`."""
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}" if seconds else "0s"
