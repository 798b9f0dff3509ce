"""When a batch is over, and whether it succeeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError


@dataclass(frozen=True, slots=True)
class Completion:
    """A rule. Make one with `at_least` and `tolerate`, or take ALL or FIRST.

    Attributes:
        needed: so many successes are a success of the batch; None: all but those that are tolerated.
        tolerated: so many children may end without success.
        early: the batch ends as soon as enough have succeeded; otherwise once every child is over.
    """

    needed: int | None = None
    tolerated: int = 0
    early: bool = False

    def is_met(self, succeeded: int, size: int) -> bool:
        """Whether so many successes out of `size` are enough."""
        return succeeded >= (size - self.tolerated if self.needed is None else self.needed)

    def check(self, size: int) -> None:
        """Refuse a rule that does not fit a batch of this size.

        Raises:
            InputError: it can't be met, tolerates more children than there are, or would need a look at the whole
                batch after each child of a large one.
        """
        if self.needed is not None and not 1 <= self.needed <= size:
            raise InputError.at("completion", f"needs {self.needed} successes of {size} children", "range")
        if not 0 <= self.tolerated <= size:
            raise InputError.at("completion", f"tolerates {self.tolerated} of {size} children", "range")
        if self.early and size > limits.CHILDREN_PER_SHARD:
            raise InputError.at(
                "completion",
                f"ends early, which {limits.CHILDREN_PER_SHARD} children can at the most, not {size:,}. "
                f"Fix: tolerate({size - (self.needed or 0)}), which waits until every child is over",
                "early",
            )


ALL: Final = Completion()
FIRST: Final = Completion(needed=1, early=True)


def at_least(count: int) -> Completion:
    """Success as soon as `count` children (1 or more) have succeeded; the others go on. Up to 100 children."""
    return Completion(needed=_number("at_least", count), early=True)


def tolerate(count: int) -> Completion:
    """Success if, once every child is over, at most `count` of them did not succeed."""
    return Completion(tolerated=_number("tolerate", count))


def _number(name: str, count: object) -> int:
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise InputError.at("completion", f"{name} takes a whole number from 0 on, not {count!r}", "type")
    return count
