"""From an exception to what it means for the job: permanent, transient, rate limited or unavailable.

Exceptions of HTTP clients and of botocore are recognised by their shape, so that none of these libraries is imported:
`tidemill.domain.http_shape` says where a status and headers are found, `error.response["Error"]["Code"]` is botocore's,
and names such as `ConnectTimeout` tell the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import ValidationError

from tidemill.domain import aws_codes, http_shape
from tidemill.domain.asking import asked
from tidemill.domain.errors import DefinitionError, InputError, SettingsError, UnavailableError
from tidemill.domain.grouped import members_of
from tidemill.domain.interrupt import Interrupt
from tidemill.domain.retry_after import bounded, is_exhausted, requested_wait, retry_after
from tidemill.domain.signals import DependencyDownError, PermanentError, RateLimitedError, TransientError
from tidemill.domain.store_errors import UnknownEventError
from tidemill.domain.unreachable import is_unreachable
from tidemill.domain.version_errors import NewerVersionError


class FailureClass(StrEnum):
    """What a failure means for the job."""

    # It fails again however often it is tried.
    PERMANENT = "permanent"
    # It may succeed later; each try is an attempt.
    TRANSIENT = "transient"
    # The dependency is down: nobody's fault, up to a number of times.
    UNAVAILABLE = "unavailable"
    # The dependency asked to wait: nobody's fault, however often.
    RATE_LIMITED = "rate_limited"


@dataclass(frozen=True, slots=True)
class Classification:
    """What a failure means.

    Attributes:
        failure: its class.
        wait: how long the dependency asked to wait, if it did.
        deterministic: a transient failure that looks like a mistake in the code: with the same arguments it most
            likely comes again. Equal ones in a row end the job early (`Retry.same_error_limit`).
    """

    failure: FailureClass
    wait: timedelta | None = None
    deterministic: bool = False


_TRANSIENT: Final = Classification(FailureClass.TRANSIENT)
_PERMANENT: Final = Classification(FailureClass.PERMANENT)
_UNAVAILABLE: Final = Classification(FailureClass.UNAVAILABLE)

# Client errors that a repeated request can cure (RFC 9110 and RFC 8470): timeout, conflict, too early.
_CURABLE_STATUSES: Final = frozenset({408, 409, 423, 425})
# Bad gateway, service unavailable, gateway timeout; then Cloudflare's words for an origin that it can't reach
# (Cloudflare documentation, "Cloudflare 5xx errors"); 529 is Anthropic's for an overload.
_DOWN_STATUSES: Final = frozenset({502, 503, 504, 521, 522, 523, 529})
# Too many requests (RFC 6585), and the bandwidth limit of Apache and cPanel.
_LIMITED_STATUSES: Final = aws_codes.THROTTLED_STATUSES
# With Retry-After these say no more than that: a limit of GitHub's ("Rate limits for the REST API"), a request that is
# too large for now (RFC 9110, section 15.5.14), an overload.
_LIMITED_IF_ASKED: Final = frozenset({403, 413, 503, 529})
# With a limit's headers that say that nothing is left, so do these: GitHub's primary limit is one.
_LIMITED_IF_EXHAUSTED: Final = frozenset({403, 503})
# Google's words for it beside a 403 ("Handle errors" of its APIs); PyGithub's class for both limits of GitHub.
_LIMITED_REASONS: Final = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
_LIMITED_NAMES: Final = frozenset({"RateLimitExceededException"})
# Of the failures of a group the gravest speaks for all.
_GRAVITY: Final = tuple(FailureClass)
# How far `raise ... from ...` is followed.
_MAX_CAUSES: Final = 8

# What a program raises about itself. Not RuntimeError, which libraries raise for anything.
_MISTAKES: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    DefinitionError,
    ImportError,
    InputError,
    LookupError,
    NameError,
    NotImplementedError,
    RecursionError,
    SettingsError,
    SyntaxError,
    TypeError,
    ValueError,
)
# By name, as their modules are not imported. A page of a gateway in place of JSON is no mistake of the job's.
_NO_MISTAKES: Final = frozenset({"JSONDecodeError"})
_MISTAKES_OF_OTHERS: Final = frozenset({"ParamValidationError"})
# Another run of the same thing holds Powertools' idempotency record: it ends within its time, and the wait is nobody's
# fault. As attempts, the default five would be over in half a minute.
_BUSY: Final = "IdempotencyAlreadyInProgressError"


def classify(error: BaseException, now: datetime) -> Classification:
    """What `error` means for the job that raised it. `now` turns dates in headers into waits.

    An exception that nothing is known of means what it was raised `from`, if that is a dependency's doing. One that
    answers no questions is transient: it never raises.
    """
    return asked(lambda: _classify(error, now, _MAX_CAUSES), _TRANSIENT)


def is_deterministic(error: BaseException) -> bool:
    """Whether `error` looks like a mistake in the code, which fails in the same way each time."""
    names = {cls.__name__ for cls in type(error).__mro__}
    if not _MISTAKES_OF_OTHERS.isdisjoint(names):
        return True
    # ssl and requests have errors that are both an OSError and a ValueError: the first is what they are.
    return isinstance(error, _MISTAKES) and not isinstance(error, OSError) and _NO_MISTAKES.isdisjoint(names)


def _classify(error: BaseException, now: datetime, causes: int) -> Classification:
    said = _of_our_own(error)
    if said is not None:
        return said
    if isinstance(error, BaseExceptionGroup) and causes:
        # A hand-over beside a failure has no say in what the failure is.
        failures = [one for one in members_of(error) if not isinstance(one, Interrupt)]
        return _gravest([_classify(inner, now, causes - 1) for inner in failures]) if failures else _TRANSIENT
    return _of_foreign(error, now) or _of_unknown(error, now, causes)


def _of_our_own(error: BaseException) -> Classification | None:
    match error:
        case PermanentError() | ValidationError():
            return _PERMANENT
        case RateLimitedError():
            return Classification(FailureClass.RATE_LIMITED, bounded(error.retry_after))
        case DependencyDownError():
            return Classification(FailureClass.UNAVAILABLE, bounded(error.retry_after))
        case TransientError():
            return _TRANSIENT
        # Newer code that appended to a stream is being deployed: time cures that as it does an outage.
        case UnavailableError() | NewerVersionError() | UnknownEventError(is_stored=True):
            return _UNAVAILABLE
        case _:
            return None


def _gravest(all_of_them: list[Classification]) -> Classification:
    failure = min((one.failure for one in all_of_them), key=_GRAVITY.index)
    waits = [one.wait for one in all_of_them if one.wait is not None and one.failure is failure]
    mistake = failure is FailureClass.TRANSIENT and all(one.deterministic for one in all_of_them)
    return Classification(failure, max(waits, default=None), deterministic=mistake)


def _of_unknown(error: BaseException, now: datetime, causes: int) -> Classification:
    cause = error.__cause__
    if cause is not None and causes:
        meant = _classify(cause, now, causes - 1)
        if meant.failure in (FailureClass.RATE_LIMITED, FailureClass.UNAVAILABLE):
            return meant
    return Classification(FailureClass.TRANSIENT, deterministic=is_deterministic(error))


def _of_foreign(error: BaseException, now: datetime) -> Classification | None:
    """What the shape of `error` says; None if it has none that is known."""
    response = http_shape.response_of(error)
    if isinstance(response, Mapping) and ("Error" in response or "ResponseMetadata" in response):
        return _of_botocore(response, now)
    status = http_shape.status_of(error)
    if status is not None:
        limited = status == 403 and _names_a_limit(error)
        return _of_http(429 if limited else status, http_shape.headers_of(error), now)
    is_busy = type(error).__name__ == _BUSY
    return _UNAVAILABLE if is_busy or is_unreachable(error) else None


def _of_botocore(response: Mapping[str, Any], now: datetime) -> Classification:
    code = str(_mapping(response.get("Error")).get("Code", ""))
    metadata = _mapping(response.get("ResponseMetadata"))
    headers = http_shape.read_headers(metadata.get("HTTPHeaders"))
    status = http_shape.number_of(metadata.get("HTTPStatusCode"))
    if aws_codes.is_throttled(code) or status in aws_codes.THROTTLED_STATUSES:
        return Classification(FailureClass.RATE_LIMITED, requested_wait(headers, now))
    if aws_codes.is_expired(code):
        return _TRANSIENT
    if code in aws_codes.PERMANENT or aws_codes.is_permanent(code):
        return _PERMANENT
    if code in aws_codes.DOWN or status in aws_codes.DOWN_STATUSES:
        return Classification(FailureClass.UNAVAILABLE, retry_after(headers, now))
    # S3 answers a request without a body in digits.
    digits = http_shape.number_of(code)
    if digits is not None:
        return _of_http(digits, headers, now)
    return _PERMANENT if status in aws_codes.PERMANENT_STATUSES else _TRANSIENT


def _of_http(status: int, headers: Mapping[str, str], now: datetime) -> Classification:
    asked = retry_after(headers, now)
    limited = status in _LIMITED_STATUSES or (status in _LIMITED_IF_ASKED and asked is not None)
    if limited or (status in _LIMITED_IF_EXHAUSTED and is_exhausted(headers, now)):
        return Classification(FailureClass.RATE_LIMITED, requested_wait(headers, now))
    # From here on not a limit's reset, which many send with every answer.
    if status in _DOWN_STATUSES:
        return Classification(FailureClass.UNAVAILABLE, asked)
    if 400 <= status < 500 and status not in _CURABLE_STATUSES:
        return _PERMANENT
    return Classification(FailureClass.TRANSIENT, asked)


def _names_a_limit(error: BaseException) -> bool:
    if not _LIMITED_NAMES.isdisjoint(cls.__name__ for cls in type(error).__mro__):
        return True
    details = getattr(error, "error_details", None)
    listed = details if isinstance(details, list) else []
    return any(_mapping(one).get("reason") in _LIMITED_REASONS for one in listed)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
