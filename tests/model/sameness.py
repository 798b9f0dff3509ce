"""Equal values as one object: a state of thousands of nested records is then compared by a few addresses.

A search meets the same records, messages and histories in hundreds of thousands of states. To hash one takes as long as
everything else together.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any


class Same:
    """Answers for each value the first one that was equal to it, and numbers them in the order in which they came."""

    def __init__(self) -> None:
        self._first: dict[Hashable, Any] = {}
        # By address: what is in here lives as long as this does, so that no other value gets its address.
        self._numbers: dict[int, int] = {}

    def of(self, value: Any) -> Any:
        """The one object that stands for all values equal to this."""
        if id(value) in self._numbers:
            return value
        first = self._first.setdefault(value, value)
        self._numbers.setdefault(id(first), len(self._numbers))
        return first

    def number(self, value: Any) -> int:
        """Its number. Equal values have one."""
        return self._numbers[id(self.of(value))]
