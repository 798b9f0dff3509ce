"""What the HTTP API answers when it refuses: one table from error to status, one form (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from tidemill.domain.answer_errors import AnsweredError, AnswerLateError, AnswerTokenError
from tidemill.domain.batch_errors import BatchNotFoundError, BatchUnfinishedError
from tidemill.domain.errors import (
    InputError,
    JobFinalError,
    JobNotFoundError,
    JobStateError,
    KeyConflictError,
    NothingMatchedError,
    PayloadGoneError,
    TidemillError,
    UnavailableError,
    Violation,
)
from tidemill.domain.reply_errors import JobFailedError
from tidemill.domain.saga_errors import SagaNotFoundError, SagaStateError
from tidemill.domain.schedule_errors import (
    ScheduleExistsError,
    ScheduleNotFoundError,
    StaleVersionError,
    TooManySchedulesError,
)
from tidemill.service.view import timestamp

PROBLEM_TYPE: Final = "urn:tidemill:problem:"
# A document may have more wrong with it than anybody reads; its fields' names are the caller's own and may be long.
MAX_VIOLATIONS: Final = 50
MAX_FIELD_CHARS: Final = 200
MAX_PROBLEM_CHARS: Final = 300
# Throttles of DynamoDB and SQS pass within a second or two; a caller that waits longer gains nothing.
RETRY_AFTER_S: Final = 2


class RequestError(TidemillError):
    """What only HTTP can get wrong; `violations` names each field."""

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(str(violation) for violation in violations))
        self.violations = violations


class MalformedBodyError(RequestError):
    """The body is no JSON document."""

    code = "malformed_body"


class InvalidQueryError(RequestError):
    """A path or query parameter is unknown or bad, or no index answers the query."""

    code = "invalid_query"


class UnauthenticatedError(RequestError):
    """The request came past every authoriser."""

    code = "unauthenticated"


class ForbiddenTenantError(RequestError):
    """The caller's token does not reach the tenant."""

    code = "forbidden_tenant"


class NoRouteError(RequestError):
    """No such path."""

    code = "no_route"


class MethodError(RequestError):
    """The path is known, the method is not; `allowed` lists those that are."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__()
        self.allowed = allowed


class BodyTooLargeError(RequestError):
    """The body is over the limit."""

    code = "body_too_large"


class MediaTypeError(RequestError):
    """The body is declared to be something else than JSON in UTF-8."""

    code = "unsupported_media_type"


class CanaryPendingError(RequestError):
    """Not all of the canary that the request names has ended; the same request may pass later."""

    code = "canary_pending"


class CanaryFailedError(RequestError):
    """Of the canary that the request names, a job died again or was never redriven."""

    code = "canary_failed"


class Refusal(NamedTuple):
    """A row of the table. Without a `detail` the violations' fields are named, or the error speaks for itself."""

    status: int
    title: str
    detail: str | None = None


# The first class in the error's own order of inheritance decides. Details are written here and not taken from the
# error where its message quotes what the caller sent.
REFUSALS: Final[Mapping[type[Exception], Refusal]] = {
    MalformedBodyError: Refusal(400, "The body is not valid JSON"),
    InvalidQueryError: Refusal(400, "The path or query can't be answered"),
    UnauthenticatedError: Refusal(401, "Nobody is signed in", "Sign the request, or present a token."),
    ForbiddenTenantError: Refusal(403, "The tenant is another's"),
    JobNotFoundError: Refusal(
        404, "No such job", "The tenant has no job of this id, or its retention is over. Check the id and the tenant."
    ),
    SagaNotFoundError: Refusal(
        404, "No such saga", "The tenant has no saga of this id, or it ended 90 days ago. Check name, id and tenant."
    ),
    BatchNotFoundError: Refusal(
        404,
        "No such batch",
        "The tenant has no batch of this id, or its retention is over. Check the id and the tenant.",
    ),
    NoRouteError: Refusal(404, "No such path", "GET /openapi.json lists the paths."),
    ScheduleNotFoundError: Refusal(
        404, "No such schedule", "The tenant has no schedule, or no version, of this name. GET /schedules lists them."
    ),
    MethodError: Refusal(405, "The path does not take this method", "The header Allow lists the methods it takes."),
    NothingMatchedError: Refusal(
        404, "Nothing matches", "No dead job, or no message of one, is what the filter says. GET /dlq lists them."
    ),
    AnsweredError: Refusal(
        409, "The job has another answer", "What was decided stands; `by` and `at` say who decided, and when."
    ),
    AnswerLateError: Refusal(410, "It is too late to answer"),
    AnswerTokenError: Refusal(403, "This token was not made here", "Use the whole link as it was sent to you."),
    JobStateError: Refusal(409, "The job's state does not allow it"),
    SagaStateError: Refusal(409, "The saga's state does not allow it"),
    JobFailedError: Refusal(
        409,
        "The job failed for good",
        "It was accepted, and is over without a result: `job` says why. No repeat and no longer wait changes that.",
    ),
    PayloadGoneError: Refusal(409, "The job's stored bytes are past their retention"),
    JobFinalError: Refusal(
        409, "The key's job is over", "Its kind refuses a rerun. Choose another key, or redrive the job."
    ),
    ScheduleExistsError: Refusal(409, "Another schedule has the name"),
    StaleVersionError: Refusal(409, "The schedule is in another version"),
    TooManySchedulesError: Refusal(409, "The tenant has too many schedules"),
    CanaryPendingError: Refusal(409, "The canary has not ended", "Nothing was changed. Ask again after Retry-After."),
    CanaryFailedError: Refusal(
        409, "The canary failed", "Nothing was changed. `violations` names the jobs: look at why they died."
    ),
    BodyTooLargeError: Refusal(413, "The body is too large"),
    MediaTypeError: Refusal(415, "The body must be JSON"),
    InputError: Refusal(422, "The job can't be accepted as it is"),
    KeyConflictError: Refusal(
        422,
        "The key belongs to another job",
        "A job with this key has other arguments. Submit the same arguments, or choose another key.",
    ),
    BatchUnfinishedError: Refusal(
        503,
        "Not every child was submitted",
        "Repeat the request with the same key: it goes on where this one stopped. Without a key, cancel the batch.",
    ),
    UnavailableError: Refusal(
        503,
        "AWS did not answer",
        "Repeat the request. A submit is safe to repeat with a key; without one the job may run twice.",
    ),
    Exception: Refusal(
        500, "The API failed", "The log has the request id. Nothing is known to be wrong with the request."
    ),
}


def refusal_of(error: Exception) -> Refusal:
    """The row of `error`."""
    return next(REFUSALS[cls] for cls in type(error).__mro__ if cls in REFUSALS)


def problem_document(error: Exception) -> dict[str, Any]:
    """The RFC 9457 document of `error`, still without the request's id."""
    refusal = refusal_of(error)
    violations = [_violation(violation) for violation in violations_of(error)[:MAX_VIOLATIONS]]
    code = error.code if isinstance(error, TidemillError) else "internal"
    document: dict[str, Any] = {
        "type": f"{PROBLEM_TYPE}{code.replace('_', '-')}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail or (_summary(violations) if violations else str(error)),
        "code": code,
        "violations": violations,
        "retryable": refusal.status >= 500 or isinstance(error, CanaryPendingError),
    }
    if isinstance(error, KeyConflictError | JobFailedError | JobFinalError | JobStateError | JobNotFoundError):
        document["job_id"] = error.job_id
    if isinstance(error, AnsweredError):
        document |= {"by": error.by, "at": timestamp(error.at), "means": error.means}
    if isinstance(error, BatchNotFoundError | BatchUnfinishedError):
        document["batch_id"] = error.batch_id
    return document


def violations_of(error: Exception) -> tuple[Violation, ...]:
    """What is wrong with which field."""
    return error.violations if isinstance(error, InputError | RequestError) else ()


def _violation(violation: Violation) -> dict[str, str]:
    return {
        "field": _clip(violation.field, MAX_FIELD_CHARS),
        "problem": _clip(violation.problem, MAX_PROBLEM_CHARS),
        "code": violation.code,
    }


def _summary(violations: list[dict[str, str]]) -> str:
    fields = list(dict.fromkeys(violation["field"] for violation in violations))
    more = f" and {len(fields) - 3} more" if len(fields) > 3 else ""
    return f"Look at {', '.join(fields[:3])}{more}; `violations` says what is wrong."


def _clip(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
