"""Reading a stream: in pages, and against its hash chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from tidemill.domain.chain import EMPTY, Break, Head, Recorded, first_break
from tidemill.domain.ports.events import EventStore
from tidemill.domain.store_errors import StreamBrokenError
from tidemill.domain.stream import StreamRef


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of checking a stream.

    Attributes:
        head: of the last fact that fits. `broken`: the first one that does not; None if all do.
    """

    head: Head
    broken: Break | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every fact fits."""
        return self.broken is None


def pages(store: EventStore, ref: StreamRef, after: int, size: int) -> Iterator[tuple[Recorded, ...]]:
    """The facts of a stream behind a version, in pages of up to `size`; none is empty.

    Raises:
        StreamBrokenError: one can't be read; those before it came first.
        UnavailableError: AWS did not answer.
    """
    while True:
        try:
            page = store.read(ref, after, size)
        except StreamBrokenError as broken:
            # Whoever reads checks these, and names the first that does not fit.
            if broken.before:
                yield broken.before
            raise
        if page:
            yield page
        if len(page) < size:
            return
        after = page[-1].version


def checked_pages(ref: StreamRef, head: Head, every_page: Iterable[Sequence[Recorded]]) -> Iterator[Sequence[Recorded]]:
    """The facts that follow `head`, page by page, each checked against the one before it; no page is empty.

    Arguments:
        every_page: where `head` is a fact's, they begin with that fact, which is checked and left out.

    Raises:
        StreamBrokenError: a fact does not fit, or the one of `head` is gone.
    """
    missed = head.version > 0
    for page in every_page:
        fresh = page
        if missed:
            if page[0].version != head.version:
                raise StreamBrokenError(str(ref), head.version, "missing")
            if page[0].head != head:
                raise StreamBrokenError(str(ref), head.version, "rewritten")
            missed, fresh = False, page[1:]
        if (broken := first_break(head, fresh)) is not None:
            raise StreamBrokenError(str(ref), broken.version, broken.reason)
        if fresh:
            head = fresh[-1].head
            yield fresh
    if missed:
        raise StreamBrokenError(str(ref), head.version, "missing")


def verified(every_page: Iterable[Sequence[Recorded]], witnesses: Iterable[Head]) -> Verified:
    """Check a whole stream against its chain and against heads that were kept."""
    kept: dict[int, set[str]] = {}
    for witness in witnesses:
        kept.setdefault(witness.version, set()).add(witness.hash)
    head = EMPTY
    try:
        for one in chain.from_iterable(every_page):
            if (broken := first_break(head, [one])) is not None:
                return Verified(head, broken)
            if kept.pop(one.version, {one.hash}) != {one.hash}:
                return Verified(head, Break(one.version, "rewritten"))
            head = one.head
    except StreamBrokenError as error:
        return Verified(head, Break(error.version, error.reason))
    kept.pop(0, None)
    return Verified(head, Break(head.version + 1, "missing") if kept else None)
