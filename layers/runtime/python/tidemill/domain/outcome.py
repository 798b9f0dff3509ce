"""How one attempt ended, and what is to be written of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TypeAlias

from tidemill.domain.classify import Classification
from tidemill.domain.failure import Failure
from tidemill.domain.payload import Stored

# --- what the attempt did ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Returned:
    """The function returned; `result` is its value as canonical JSON text, None for None, or where a large one is."""

    result: str | Stored | None


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
    """The job never started: the worker had no time left for it, or could not get at its arguments.

    `wait`: how long to wait at least; each time in a row twice as long.
    """

    reason: str = "no_time"
    wait: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Suspect:
    """Its worker died once, so it runs alone: it was given back for now. `place`: its place in that line, from 1."""

    place: int


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job was asked to stop and did, or never started."""


@dataclass(frozen=True, slots=True)
class Continued:
    """The job recorded its cursor and goes on in a next invocation."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The job waits for the answer `name`. `until`: when it has something to do if none comes, Unix milliseconds."""

    name: str
    until: int


Attempt: TypeAlias = Returned | Raised | TooLate | Untouched | Suspect | Stopped | Continued | Asked

# --- what is recorded ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complete:
    """The job succeeded. `result` as in `Returned`."""

    result: str | Stored | None
    keep_until: int


class Cost(Enum):
    """What an attempt that did not end its job cost it."""

    ATTEMPT = "one of its attempts"
    DEFERRAL = "nothing, but it is counted as a deferral"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class RetryLater:
    """The job waits in its queue until `at` (Unix ms).

    `repeats`: equal deterministic failures in a row, this one included.
    """

    at: int
    wait_ms: int
    cost: Cost
    reason: str
    failure: Failure | None
    # Until when the evidence is kept (Unix ms): as long as the job would be if it died now.
    evidence_until: int = 0
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class Park:
    """The job waits in the table until `at` (Unix ms) and is sent anew then.

    `for_answer`: an answer makes it due at once, so that none may have come unseen.
    """

    at: int
    wait_ms: int
    cost: Cost
    reason: str
    failure: Failure | None
    evidence_until: int = 0
    repeats: int = 0
    for_answer: bool = False


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


@dataclass(frozen=True, slots=True)
class Stop:
    """The job is cancelled, by a request that met it while it ran."""

    keep_until: int


Verdict: TypeAlias = Complete | RetryLater | Park | Bury | Expire | Stop
