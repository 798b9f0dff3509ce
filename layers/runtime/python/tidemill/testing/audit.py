"""The audit trail in memory: the reference implementation of `AuditTrail`."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidemill.domain.audit import AuditEntry
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.job import day_of
from tidemill.domain.names import check_job_id
from tidemill.domain.ports import AuditPage


@dataclass
class MemoryTrail:
    """Entries by id.

    Attributes:
        outage: set it to make every write fail.
    """

    entries: dict[str, AuditEntry] = field(default_factory=dict)
    outage: UnavailableError | None = None

    def write(self, entry: AuditEntry) -> None:
        """See AuditTrail."""
        if self.outage is not None:
            raise self.outage
        self.entries[entry.id] = entry

    def read(self, day: str, limit: int, cursor: str | None) -> AuditPage:
        """See AuditTrail."""
        before = None if cursor is None else _checked(cursor)
        ids = sorted((one.id for one in self.entries.values() if day_of(one.at) == day), reverse=True)
        left = [one for one in ids if before is None or one < before]
        page = tuple(self.entries[one] for one in left[:limit])
        return AuditPage(page, page[-1].id if len(left) > limit else None)


def _checked(cursor: str) -> str:
    try:
        return check_job_id(cursor)
    except InputError:
        raise InputError.at("cursor", "is not one that this listing returned", "cursor") from None
