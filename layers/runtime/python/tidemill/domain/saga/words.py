"""The words that the state machine and the worker share."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a job does in its saga."""

    STEP = "step"
    # It undoes a step, and first makes sure that the step's job is over.
    UNDO = "undo"
    # It does only that, for a step that has no compensation.
    CLOSE = "close"


# What a step's job that is over without having succeeded answers to the state machine.
STEP_FAILED: Final = "Tidemill.StepFailed"
# How an execution ends that only a person can help.
NEEDS_ATTENTION: Final = "Tidemill.NeedsAttention"
# How an execution ends that undid everything: it did what it was made for, so that Step Functions says `SUCCEEDED`.
COMPENSATED: Final = "compensated"
# A step that tells everything that its job returned.
EVERYTHING: Final = "*"
# The kind of the job that closes a step without a compensation.
CLOSE_KIND: Final = "tidemill.saga.close"
