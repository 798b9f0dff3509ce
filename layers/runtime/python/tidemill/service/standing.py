"""How read models stand: what is reached, what is behind, and which streams are halted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from tidemill.domain import limits
from tidemill.domain.line import Editions, Line
from tidemill.domain.ports.lines import LineStore


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a projection is.

    Attributes:
        reached: the time of the newest fact that it was handed, Unix milliseconds; None before the first.
        halted: streams that it does not get over in the live edition, at most a hundred of them, with the reason.
        halted_filling: the same of the edition that is filled.
    """

    name: str
    editions: Editions
    reached: int | None
    halted: tuple[Line, ...]
    halted_filling: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Lag:
    """How much of the streams is not in a read model yet: exact, and as dear as a look at every stream."""

    streams: int
    behind: int
    facts: int


def halted_lines(lines: LineStore, name: str, edition: int) -> Iterator[Line]:
    """Every line of an edition that is halted; one that halted some seconds ago may be missing.

    Raises:
        UnavailableError: AWS did not answer.
    """
    cursor: str | None = None
    while True:
        page = lines.halted(name, edition, limits.MAX_PAGE, cursor)
        # The index may be seconds old; the lines say what is.
        found = lines.find(name, edition, page.refs)
        yield from (line for line in found if line is not None and line.halt is not None)
        if (cursor := page.cursor) is None:
            return


def first_halted(lines: LineStore, name: str, edition: int) -> tuple[Line, ...]:
    """As many of them as are shown at once."""
    return tuple(islice(halted_lines(lines, name, edition), limits.MAX_PAGE))
