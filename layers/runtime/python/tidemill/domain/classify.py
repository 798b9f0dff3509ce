"""From an exception to what it means for the job: permanent, transient, or rate limited.

Exceptions of HTTP clients and of botocore are recognised by their shape, so that none of these
libraries is imported: `error.response.status_code` (requests, httpx), `error.status` (aiohttp),
`error.code` (urllib), `error.response["Error"]["Code"]` (botocore).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from tidemill.domain import limits
from tidemill.domain.signals import PermanentError, RateLimitedError, TransientError


class FailureClass(StrEnum):
    """What a failure means for the job."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Classification:
    """A failure's class, and how long the dependency asked to wait, if it did."""

    failure: FailureClass
    wait: timedelta | None = None


_FAR_FUTURE: Final = timedelta(seconds=100_000_000_000)
_TRANSIENT: Final = Classification(FailureClass.TRANSIENT)
_PERMANENT: Final = Classification(FailureClass.PERMANENT)
_RATE_LIMITED: Final = Classification(FailureClass.RATE_LIMITED)

# Client errors that a repeated request can cure (RFC 9110 and RFC 8470): timeout, conflict, too early.
_CURABLE_STATUS: Final = frozenset({408, 409, 423, 425})

# Codes as botocore's own retry handlers list them (botocore/retries/standard.py, ThrottledRetryableChecker).
_THROTTLE_CODES: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# AWS says with these that the request itself is wrong or refused; the same request fails again.
_PERMANENT_CODES: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidRequest",
        "NoSuchBucket",
        "NoSuchKey",
        "NotFound",
        "ResourceNotFoundException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "ValidationError",
        "ValidationException",
        "404",
        "403",
        "400",
    }
)


def classify(error: BaseException, now: datetime) -> Classification:
    """What `error` means for the job that raised it. `now` turns dates in headers into waits."""
    match error:
        case PermanentError() | ValidationError():
            return _PERMANENT
        case RateLimitedError():
            return Classification(FailureClass.RATE_LIMITED, _bounded(error.retry_after))
        case TransientError():
            return _TRANSIENT
        case _:
            return _of_foreign(error, now)


def _of_foreign(error: BaseException, now: datetime) -> Classification:
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):
        return _of_botocore(response)
    status = _status(error, response)
    return _TRANSIENT if status is None else _of_http(status, _headers(error, response), now)


def _of_botocore(response: Mapping[str, Any]) -> Classification:
    described = response.get("Error")
    code = str(described.get("Code", "")) if isinstance(described, Mapping) else ""
    if code in _THROTTLE_CODES:
        return _RATE_LIMITED
    return _PERMANENT if code in _PERMANENT_CODES else _TRANSIENT


def _of_http(status: int, headers: Mapping[str, str], now: datetime) -> Classification:
    wait = _bounded(requested_wait(headers, now))
    # A 503 that names its Retry-After is the same request to wait as a 429.
    if status == 429 or (status == 503 and wait is not None):
        return Classification(FailureClass.RATE_LIMITED, wait)
    if 400 <= status < 500 and status not in _CURABLE_STATUS:
        return _PERMANENT
    return _TRANSIENT


def requested_wait(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """The wait that response headers ask for: Retry-After (seconds or a date), else a rate limit's reset.

    The reset is read as seconds to go or as a Unix time, whichever it can be: both are in use
    (RateLimit-Reset of the IETF draft counts seconds, X-RateLimit-Reset of GitHub is a Unix time).
    """
    lowered = {str(name).lower(): str(value).strip() for name, value in headers.items()}
    if "retry-after" in lowered:
        return _retry_after(lowered["retry-after"], now)
    for name in ("x-ratelimit-reset-after", "ratelimit-reset", "x-ratelimit-reset", "x-rate-limit-reset"):
        if name in lowered:
            return _reset(lowered[name], now)
    return None


def _retry_after(value: str, now: datetime) -> timedelta | None:
    if value.isdecimal():
        return _seconds(value)
    try:
        moment = parsedate_to_datetime(value)
    except (OverflowError, TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))


def _reset(value: str, now: datetime) -> timedelta | None:
    wait = _seconds(value)
    # A year of seconds is far below any Unix time of this century, so the two readings never meet.
    if wait is None or wait <= limits.MAX_DELAY:
        return wait
    # Some write the Unix time in milliseconds, which as seconds would be past the year 5000.
    moment = wait / 1000 if wait > _FAR_FUTURE else wait
    return max(moment - timedelta(seconds=now.timestamp()), timedelta(0))


def _seconds(value: str) -> timedelta | None:
    try:
        return timedelta(seconds=float(value))
    except (OverflowError, ValueError):
        return None


def _bounded(wait: object) -> timedelta | None:
    # A job may raise RateLimitedError(retry_after=30): what is no span says nothing.
    return min(max(wait, timedelta(0)), limits.MAX_DELAY) if isinstance(wait, timedelta) else None


def _status(error: BaseException, response: Any) -> int | None:
    candidates = (getattr(response, "status_code", None), getattr(error, "status", None), getattr(error, "code", None))
    return next((value for value in candidates if isinstance(value, int) and 100 <= value < 600), None)


def _headers(error: BaseException, response: Any) -> Mapping[str, str]:
    headers: Any = getattr(response, "headers", None) or getattr(error, "headers", None)
    return dict(headers.items()) if hasattr(headers, "items") else {}
