"""The wait that a response asks for: Retry-After and the headers of rate limits, in the forms that are in use.

Where the forms are from:

- Retry-After as seconds or as a date: RFC 9110, section 10.2.3. Fractions and `retry-after-ms` as OpenAI's client reads
  them (openai-python, `_parse_retry_after_header`), `x-ms-retry-after-ms` as Azure's does (azure-core, `_utils.py`).
- X-RateLimit-Reset as a Unix time beside X-RateLimit-Remaining: GitHub, "Rate limits for the REST API". Discord has
  fractions of seconds, OpenAI spans such as `6m0s` for requests and tokens apart, Anthropic dates in ISO 8601.
- RateLimit and RateLimit-Reset: IETF, draft-ietf-httpapi-ratelimit-headers, versions 06 to 10.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from tidemill.domain import limits

_NOW: Final = timedelta(0)
_MOST_S: Final = limits.MAX_DELAY.total_seconds()
# Some write a Unix time in milliseconds, which as seconds would be past the year 5000.
_FAR_FUTURE_S: Final = 100_000_000_000
# No header that means a wait is longer.
_MOST_CHARS: Final = 256
_IN_MILLISECONDS: Final = ("retry-after-ms", "x-ms-retry-after-ms")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# As Go prints a span, with at least one unit.
_SPAN: Final = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?", re.ASCII)
_RESET_NAME: Final = re.compile(r"(?:^|-)rate-?limit(?:-[a-z_-]+)?-reset(?:-[a-z_-]+)?$")
# `RateLimit: limit=100, remaining=0, reset=50`, later `RateLimit: "default";r=0;t=50`, a policy after the other.
_PARAMETER: Final = re.compile(r"(?:^|[\s,;])(remaining|reset|r|t)=(\d{1,400})(?=$|[\s,;])", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Policy:
    """One rate limit of several: how much of it is left, if that is said, and when there is more."""

    remaining: float | None
    wait: timedelta


def requested_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that response headers ask for: Retry-After, else a rate limit's reset. None if none can be read.

    Of several limits the exhausted ones count, and of these the longest. If none is, the one that says not how much is
    left, or else the shortest: to ask too early costs little. A reset is read as seconds to go, as a Unix time in
    seconds or milliseconds, as a date or as a span, whichever it can be.
    """
    asked = retry_after(headers, now)
    if asked is not None:
        return asked
    policies = list(_policies(_lowered(headers), now))
    exhausted = [policy.wait for policy in policies if policy.remaining == 0]
    if exhausted:
        return max(exhausted)
    silent = [policy.wait for policy in policies if policy.remaining is None]
    return silent[0] if silent else min((policy.wait for policy in policies), default=None)


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that Retry-After asks for: in seconds, as a date, or in milliseconds under a name of its own.

    It is between 0, for what is past or negative, and `MAX_DELAY`; None if there is none that can be read. Of a list,
    which is what two such headers become, the longest counts.
    """
    lowered = _lowered(headers)
    for name in _IN_MILLISECONDS:
        milliseconds = _number(lowered.get(name, ""))
        if milliseconds is not None:
            return _within(milliseconds / 1000)
    return _first_or_longest(lowered.get("retry-after", ""), lambda text: _delay(text, now))


def is_exhausted(headers: Mapping[str, str], now: datetime) -> bool:
    """Whether response headers say that nothing is left of a rate limit, and when there is more."""
    return any(policy.remaining == 0 for policy in _policies(_lowered(headers), now))


def bounded(wait: object) -> timedelta | None:
    """`wait` within zero and `MAX_DELAY`; None if it is no span of time."""
    return min(max(wait, _NOW), limits.MAX_DELAY) if isinstance(wait, timedelta) else None


def _policies(lowered: Mapping[str, str], now: datetime) -> Iterator[_Policy]:
    # What counts seconds goes before what needs both clocks to agree.
    for name in sorted(lowered, key=lambda name: not name.endswith("-after")):
        if _RESET_NAME.search(name) is None:
            continue
        wait = _first_or_longest(lowered[name], lambda text: _reset(text, now))
        if wait is not None:
            beside = name.replace("-reset-after", "-reset").replace("-reset", "-remaining")
            yield _Policy(_number(lowered.get(beside, "")), wait)
    yield from _of_the_draft(lowered.get("ratelimit", ""))


def _of_the_draft(value: str) -> Iterator[_Policy]:
    # The earlier form is one policy whose members are a list.
    for item in [value] if "reset=" in value else value.split(","):
        said = {name: float(number) for name, number in _PARAMETER.findall(item)}
        wait = said.get("t", said.get("reset"))
        if wait is not None:
            yield _Policy(said.get("r", said.get("remaining")), _within(wait))


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip()[:_MOST_CHARS] for name, value in headers.items()}


def _first_or_longest(value: str, read: Callable[[str], timedelta | None]) -> timedelta | None:
    whole = read(value)
    if whole is not None or "," not in value:
        return whole
    return max(_known(read(part.strip()) for part in value.split(",")), default=None)


def _known(waits: Iterable[timedelta | None]) -> Iterator[timedelta]:
    return (wait for wait in waits if wait is not None)


def _delay(text: str, now: datetime) -> timedelta | None:
    seconds = _number(text)
    return _until(text, now) if seconds is None else _within(seconds)


def _reset(text: str, now: datetime) -> timedelta | None:
    number = _number(text)
    if number is None:
        return _span(text) or _until(text, now)
    # A year of seconds is far below any Unix time of this century, so the two readings never meet.
    if number <= _MOST_S:
        return _within(number)
    return _within((number / 1000 if number > _FAR_FUTURE_S else number) - now.timestamp())


def _span(text: str) -> timedelta | None:
    found = _SPAN.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return _within(hours * 3600 + minutes * 60 + seconds + milliseconds / 1000)


def _until(text: str, now: datetime) -> timedelta | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(text)
            aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            return _within((aware - now).total_seconds())
        except (OverflowError, TypeError, ValueError):
            continue
    return None


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def _within(seconds: float) -> timedelta:
    return timedelta(seconds=min(max(seconds, 0.0), _MOST_S))
