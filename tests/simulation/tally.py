"""What many schedules came to, in Jepsen's words."""

from __future__ import annotations

from dataclasses import dataclass

from tests.simulation.world import Outcome

_LOST = ("lost", "I2")
_UNEXPECTED = ("unexpected",)


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule that broke an invariant: how to play it again, and what broke."""

    schedule: str
    invariant: str
    text: str

    def __str__(self) -> str:
        return f"{self.schedule}  {self.invariant}  {self.text}"


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over schedules.

    Attributes:
        lost: accepted jobs' schedules of which nothing came. `unexpected`: in which something ran that nobody had
            asked for. `violated`: in which another invariant broke.
    """

    schedules: int = 0
    calls: int = 0
    faults: int = 0
    accepted: int = 0
    lost: int = 0
    unexpected: int = 0
    violated: int = 0
    found: tuple[Found, ...] = ()

    @classmethod
    def of(cls, schedule: object, outcome: Outcome) -> Tally:
        """One schedule."""
        violation = outcome.violation
        if violation is None:
            return cls(1, outcome.calls, outcome.faults, outcome.accepted)
        lost = violation.invariant in _LOST
        unexpected = violation.invariant in _UNEXPECTED
        return cls(
            1,
            outcome.calls,
            outcome.faults,
            outcome.accepted,
            int(lost),
            int(unexpected),
            int(not lost and not unexpected),
            (Found(str(schedule), violation.invariant, violation.text),),
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.schedules + other.schedules,
            self.calls + other.calls,
            self.faults + other.faults,
            self.accepted + other.accepted,
            self.lost + other.lost,
            self.unexpected + other.unexpected,
            self.violated + other.violated,
            self.found + other.found,
        )

    def __str__(self) -> str:
        return (
            f"schedules={self.schedules} calls={self.calls} faults={self.faults} accepted={self.accepted} "
            f"lost={self.lost} unexpected={self.unexpected} violated={self.violated}"
        )
