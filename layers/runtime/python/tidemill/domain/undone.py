"""What a compensation is told of the step that it undoes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Undone:
    """The step that a compensation undoes. Its job is over: nothing of it happens any more.

    Attributes:
        step: its name. `job_id`: of its job.
        succeeded: it was applied. Otherwise nobody knows: its worker may have died after the effect, so that the
            compensation must look, or undo in a way that is content to find nothing.
        result: what it returned, parsed from JSON; None if it did not succeed, or its result is past its retention.
    """

    step: str
    job_id: str
    succeeded: bool
    result: Any = None
