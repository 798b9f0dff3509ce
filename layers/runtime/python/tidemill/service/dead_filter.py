"""Which dead jobs: a filter, and the walk through the table that finds what it matches."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.names import check_kind, check_lane, check_tenant
from tidemill.domain.ports import JobReader, Page
from tidemill.service.view import timestamp

# A page of what a filter matches is looked for in so many pages of all before it is handed over short.
_SCANS: Final = 10
_ERROR: Final = re.compile(r"[0-9a-f]{16}")
_REASON: Final = re.compile(r"[a-z][a-z_]*")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead jobs; what is None matches all.

    Arguments:
        error: the fingerprint of the last failure. `reason`: why it is dead.
        since, until: died from `since` on and before `until`, Unix milliseconds.
    """

    tenant: str | None = None
    lane: str | None = None
    kind: str | None = None
    error: str | None = None
    reason: str | None = None
    since: int | None = None
    until: int | None = None

    def checked(self, lanes: Collection[str]) -> Filter:
        """This filter, if every part of it can match something.

        Raises:
            InputError: a part is ill-formed, or the lane is none of `lanes`; it is named.
        """
        checks = {"tenant": check_tenant, "lane": check_lane, "kind": check_kind}
        for name, check in checks.items():
            if getattr(self, name) is not None:
                check(getattr(self, name), name)
        if self.lane is not None and self.lane not in lanes:
            raise InputError.at("lane", f"no lane {self.lane!r}; known: {', '.join(lanes)}", "unknown_lane")
        _check_text("error", self.error, _ERROR, 16, "16 hexadecimal digits, as listings show it")
        _check_text("reason", self.reason, _REASON, limits.MAX_REASON_CHARS, "a reason such as attempts_exhausted")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InputError.at("until", "must be later than since", "range")
        return self

    def within(self, tenant: str | None) -> Filter:
        """The same for one tenant's jobs only."""
        return replace(self, tenant=tenant)

    def matches(self, job: Job) -> bool:
        """Whether a job that is over is one of them."""
        wanted = (self.tenant, self.lane, self.kind, self.error, self.reason)
        found = (job.ref.tenant, job.lane, job.kind, job.error, job.reason)
        if any(one not in (None, other) for one, other in zip(wanted, found, strict=True)):
            return False
        died = job.finished_at or 0
        return (self.since is None or died >= self.since) and (self.until is None or died < self.until)

    @property
    def is_whole_lane(self) -> bool:
        """Whether it means all that is in a DLQ, or in all of them."""
        return self == Filter(lane=self.lane)

    def parts(self) -> dict[str, str]:
        """What it asks for, by name, for people and for the audit trail."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: timestamp(value) if isinstance(value, int) else str(value)
            for name, value in given.items()
            if value is not None
        }

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.parts().items()) or "all lanes"


def moment_of(text: str, field: str) -> int:
    """The Unix milliseconds of a time such as `2026-11-22T08:30:00Z`.

    Raises:
        InputError: it is none, or says no time zone.
    """
    try:
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None and at >= datetime.fromtimestamp(0, UTC):
            return int(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise InputError.at(field, "must be a time with its zone, such as 2026-11-22T08:30:00Z", "format")


def dead_jobs(reader: JobReader, wanted: Filter, limit: int, cursor: str | None, now_ms: int) -> Page:
    """One page of dead jobs, earliest death first in each shard of the index. It may be short, or empty.

    Raises:
        InputError: `limit` is out of range, or the cursor is not one of ours.
    """
    if not 1 <= limit <= limits.MAX_PAGE:
        raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
    found: list[Job] = []
    for _ in range(_SCANS):
        page = reader.waiting(State.DEAD, wanted.tenant, limit - len(found), cursor)
        found += [job for job in page.jobs if wanted.matches(job) and not job.is_gone(now_ms)]
        cursor = page.cursor
        if cursor is None or len(found) >= limit:
            break
    return Page(tuple(found), cursor)


def every_dead_job(reader: JobReader, wanted: Filter, now_ms: int) -> Iterator[Job]:
    """All of them, page by page. Stop where you have enough."""
    cursor = None
    while True:
        page = dead_jobs(reader, wanted, limits.MAX_PAGE, cursor, now_ms)
        yield from page.jobs
        cursor = page.cursor
        if cursor is None:
            return


def _check_text(field: str, value: str | None, pattern: re.Pattern[str], longest: int, form: str) -> None:
    if value is not None and not (len(value) <= longest and pattern.fullmatch(value)):
        raise InputError.at(field, f"must be {form}", "format")
