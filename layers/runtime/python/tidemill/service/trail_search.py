"""The audit trail, asked by job, by actor and by time, over as many days as that takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tidemill.domain import limits
from tidemill.domain.audit import AuditEntry
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef, day_of
from tidemill.domain.ports import AuditPage, AuditTrail

_DAY_MS: Final = 86_400_000
# What one question reads at the most: a partition a day, and few entries in most of them.
_MOST_DAYS: Final = limits.MAX_RETENTION.days + 1


@dataclass(frozen=True, slots=True)
class TrailQuery:
    """Which entries. Times are Unix milliseconds.

    Arguments:
        since, until: when the action began, both included.
        actor: who, as the entry has it, or a part of it. `action`: what. `tenant`: whose jobs.
        job: which job was meant, or had something done to it. An entry names the first hundred of its jobs, so that an
            action on more of them is not found by one of the others: look for it by time.

    Raises:
        InputError: the times are more than 401 days apart, or the wrong way round.
    """

    since: int
    until: int
    actor: str | None = None
    job: JobRef | None = None
    action: str | None = None
    tenant: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.until - self.since <= _MOST_DAYS * _DAY_MS:
            raise InputError.at("since", f"must be before `until`, by {_MOST_DAYS} days at the most", "range")

    def matches(self, entry: AuditEntry) -> bool:
        """Whether it is one of them."""
        return (
            self.since <= entry.at <= self.until
            and (self.actor is None or self.actor in entry.actor)
            and self.action in (None, entry.action)
            and self.tenant in (None, entry.tenant)
            and (self.job is None or str(self.job) in entry.jobs)
        )


def search_trail(trail: AuditTrail, wanted: TrailQuery, limit: int, cursor: str | None) -> AuditPage:
    """The entries that match, newest first, and the cursor of the next ones.

    Raises:
        InputError: the limit is not 1 to 100, or the cursor is not one that was answered.
        UnavailableError: AWS did not answer.
    """
    if not 1 <= limit <= limits.MAX_PAGE:
        raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
    found: list[AuditEntry] = []
    for entry in _entries(trail, wanted, cursor):
        if not wanted.matches(entry):
            continue
        if len(found) == limit:
            return AuditPage(tuple(found), f"{day_of(found[-1].at)}/{found[-1].id}")
        found.append(entry)
    return AuditPage(tuple(found))


def _entries(trail: AuditTrail, wanted: TrailQuery, cursor: str | None) -> Iterator[AuditEntry]:
    first, _, after = (cursor or "").partition("/")
    at, passed = wanted.until, cursor is not None
    last = day_of(wanted.since)
    if cursor is not None and not (last <= first <= day_of(wanted.until)):
        raise InputError.at("cursor", "is not one that this listing returned", "cursor")
    while (day := day_of(at)) >= last:
        at -= _DAY_MS
        if passed and day > first:
            continue
        place: str | None = after if passed and day == first else None
        while True:
            page = trail.read(day, limits.MAX_PAGE, place)
            yield from page.entries
            if (place := page.cursor) is None:
                break
