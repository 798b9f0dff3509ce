"""What is read of streams without deciding anything: replays, subscriptions, checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from pydantic import BaseModel

from tidemill.domain import limits
from tidemill.domain.chain import EMPTY, Head, Recorded
from tidemill.domain.errors import InputError
from tidemill.domain.names import DEFAULT_TENANT
from tidemill.domain.ports.events import EventStore
from tidemill.domain.store_errors import StreamBrokenError
from tidemill.domain.stream import Stream, StreamRef
from tidemill.service.stream_reading import Verified, checked_pages, pages, verified

S = TypeVar("S", bound=BaseModel)
# A page of facts of the largest size that most have is a quarter of the megabyte that one read answers.
_PAGE: Final = 250


@dataclass(frozen=True, slots=True)
class StreamReader:
    """Reads the streams of one stack."""

    store: EventStore

    def facts(self, stream: Stream[S], key: str, *, tenant: str = DEFAULT_TENANT, after: int = 0) -> Iterator[Recorded]:
        """The facts of a stream in order, from behind a version on: a replay, or a subscription that goes on.

        Raises:
            StreamBrokenError: a fact does not fit the one before it, or the fact of version `after` is not there.
            UnavailableError: AWS did not answer.
        """
        ref, head = stream.at(key, tenant), EMPTY
        if after:
            # What the rest is checked against.
            (last,) = self.store.read(ref, after - 1, 1) or (None,)
            if last is None or last.version != after:
                raise StreamBrokenError(str(ref), after, "missing")
            head = last.head
        for page in checked_pages(ref, head, self._pages(ref, max(0, after - 1))):
            yield from page

    def keys(
        self, stream: Stream[S], *, tenant: str | None = None, limit: int = limits.MAX_PAGE, cursor: str | None = None
    ) -> tuple[tuple[StreamRef, ...], str | None]:
        """Streams of a category, of one tenant or of all, and the cursor of the next ones.

        A stream whose first fact is some seconds old at most may be missing.

        Raises:
            InputError: the limit is not 1 to 100, or the cursor is not one that was answered.
            UnavailableError: AWS did not answer.
        """
        if not 1 <= limit <= limits.MAX_PAGE:
            raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
        page = self.store.streams(stream.category, limit, cursor, tenant)
        return page.refs, page.cursor

    def follow(
        self, stream: Stream[S], seen: Mapping[StreamRef, int] | None = None, *, tenant: str | None = None
    ) -> Iterator[Recorded]:
        """The facts of all streams of a category that a subscriber has not seen.

        Guarantees the order within each stream, and none between streams: a position is one version a stream. Each
        stream is read to its end, so that following again with the versions seen goes on where this ended.

        Arguments:
            seen: how far each stream was seen; one that is not named is new.

        Raises:
            StreamBrokenError, UnavailableError: see `facts`.
        """
        cursor: str | None = None
        while True:
            refs, cursor = self.keys(stream, tenant=tenant, cursor=cursor)
            for ref in refs:
                yield from self.facts(stream, ref.key, tenant=ref.tenant, after=(seen or {}).get(ref, 0))
            if cursor is None:
                return

    def verify(
        self, stream: Stream[S], key: str, *, tenant: str = DEFAULT_TENANT, witnesses: Sequence[Head] = ()
    ) -> Verified:
        """Check every fact of a stream against the one before it, and against the heads that somebody has kept.

        Finds the first fact that was altered, taken out, put in or moved. That the newest facts are missing, or that
        the rest was written anew with hashes that fit, is found if a snapshot of the stream or one of `witnesses` is
        of a fact that is missing or another one now; otherwise it can't be told.

        Arguments:
            witnesses: heads of this stream that were kept elsewhere: an answer to a customer, a read model's line.

        Raises:
            UnavailableError: AWS did not answer.
        """
        return self.verify_ref(stream.at(key, tenant), witnesses)

    def verify_ref(self, ref: StreamRef, witnesses: Sequence[Head] = ()) -> Verified:
        """`verify` for those who do not know the stream's events, such as operators."""
        kept = [one.head for one in self.store.snapshots(ref)]
        return verified(self._pages(ref, 0), [*kept, *witnesses])

    def _pages(self, ref: StreamRef, after: int) -> Iterator[tuple[Recorded, ...]]:
        return pages(self.store, ref, after, _PAGE)
