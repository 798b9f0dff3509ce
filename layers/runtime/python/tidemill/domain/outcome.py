"""How one attempt ended, and what is to be written of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from tidemill.domain.classify import Classification
from tidemill.domain.failure import Failure

# --- what the attempt did ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned; `result` is its value as canonical JSON text, None for None."""

    result: str | None


@dataclass(frozen=True, slots=True)
class Raised:
    """The function raised, or its message could not be used."""

    failure: Failure
    classification: Classification
    reason: str


@dataclass(frozen=True, slots=True)
class TooLate:
    """The job's `expires_at` had passed before it started."""


@dataclass(frozen=True, slots=True)
class Untouched:
    """The worker had no time left for it; the job never started."""


Attempt: TypeAlias = Returned | Raised | TooLate | Untouched

# --- what is recorded ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complete:
    """The job succeeded."""

    result: str | None
    keep_until: int


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The job waits in its queue until `at` (Unix ms). `spent`: whether the attempt counts."""

    at: int
    wait_ms: int
    spent: bool
    reason: str
    failure: Failure | None
    # Until when the evidence is kept (Unix ms): as long as the job would be if it died now.
    evidence_until: int = 0


@dataclass(frozen=True, slots=True)
class Park:
    """The job waits in the table until `at` (Unix ms) and is sent anew then."""

    at: int
    wait_ms: int
    spent: bool
    reason: str
    failure: Failure | None
    evidence_until: int = 0


@dataclass(frozen=True, slots=True)
class Bury:
    """The job is dead."""

    reason: str
    failure: Failure
    keep_until: int


@dataclass(frozen=True, slots=True)
class Expire:
    """The job was not started in time."""

    keep_until: int


Verdict: TypeAlias = Complete | RetryLater | Park | Bury | Expire
