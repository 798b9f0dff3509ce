"""Streams in memory: the reference implementation of `EventStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tidemill.domain.chain import EMPTY, Head, Recorded
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.ports.events import Beside, ScanPage, Snapshot, StreamPage, Unreadable
from tidemill.domain.store_errors import AppendConflictError, AppendedBeforeError, StreamBrokenError
from tidemill.domain.stream import StreamRef


@dataclass
class MemoryEvents:
    """Streams in a dictionary. Not for threads.

    Attributes:
        facts: by stream and version; a test that plays somebody with access to the table writes here.
        unreadable: streams and versions at which something stands that is no fact; such a test writes here, too.
        beside: what was written together with facts, as it was given.
        outage: set it to make every call fail.
    """

    facts: dict[StreamRef, dict[int, Recorded]] = field(default_factory=dict)
    kept: dict[StreamRef, dict[int, Snapshot]] = field(default_factory=dict)
    keys: dict[tuple[StreamRef, str], tuple[int, int]] = field(default_factory=dict)
    beside: list[Beside] = field(default_factory=list)
    unreadable: set[tuple[StreamRef, int]] = field(default_factory=set)
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
        self._readable(ref, [one.version for one in recorded if (ref, one.version) in self.unreadable])
        if any(one.version in held for one in recorded):
            raise AppendConflictError(str(ref), first.version - 1, max(held))
        held.update({one.version: one for one in recorded})
        if once is not None:
            self.keys[ref, once] = (first.version, last.version)
        self.beside += beside

    def read(self, ref: StreamRef, after: int, limit: int) -> tuple[Recorded, ...]:
        """See EventStore."""
        self._fail()
        return self._readable(ref, [version for version in self._versions(ref) if version > after][:limit])

    def head(self, ref: StreamRef) -> Head:
        """See EventStore."""
        self._fail()
        facts = self._readable(ref, self._versions(ref)[-1:])
        return facts[0].head if facts else EMPTY

    def appended(self, ref: StreamRef, once: str) -> tuple[int, int] | None:
        """See EventStore."""
        self._fail()
        return self.keys.get((ref, once))

    def snapshot(self, ref: StreamRef, schema: int) -> Snapshot | None:
        """See EventStore."""
        self._fail()
        return self.kept.get(ref, {}).get(schema)

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
        refs = sorted({*self.facts, *(ref for ref, _ in self.unreadable)}, key=_place)
        every = [(ref, version) for ref in refs for version in self._versions(ref)]
        after = 0 if cursor is None else _number(cursor)
        page = every[after : after + limit]
        recorded = tuple(self.facts[ref][version] for ref, version in page if (ref, version) not in self.unreadable)
        unreadable = tuple(
            Unreadable(f"{ref} {version}", ref) for ref, version in page if (ref, version) in self.unreadable
        )
        return ScanPage(recorded, str(after + limit) if len(page) == limit else None, unreadable)

    def _versions(self, ref: StreamRef) -> list[int]:
        return sorted({*self.facts.get(ref, {}), *(version for of, version in self.unreadable if of == ref)})

    def _readable(self, ref: StreamRef, versions: Sequence[int]) -> tuple[Recorded, ...]:
        facts: list[Recorded] = []
        for version in versions:
            if (ref, version) in self.unreadable:
                raise StreamBrokenError(str(ref), version, "unreadable", facts)
            facts.append(self.facts[ref][version])
        return tuple(facts)

    def _fail(self) -> None:
        if self.outage is not None:
            raise self.outage


def _place(ref: StreamRef) -> str:
    return str(ref)


def _number(cursor: str) -> int:
    if not (cursor.isascii() and cursor.isdecimal()):
        raise InputError.at("cursor", "is not one that this listing returned", "cursor")
    return int(cursor)
