"""What became of one conditional write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from tidemill.aws.errors import FAILED, THROTTLED
from tidemill.aws.items import Item
from tidemill.domain.errors import UnavailableError

# Codes of one write among several that AWS asks to try again.
REPEATABLE: Final = THROTTLED | FAILED


@dataclass(frozen=True, slots=True)
class Done:
    """It was written; `before` is the item as it was, where the change asks for it."""

    before: Item | None


@dataclass(frozen=True, slots=True)
class Unmet:
    """The condition did not hold.

    `item` is what stands there; None if nothing does or, where the key is `taken`, if AWS did not say what.
    """

    item: Item | None
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Broken:
    """It is not known to be written. `ambiguous`: it may be, all the same. `repeat`: try it again now."""

    error: UnavailableError
    ambiguous: bool
    repeat: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A transaction was refused because another item that it was to make exists."""


Outcome: TypeAlias = Done | Unmet | Broken
