"""The event store: streams of facts that only grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from tidemill.domain.chain import Head, Recorded
from tidemill.domain.stream import StreamRef

# One whole action of TransactWriteItems, its table included: `{"Put": {"TableName": ..., "Item": ...}}`.
Beside: TypeAlias = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a stream at one of its heads.

    Attributes:
        schema: of the state; another one means another snapshot.
        state: its bytes.
    """

    head: Head
    schema: int
    state: bytes


@dataclass(frozen=True, slots=True)
class StreamPage:
    """Some streams of a category, and the cursor of the next ones (None: there are no more)."""

    refs: tuple[StreamRef, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What stands where a fact should be, and is none: somebody has written into the table.

    Attributes:
        place: its key, as text. `ref`: the stream in which it stands; None if it names none.
    """

    place: str
    ref: StreamRef | None


@dataclass(frozen=True, slots=True)
class ScanPage:
    """Some facts of all streams, and the cursor of the next ones (None: there are no more).

    Attributes:
        unreadable: what was left out.
    """

    recorded: tuple[Recorded, ...]
    cursor: str | None = None
    unreadable: tuple[Unreadable, ...] = ()


class EventStore(Protocol):
    """Streams of facts, numbered from 1 without a gap, each after the one before it."""

    def append(self, recorded: Sequence[Recorded], once: str | None = None, beside: Sequence[Beside] = ()) -> None:
        """Write facts that follow each other, all or none.

        Facts that are there already, with their ids and hashes, are written: an append whose answer was lost may be
        repeated as it is.

        Arguments:
            recorded: facts of one stream, at most 40.
            once: under which the stream takes facts a single time.
            beside: what is written in the same transaction, or not at all.

        Raises:
            AppendConflictError: the stream has another fact of the first one's version, or what is `beside` was
                refused (`actual` is `expected` then). Nothing was written.
            AppendedBeforeError: `once` was used before. Nothing was written.
            StreamBrokenError: what is there already is no fact. Nothing was written.
            UnavailableError: it is not known whether they are written.
        """

    def read(self, ref: StreamRef, after: int, limit: int) -> tuple[Recorded, ...]:
        """The facts of higher versions than `after`, in order, consistently; fewer than `limit` at the end only.

        Raises:
            StreamBrokenError: one of them is no fact; it has those before it.
            UnavailableError: AWS did not answer.
        """

    def head(self, ref: StreamRef) -> Head:
        """Where the stream ends, read consistently.

        Raises:
            StreamBrokenError: the newest one is no fact.
            UnavailableError: AWS did not answer.
        """

    def appended(self, ref: StreamRef, once: str) -> tuple[int, int] | None:
        """The first and last version of what was appended under a key; None if nothing was.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def snapshot(self, ref: StreamRef, schema: int) -> Snapshot | None:
        """The newest snapshot of a schema; None if there is none.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def snapshots(self, ref: StreamRef) -> tuple[Snapshot, ...]:
        """The newest snapshot of every schema, by schema.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def keep_snapshot(self, ref: StreamRef, snapshot: Snapshot) -> None:
        """Keep a snapshot in place of an older one of its schema; a newer one stays.

        Raises:
            UnavailableError: it is not known to be kept.
        """

    def streams(self, category: str, limit: int, cursor: str | None, tenant: str | None = None) -> StreamPage:
        """Streams of a category, of one tenant or of all. A new stream may be missing for some seconds.

        Raises:
            InputError: the cursor is not one of ours.
            UnavailableError: AWS did not answer.
        """

    def scan(self, limit: int, cursor: str | None) -> ScanPage:
        """Facts of all streams, each stream's in order. Every fact that was there at the start is among them.

        What is no fact is left out, and named.

        Raises:
            InputError: the cursor is not one of ours.
            UnavailableError: AWS did not answer.
        """
