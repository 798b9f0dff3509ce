"""The wait that a response asks for: Retry-After and the headers of rate limits, in the forms that are in use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from tidemill.domain import limits

_FAR_FUTURE: Final = timedelta(seconds=100_000_000_000)
# OpenAI's and Azure's finer form of Retry-After.
_IN_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
_RESETS: Final = (
    "x-ratelimit-reset-after",
    "ratelimit-reset",
    "x-ratelimit-reset",
    "x-rate-limit-reset",
)
# The IETF draft's one header: `RateLimit: limit=100, remaining=0, reset=50`, later `RateLimit: "default";r=0;t=50`.
_RATE_LIMIT: Final = re.compile(r"(?:^|[\s,;])(?:reset|t)=(\d{1,12})(?:$|[\s,;])")


def requested_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that response headers ask for: Retry-After, else a rate limit's reset.

    The reset is read as seconds to go, as a Unix time or as a date, whichever it can be: all are in use
    (RateLimit-Reset of the IETF draft counts seconds, X-RateLimit-Reset of GitHub is a Unix time).
    """
    lowered = _lowered(headers)
    if any(name in lowered for name in ("retry-after", *_IN_MILLISECONDS)):
        return retry_after(headers, now)
    for name in _RESETS:
        if name in lowered:
            return _reset(lowered[name], now)
    span = _RATE_LIMIT.search(lowered.get("ratelimit", ""))
    return _seconds(span.group(1)) if span else None


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that Retry-After asks for, in seconds, as a date, or in milliseconds under a name of its own."""
    lowered = _lowered(headers)
    for name in _IN_MILLISECONDS:
        wait = _seconds(lowered[name]) if lowered.get(name, "").isdecimal() else None
        if wait is not None:
            return wait / 1000
    value = lowered.get("retry-after", "")
    return _seconds(value) if value.isdecimal() else _until(value, now)


def bounded(wait: object) -> timedelta | None:
    """`wait` within zero and `MAX_DELAY`. A job may raise RateLimitedError(retry_after=30): no span says nothing."""
    return min(max(wait, timedelta(0)), limits.MAX_DELAY) if isinstance(wait, timedelta) else None


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {str(name).lower(): str(value).strip() for name, value in headers.items()}


def _until(value: str, now: datetime) -> timedelta | None:
    try:
        moment = parsedate_to_datetime(value)
    except (OverflowError, TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))


def _reset(value: str, now: datetime) -> timedelta | None:
    wait = _seconds(value)
    if wait is None:
        return _until(value, now)
    # A year of seconds is far below any Unix time of this century, so the two readings never meet.
    if wait <= limits.MAX_DELAY:
        return wait
    # Some write the Unix time in milliseconds, which as seconds would be past the year 5000.
    moment = wait / 1000 if wait > _FAR_FUTURE else wait
    return max(moment - timedelta(seconds=now.timestamp()), timedelta(0))


def _seconds(value: str) -> timedelta | None:
    try:
        return timedelta(seconds=float(value))
    except (OverflowError, ValueError):
        return None
