"""What a caller hears of the event store. See `tidemill.domain.errors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tidemill.domain.errors import InputError, IntegrityError, TidemillError, Violation

if TYPE_CHECKING:
    from tidemill.domain.chain import Recorded


class UnknownEventError(InputError):
    """An event, or a stored fact, is not among those that its stream lists; nothing was written.

    Attributes:
        is_stored: it is a fact's type. Newer code wrote it, or the code that knew it is gone.
    """

    code = "unknown_event"

    def __init__(self, category: str, found: str, known: Sequence[str], *, is_stored: bool = False) -> None:
        problem = (
            f"{found!r} is no event of streams of {category!r}; known: {', '.join(known)}. "
            f"Fix: list its model in Stream({category!r}, events=[...])"
        )
        super().__init__(Violation("event", problem, "unknown_event"))
        self.category = category
        self.is_stored = is_stored


class AppendConflictError(TidemillError):
    """Somebody else appended since the stream was loaded; nothing was written.

    The same decision may still be right: load the stream, decide again, append. `Streams.change` does so by itself.

    Attributes:
        expected: the version that the append was to follow.
        actual: the stream's version when it was refused.
    """

    code = "append_conflict"
    retryable = True

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(
            f"stream {stream} is at version {actual}, the append follows version {expected}; nothing was written. "
            "Fix: load it and decide again, or let Streams.change do so"
        )
        self.stream = stream
        self.expected = expected
        self.actual = actual


class AppendedBeforeError(TidemillError):
    """An append of the same `once` key is in the stream already; nothing was written by this one.

    Attributes:
        once: the key. `first`, `last`: the versions of the facts that were appended under it.
    """

    code = "appended_before"

    def __init__(self, stream: str, once: str, first: int, last: int) -> None:
        super().__init__(
            f"stream {stream} has facts {first} to {last} under the key {once!r}. Fix: none is needed; to append "
            "something else, choose another key"
        )
        self.stream = stream
        self.once = once
        self.first = first
        self.last = last


class StreamBrokenError(IntegrityError):
    """A stream does not hold what was appended to it: somebody has written into the table.

    Attributes:
        version: of the first fact that does not fit. `reason`: `missing`, `altered`, `rewritten` or `unreadable`.
        before: the facts that were read before one that can't be; nobody has checked them.
    """

    code = "stream_broken"

    def __init__(self, stream: str, version: int, reason: str, before: Sequence[Recorded] = ()) -> None:
        super().__init__(
            f"stream {stream} is broken: fact {version} is {reason}. Fix: find who may write into the events table, "
            "and restore the facts from a point in time"
        )
        self.stream = stream
        self.version = version
        self.reason = reason
        self.before = tuple(before)


class ProjectionNotFoundError(TidemillError):
    """The registry has no projection of this name."""

    code = "projection_not_found"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"there is no projection {name!r}; known: {', '.join(known) or 'none'}. "
            "Fix: list it in JobRegistry(..., projections=[...])"
        )
        self.name = name


class RebuildError(TidemillError):
    """A rebuild can't begin or end as asked: another one runs, or streams are halted in the new edition."""

    code = "rebuild"

    def __init__(self, name: str, problem: str, fix: str) -> None:
        super().__init__(f"projection {name!r} {problem}. Fix: {fix}")
        self.name = name
