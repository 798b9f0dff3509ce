"""Schedules in memory: the reference implementation of `ScheduleStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.ports import Kept, ScheduleAnswer, SchedulePage, Stale, VersionPage
from tidemill.domain.schedule_errors import TooManySchedulesError
from tidemill.domain.schedule_row import ScheduleRef, ScheduleRow, ScheduleVersion


@dataclass
class MemorySchedules:
    """Rows and versions in dictionaries, where nothing ages. Not for threads.

    Attributes:
        outage: set it to make every call fail.
    """

    rows: dict[ScheduleRef, ScheduleRow] = field(default_factory=dict)
    versions: dict[tuple[ScheduleRef, int], ScheduleVersion] = field(default_factory=dict)
    outage: UnavailableError | None = None

    def find(self, refs: Sequence[ScheduleRef]) -> list[ScheduleRow | None]:
        """See ScheduleStore."""
        self._fail()
        return [self.rows.get(ref) for ref in refs]

    def record(
        self, before: ScheduleRow | None, after: ScheduleRow, version: ScheduleVersion, most: int
    ) -> ScheduleAnswer:
        """See ScheduleStore."""
        self._fail()
        current = self.rows.get(after.ref)
        if (version.ref, version.number) in self.versions and current != after:
            return Stale(current)
        opens = not after.deleted and (before is None or before.deleted)
        if opens and current == before and len(self._living(after.ref.tenant)) >= most:
            raise TooManySchedulesError(after.ref.tenant, most)
        answer = self._write(before, after)
        if isinstance(answer, Kept):
            self.versions[version.ref, version.number] = version
        return answer

    def move(self, before: ScheduleRow, after: ScheduleRow) -> ScheduleAnswer:
        """See ScheduleStore."""
        self._fail()
        return self._write(before, after)

    def due(self, until_ms: int, limit: int, cursor: str | None) -> SchedulePage:
        """See ScheduleStore."""
        self._fail()
        keyed = {
            f"{row.due_at:013d}#{row.ref}": row
            for row in self.rows.values()
            if row.due_at is not None and row.due_at <= until_ms
        }
        return _page(keyed, limit, cursor or "")

    def listed(self, tenant: str, limit: int, cursor: str | None) -> SchedulePage:
        """See ScheduleStore."""
        self._fail()
        if cursor is not None and ScheduleRef(tenant, cursor) not in self.rows:
            raise InputError.at("cursor", "is not one that this listing returned", "cursor")
        return _page({row.ref.name: row for row in self._living(tenant)}, limit, cursor or "")

    def version(self, ref: ScheduleRef, number: int) -> ScheduleVersion | None:
        """See ScheduleStore."""
        self._fail()
        return self.versions.get((ref, number))

    def versions_of(self, rows: Sequence[ScheduleRow]) -> list[ScheduleVersion | None]:
        """See ScheduleStore."""
        self._fail()
        return [self.versions.get((row.ref, row.version)) for row in rows]

    def history(self, ref: ScheduleRef, limit: int, cursor: str | None) -> VersionPage:
        """See ScheduleStore."""
        self._fail()
        numbers = sorted((number for one, number in self.versions if one == ref), reverse=True)
        if cursor is not None:
            if not cursor.isdecimal():
                raise InputError.at("cursor", "is not one that this listing returned", "cursor")
            numbers = [number for number in numbers if number < int(cursor)]
        page = tuple(self.versions[ref, number] for number in numbers[:limit])
        return VersionPage(page, str(page[-1].number) if len(numbers) > limit else None)

    def _write(self, before: ScheduleRow | None, after: ScheduleRow) -> ScheduleAnswer:
        current = self.rows.get(after.ref)
        # A row that equals the wanted one is the wanted one, as if an answer had been lost.
        if current != after and _known_by(current) != _known_by(before):
            return Stale(current)
        self.rows[after.ref] = after
        return Kept(after)

    def _living(self, tenant: str) -> list[ScheduleRow]:
        return [row for row in self.rows.values() if row.ref.tenant == tenant and not row.deleted]

    def _fail(self) -> None:
        if self.outage is not None:
            raise self.outage


def _known_by(row: ScheduleRow | None) -> tuple[int, int] | None:
    return None if row is None else (row.version, row.revision)


def _page(keyed: dict[str, ScheduleRow], limit: int, after: str) -> SchedulePage:
    left = sorted(key for key in keyed if key > after)
    rows = tuple(keyed[key] for key in left[:limit])
    return SchedulePage(rows, left[limit - 1] if len(left) > limit else None)
