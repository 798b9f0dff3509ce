"""How much the arguments of a saga may be, so that no state of its execution outgrows what Step Functions takes."""

from __future__ import annotations

from typing import Final

from tidemill.domain import limits
from tidemill.domain.saga.declaring import Branches
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.states import told

# Step Functions Developer Guide, "Service quotas": the input and the output of a state, in bytes.
_MOST: Final = 262_144
# For the names of steps, ids, and why the saga turned back.
_REST: Final = 16_384
# Less is no room for anything.
LEAST: Final = 4_096


def room_for_args(saga: Saga) -> int:
    """The most bytes that the saga's arguments may have as canonical JSON.

    The output of branches is one copy of the whole state for each, with all that the steps told.
    """
    copies = max((len(part.branches) for part in saga.steps if isinstance(part, Branches)), default=1)
    tellers = sum(bool(told(saga, one)) for one in saga)
    return min((_MOST - _REST) // copies - tellers * limits.MAX_TOLD_BYTES, limits.MAX_SAGA_ARGS_BYTES)
