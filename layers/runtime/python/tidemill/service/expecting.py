"""What a plain message of a state machine says of the saga that waits for its job."""

from __future__ import annotations

from contextlib import suppress

from tidemill.domain.errand import Awaited, Errand, errand_of, token_of
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef
from tidemill.service.reception import Foreign, Unreadable
from tidemill.service.refusal import refused_ref
from tidemill.service.submission import Submission

_FIELD = "saga"


def errand_in(document: object, has_sagas: bool) -> tuple[object, Errand | None]:  # noqa: FBT001 - a fact, no switch
    """A message without its errand, and the errand. Where there are no sagas the field is unknown, as any other.

    Raises:
        InputError: the errand or its token is ill-formed.
    """
    if not (has_sagas and isinstance(document, dict) and _FIELD in document):
        return document, None
    errand = errand_of(document[_FIELD])
    token_of(document[_FIELD])
    return {name: value for name, value in document.items() if name != _FIELD}, errand


def awaited_by(message: Foreign | Unreadable, submission: Submission) -> Awaited | None:
    """Who waits for the job that a message asks for."""
    document = message.document
    if submission.errand is None or not isinstance(document, dict):
        return None
    ref = JobRef(submission.tenant, submission.errand.job_id())
    return Awaited(ref, submission.errand, (token_of(document[_FIELD]),))


def awaited_in(message: Foreign | Unreadable) -> Awaited | None:
    """Who waits for the job of a message that can't become one, as far as it can be read."""
    document = message.document
    if isinstance(document, dict) and _FIELD in document:
        with suppress(InputError):
            errand = errand_of(document[_FIELD])
            return Awaited(JobRef(refused_ref(message).tenant, errand.job_id()), errand, (token_of(document[_FIELD]),))
    return None
