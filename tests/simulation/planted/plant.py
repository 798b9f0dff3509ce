"""One bug that is planted in the shipped code.

Each is a small change that somebody could make and mean well. `Planted.applied()` makes it for as long as it is
entered; nothing on disk changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

# What is patched: where, which name, and what made of what is there.
Place = tuple[Any, str, Callable[[Any], Any]]


@dataclass(frozen=True, slots=True)
class Planted:
    """One bug.

    Arguments:
        invariant: the one that it is planted for; another one may well catch it first.
        world: where it is looked for.
    """

    name: str
    invariant: str
    world: str
    story: str
    places: tuple[Place, ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the bug be there."""
        with ExitStack() as stack:
            for where, name, make in self.places:
                stack.enter_context(patch.object(where, name, make(getattr(where, name))))
            yield


def always(value: Any) -> Callable[[Any], Any]:
    """A function that answers `value` whatever it is asked."""
    return lambda _: lambda *__, **___: value
