"""One line of a read model: what a projection has made of one stream so far."""

from __future__ import annotations

from dataclasses import dataclass

from tidemill.domain.chain import EMPTY, Head
from tidemill.domain.stream import StreamRef


@dataclass(frozen=True, slots=True)
class Halt:
    """Why a projection goes no further in one stream.

    Attributes:
        version: of the fact that it did not get over. `reason`: the error, as text.
    """

    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """What a projection has made of a stream. Times are Unix milliseconds.

    Attributes:
        head: of the last fact that is in it; it follows the chain of the stream.
        at: when that fact happened.
        data: the model's bytes; None while the projection says that there is nothing to show.
        group: where the line is listed, and `order`: by what it is sorted there; both None if it is not listed.
        halt: why it goes no further, if it does not.
    """

    ref: StreamRef
    head: Head = EMPTY
    at: int = 0
    data: bytes | None = None
    group: str | None = None
    order: str | None = None
    halt: Halt | None = None


@dataclass(frozen=True, slots=True)
class Editions:
    """The fillings of one read model: each rebuild makes the next one beside the one that is read.

    Attributes:
        live: the one that queries read. `filling`: the one that a rebuild fills, if one runs.
        last: the highest number that was ever given; none is given twice, because what an edition that was dropped
            left behind must not be taken for a part of a later one.
        filled: whether the one that is filled has come to the end once; from then on facts reach it as they come.
    """

    live: int = 1
    filling: int | None = None
    last: int = 1
    filled: bool = False

    @property
    def every(self) -> tuple[int, ...]:
        """Those that a projector writes."""
        return (self.live,) if self.filling is None else (self.live, self.filling)

    def are_past(self, edition: int) -> bool:
        """Whether an edition is over. One of a higher number was begun after these were read."""
        return edition <= self.last and edition not in self.every
