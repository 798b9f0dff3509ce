"""Read models in memory: the reference implementation of `LineStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.line import Editions, Line
from tidemill.domain.ports.lines import HaltedPage, LinePage
from tidemill.domain.stream import StreamRef

_Place = tuple[str, int, StreamRef]


@dataclass
class MemoryLines:
    """Lines in a dictionary. Not for threads.

    Attributes:
        lines: by projection, edition and stream.
        outage: set it to make every call fail.
    """

    lines: dict[_Place, Line] = field(default_factory=dict)
    states: dict[str, Editions] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    outage: UnavailableError | None = None

    def editions(self, name: str) -> Editions:
        """See LineStore."""
        self._fail()
        return self.states.get(name, Editions())

    def change_editions(self, name: str, before: Editions, after: Editions) -> bool:
        """See LineStore."""
        if self.editions(name) != before:
            return False
        self.states[name] = after
        return True

    def find(self, name: str, edition: int, refs: Sequence[StreamRef]) -> list[Line | None]:
        """See LineStore."""
        self._fail()
        return [self.lines.get((name, edition, ref)) for ref in refs]

    def write(self, name: str, edition: int, before: Line | None, after: Line) -> bool:
        """See LineStore."""
        self._fail()
        there = self.lines.get((name, edition, after.ref))
        if (there and there.head.version) != (before and before.head.version):
            return False
        self.lines[name, edition, after.ref] = after
        return True

    def listed(
        self, name: str, edition: int, tenant: str, group: str, limit: int, cursor: str | None, *, descending: bool
    ) -> LinePage:
        """See LineStore."""
        self._fail()
        found = [
            line
            for (of, number, ref), line in self.lines.items()
            if (of, number, ref.tenant, line.group) == (name, edition, tenant, group)
        ]
        found.sort(key=lambda line: (line.order or "", line.ref.subject), reverse=descending)
        after = _number(cursor)
        page = tuple(found[after : after + limit])
        return LinePage(page, str(after + limit) if len(page) == limit else None)

    def halted(self, name: str, edition: int, limit: int, cursor: str | None) -> HaltedPage:
        """See LineStore."""
        self._fail()
        refs = sorted(
            (ref for (of, number, ref), line in self.lines.items() if (of, number) == (name, edition) and line.halt),
            key=str,
        )
        after = _number(cursor)
        page = tuple(refs[after : after + limit])
        return HaltedPage(page, str(after + limit) if len(page) == limit else None)

    def reach(self, name: str, at: int) -> None:
        """See LineStore."""
        self._fail()
        self.times[name] = max(at, self.times.get(name, at))

    def reached(self, name: str) -> int | None:
        """See LineStore."""
        self._fail()
        return self.times.get(name)

    def purge(self, name: str, editions: Editions, cursor: str | None) -> str | None:
        """See LineStore."""
        self._fail()
        _number(cursor)
        for place in [place for place in self.lines if place[0] == name and editions.are_past(place[1])]:
            del self.lines[place]
        return None

    def _fail(self) -> None:
        if self.outage is not None:
            raise self.outage


def _number(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal()):
        raise InputError.at("cursor", "is not one that this listing returned", "cursor")
    return int(cursor)
