"""A bug that is planted in the shipped code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True, slots=True)
class Planted:
    """One bug: what stands at `place.name` is made anew by `make`."""

    name: str
    model: str
    bounds: str
    place: Any
    attribute: str
    make: Callable[[Any], Any]

    @contextmanager
    def applied(self) -> Iterator[None]:
        with patch.object(self.place, self.attribute, self.make(getattr(self.place, self.attribute))):
            yield


def always(value: Any) -> Callable[[Any], Any]:
    return lambda _: lambda *__, **___: value
