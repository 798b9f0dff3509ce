"""What an execution is given that goes on where an earlier one of the same saga was left.

It enters the very state, with the very data. From the beginning again, it could not tell a step that is late from one
that never was: it would turn back there, and leave applied what comes after it.
"""

from __future__ import annotations

from typing import Any

from tidemill.domain.saga import states
from tidemill.domain.saga.machine import places_of, turning
from tidemill.domain.saga.saga import Saga

_CANCELLED = {"Error": "Tidemill.Cancelled", "Cause": "the saga was cancelled"}


def going_on(saga: Saga, place: str, data: dict[str, Any], *, is_cancelled: bool) -> dict[str, Any]:
    """The input of the next execution.

    Arguments:
        place: the state that the last one was left in, one of `places_of`. `data`: what that state was given.
        is_cancelled: the saga is to be undone, so that it turns back there.
    """
    at = turning(saga, place) if is_cancelled else place
    given = {**data, **states.prepared(saga), "at": at if at in places_of(saga) else place}
    # A step that is new in the declaration is not over.
    given["steps"] |= {name: told for name, told in data.get("steps", {}).items() if name in given["steps"]}
    return {"failed": _CANCELLED, **given} if is_cancelled else given
