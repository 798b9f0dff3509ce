"""What can go wrong, and who decides when it does.

Every kind is on or off for a whole seed (swarm testing: a schedule in which everything fails at once explores
less than many in which a few things do), each with a probability of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import Protocol


class Fault(StrEnum):
    """A kind of fault. The number in brackets is its name in the list of faults in docs/proof.md."""

    # At one AWS call.
    THROTTLE = "throttled"  # F1
    ERROR = "error 500 before"  # F2
    ERROR_AFTER = "error 500 after"  # F2, F5
    UNSENT = "no connection"  # F2
    CRASH_BEFORE = "crash before"  # F3
    CRASH_AFTER = "crash after"  # F4
    ACK_LOST = "answer lost"  # F5
    PAUSE_BEFORE = "pause before"  # F6
    PAUSE_AFTER = "pause after"  # F6
    PARTIAL = "partly done"  # F9
    CLOCK_JUMP = "clock jumps"  # F11
    CONFLICT = "transaction conflict"  # F16
    # In between calls.
    DUPLICATE = "delivered twice"  # F7
    LATE_DUPLICATE = "delivered after delete"  # F7
    REORDER = "reordered"  # F8
    INVOKE_THROTTLED = "invocation throttled"  # F1
    DELETE_LOST = "delete lost"  # F5, F7
    CLOCK_SKEW = "clock is wrong"  # F12
    DEPENDENCY_DOWN = "dependency down"  # F15
    DEPENDENCY_SLOW = "dependency slow"  # F15
    DEPENDENCY_WRONG = "dependency wrong"  # F15
    TICK_LOST = "tick lost"
    TICK_TWICE = "tick twice"
    # All the time.
    STALE = "indexes lag"  # F13
    OLD_RECEIPTS = "old receipts work"  # F7, F8
    # For a while.
    ACCESS_DENIED = "access denied"  # F21
    SOURCE_DISABLED = "event source disabled"  # F22
    OLD_CODE = "old code runs"  # F19
    WEEKS = "retention ends"  # F20
    # On the way from the table's stream to the relay, where there is one.
    STREAM_LATE = "stream is late"  # F23
    STREAM_TWICE = "stream repeats"  # F23
    STREAM_TRIMMED = "stream is trimmed"  # F23


AT_CALLS = tuple(Fault)[: tuple(Fault).index(Fault.DUPLICATE)]
OF_STREAM = (Fault.STREAM_LATE, Fault.STREAM_TWICE, Fault.STREAM_TRIMMED)
EVERYWHERE = tuple(kind for kind in Fault if kind not in OF_STREAM)
# What must neither kill a job nor bury a message.
HARMLESS = (Fault.DUPLICATE, Fault.LATE_DUPLICATE, Fault.REORDER, Fault.STALE, Fault.TICK_TWICE)
PROBABILITIES = (0.01, 0.03, 0.1)
# How many of the kinds are on in a seed, on average.
SHARE_ON = 0.35
# Seeds in which nothing fails: concurrency alone, and what is no fault of anybody's.
SHARE_CALM = 0.1


class Plan(Protocol):
    """Decides what goes wrong."""

    def at_call(self, operation: str) -> Fault | None:
        """What goes wrong at this call."""

    def strikes(self, fault: Fault) -> bool:
        """Whether `fault` happens here and now."""

    def is_on(self, fault: Fault) -> bool:
        """Whether `fault` may happen in this schedule at all."""


class NoFaults:
    """Nothing goes wrong: the world heals."""

    def at_call(self, operation: str) -> Fault | None:
        return None

    def strikes(self, fault: Fault) -> bool:
        return False

    def is_on(self, fault: Fault) -> bool:
        return False


class Swarm:
    """Each kind on or off by the seed, at random moments; the `certain` ones are on in every seed that is not calm."""

    def __init__(self, rng: Random, kinds: Iterable[Fault], certain: Sequence[Fault] = ()) -> None:
        self._rng = rng
        calm = rng.random() < SHARE_CALM
        self.odds: dict[Fault, float] = {}
        for kind in kinds:
            on, p = rng.random() < SHARE_ON, rng.choice(PROBABILITIES)
            if (on or kind in certain) and not (calm and kind not in HARMLESS):
                self.odds[kind] = p
        self._ladder: list[tuple[float, Fault]] = []
        top = 0.0
        for kind in AT_CALLS:
            if kind in self.odds:
                top += self.odds[kind]
                self._ladder.append((top, kind))
        self._top = top

    def at_call(self, operation: str) -> Fault | None:
        drawn = self._rng.random()
        if drawn >= self._top:
            return None
        return next(kind for top, kind in self._ladder if drawn < top)

    def strikes(self, fault: Fault) -> bool:
        return fault in self.odds and self._rng.random() < self.odds[fault]

    def is_on(self, fault: Fault) -> bool:
        return fault in self.odds


class Chosen:
    """Exactly these faults at exactly these calls: for enumerating all of them."""

    def __init__(self, at: Mapping[int, Fault]) -> None:
        self._at = at
        self.operations: list[str] = []

    def at_call(self, operation: str) -> Fault | None:
        self.operations.append(operation)
        return self._at.get(len(self.operations) - 1)

    def strikes(self, fault: Fault) -> bool:
        return False

    def is_on(self, fault: Fault) -> bool:
        return fault in self._at.values()
