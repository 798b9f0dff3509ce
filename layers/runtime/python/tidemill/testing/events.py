"""Streams in memory: the reference implementation of `EventStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tidemill.domain.chain import EMPTY, Head, Recorded
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.ports.events import Beside, ScanPage, Snapshot, StreamPage
from tidemill.domain.store_errors import AppendConflictError, AppendedBeforeError
from tidemill.domain.stream import StreamRef


@dataclass
class MemoryEvents:
    """Streams in a dictionary. Not for threads.

    Attributes:
        facts: by stream and version; a test that plays somebody with access to the table writes here.
        beside: what was written together with facts, as it was given.
        outage: set it to make every call fail.
    """

    facts: dict[StreamRef, dict[int, Recorded]] = field(default_factory=dict)
    kept: dict[StreamRef, dict[int, Snapshot]] = field(default_factory=dict)
    keys: dict[tuple[StreamRef, str], tuple[int, int]] = field(default_factory=dict)
    beside: list[Beside] = field(default_factory=list)
    outage: UnavailableError | None = None

    def append(self, recorded: Sequence[Recorded], once: str | None = None, beside: Sequence[Beside] = ()) -> None:
        """See EventStore."""
        self._fail()
        first, last = recorded[0], recorded[-1]
        ref = StreamRef.of(first.fact.tenant, first.fact.subject or "")
        held = self.facts.setdefault(ref, {})
        if [held.get(one.version) for one in recorded] == list(recorded):
            return
        if once is not None and (ref, once) in self.keys:
            raise AppendedBeforeError(str(ref), once, *self.keys[ref, once])
        if any(one.version in held for one in recorded):
            raise AppendConflictError(str(ref), first.version - 1, max(held))
        held.update({one.version: one for one in recorded})
        if once is not None:
            self.keys[ref, once] = (first.version, last.version)
        self.beside += beside

    def read(self, ref: StreamRef, after: int, limit: int) -> tuple[Recorded, ...]:
        """See EventStore."""
        self._fail()
        held = self.facts.get(ref, {})
        return tuple(held[version] for version in sorted(held) if version > after)[:limit]

    def head(self, ref: StreamRef) -> Head:
        """See EventStore."""
        self._fail()
        held = self.facts.get(ref)
        return held[max(held)].head if held else EMPTY

    def appended(self, ref: StreamRef, once: str) -> tuple[int, int] | None:
        """See EventStore."""
        self._fail()
        return self.keys.get((ref, once))

    def snapshots(self, ref: StreamRef) -> tuple[Snapshot, ...]:
        """See EventStore."""
        self._fail()
        return tuple(one for _, one in sorted(self.kept.get(ref, {}).items()))

    def keep_snapshot(self, ref: StreamRef, snapshot: Snapshot) -> None:
        """See EventStore."""
        self._fail()
        kept = self.kept.setdefault(ref, {})
        older = kept.get(snapshot.schema)
        if older is None or older.head.version < snapshot.head.version:
            kept[snapshot.schema] = snapshot

    def streams(self, category: str, limit: int, cursor: str | None, tenant: str | None = None) -> StreamPage:
        """See EventStore."""
        self._fail()
        found = sorted((ref for ref, held in self.facts.items() if 1 in held and ref.category == category), key=_place)
        after = 0 if cursor is None else _number(cursor)
        page = [ref for ref in found if tenant in (None, ref.tenant)][after : after + limit]
        return StreamPage(tuple(page), str(after + limit) if len(page) == limit else None)

    def scan(self, limit: int, cursor: str | None) -> ScanPage:
        """See EventStore."""
        self._fail()
        every = [held[version] for _, held in sorted(self.facts.items(), key=_first) for version in sorted(held)]
        after = 0 if cursor is None else _number(cursor)
        page = tuple(every[after : after + limit])
        return ScanPage(page, str(after + limit) if len(page) == limit else None)

    def _fail(self) -> None:
        if self.outage is not None:
            raise self.outage


def _place(ref: StreamRef) -> str:
    return str(ref)


def _first(held: tuple[StreamRef, object]) -> str:
    return str(held[0])


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal()):
        raise InputError.at("cursor", "is not one that this listing returned", "cursor")
    return int(cursor)
