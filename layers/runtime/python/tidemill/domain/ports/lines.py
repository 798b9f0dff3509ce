"""Where read models are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tidemill.domain.line import Editions, Line
from tidemill.domain.stream import StreamRef


@dataclass(frozen=True, slots=True)
class LinePage:
    """Some lines, and the cursor of the next ones (None: there are no more)."""

    lines: tuple[Line, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class HaltedPage:
    """Some halted streams, and the cursor of the next ones (None: there are no more)."""

    refs: tuple[StreamRef, ...]
    cursor: str | None = None


class LineStore(Protocol):
    """The lines of read models, by projection and edition. Calls raise UnavailableError when AWS does not answer."""

    def editions(self, name: str) -> Editions:
        """The editions of a projection, read consistently; the first alone if nothing was ever said of them."""

    def change_editions(self, name: str, before: Editions, after: Editions) -> bool:
        """Say which editions there are; False, and nothing is changed, if they are not as they were `before`."""

    def find(self, name: str, edition: int, refs: Sequence[StreamRef]) -> list[Line | None]:
        """The lines of streams, read consistently."""

    def write(self, name: str, edition: int, before: Line | None, after: Line) -> bool:
        """Write a line; False, and nothing is written, if its stream's line is not at the version of `before`."""

    def listed(
        self, name: str, edition: int, tenant: str, group: str, limit: int, cursor: str | None, *, descending: bool
    ) -> LinePage:
        """The lines of a group by their order. A line that changed some seconds ago may be as it was.

        Raises:
            InputError: the cursor is not one of ours.
        """

    def halted(self, name: str, edition: int, limit: int, cursor: str | None) -> HaltedPage:
        """Streams whose line is halted. One that halted some seconds ago may be missing.

        Raises:
            InputError: the cursor is not one of ours.
        """

    def reach(self, name: str, at: int) -> None:
        """Note that facts of this time are in the live edition; an earlier time than noted changes nothing."""

    def reached(self, name: str) -> int | None:
        """The time that was noted, Unix milliseconds; None for none."""

    def purge(self, name: str, editions: Editions, cursor: str | None) -> str | None:
        """Delete lines of editions that are over, some at a time; answers the cursor to go on with, None at the end.

        Raises:
            InputError: the cursor is not one of ours.
        """
