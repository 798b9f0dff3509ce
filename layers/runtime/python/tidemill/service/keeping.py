"""Where what a job or a step returned goes: into the table, or to the claim check."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError, TidemillError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.payload import Stored, result_name
from tidemill.domain.ports import Payloads

# How often a large result is offered, each time with the client's own repeats: the job or the step has done its work,
# and would have to do it again.
_TRIES: Final = 3


def kept_result(payloads: Payloads, job: Job, text: str | None, keep: timedelta) -> str | Stored | None:
    """The result, or the receipt of a large one: it is stored before the record says that there is one.

    Arguments:
        text: the result as JSON text. `keep`: how long the finished job is kept.

    Raises:
        UnavailableError: a large one is not stored.
    """
    data = (text or "").encode()
    if len(data) <= limits.MAX_RESULT_BYTES:
        return text
    return stored(payloads, job, result_name(job.fence), data, keep)


def unkept(error: TidemillError) -> str:
    """The reason of a job whose result could not be kept."""
    match error:
        case UnavailableError():
            return "result_unavailable"
        case InputError():
            return "invalid_result"
        case _:
            return error.code


def stored(payloads: Payloads, job: Job, name: str, data: bytes, keep: timedelta | None = None) -> Stored:
    """The receipt of bytes that are kept now. See Payloads.put.

    Raises:
        UnavailableError: they are not kept, after three tries.
    """
    for _ in range(_TRIES - 1):
        with suppress(UnavailableError):
            return payloads.put(job.ref, name, data, keep)
    return payloads.put(job.ref, name, data, keep)
