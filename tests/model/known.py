"""Values that are told apart by identity, so that a state of many records is compared as fast as one of few numbers."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


class Known:
    """A value of which the book that gave it has only one. `number`: in the order of their coming."""

    __slots__ = ("number", "value")

    def __init__(self, value: Any, number: int) -> None:
        self.value = value
        self.number = number

    def __repr__(self) -> str:
        return f"<{self.number}: {self.value!r}>"


class Book:
    """Gives out one `Known` for each value."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Known] = {}

    def of(self, value: Any, key: Hashable = None) -> Known:
        """The one of this value; `key` stands for it where it can't be hashed."""
        key = value if key is None else key
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = Known(value, len(self._known))
        return known


def by_number(known: Known) -> int:
    return known.number
