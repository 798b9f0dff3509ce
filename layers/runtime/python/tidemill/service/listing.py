"""Listing jobs: only what an index can answer, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job, day_of
from tidemill.domain.lifecycle import State
from tidemill.domain.names import check_kind, check_tenant
from tidemill.domain.ports import Clock, JobReader, Page
from tidemill.service.submission import DEFAULT_TENANT

LISTED_STATES: Final = (State.DEAD, State.RETRYING, State.SCHEDULED)
# A page of one kind is looked for in so many pages of the tenant's before it is handed over short.
_SCANS: Final = 10


@dataclass(frozen=True, slots=True)
class Query:
    """Which jobs: by state (dead, retrying, scheduled), or by kind and day, or by state and kind.

    Arguments:
        tenant: whose jobs.
        state: a state that an index holds.
        kind: a kind. Without a state the list index answers, for one UTC day.
        day: `2026-11-22`; today if left out. Only without a state.
        limit: jobs a page, 1 to 100. A page may be shorter while `cursor` still leads on.
        cursor: from the page before.
    """

    tenant: str = DEFAULT_TENANT
    state: str | None = None
    kind: str | None = None
    day: str | None = None
    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Answers queries."""

    reader: JobReader
    clock: Clock
    list_index: bool

    def jobs(self, query: Query) -> Page:
        """One page of jobs.

        Raises:
            InputError: no index holds what is asked, or a field is bad; it is named.
        """
        tenant = check_tenant(query.tenant)
        kind = None if query.kind is None else check_kind(query.kind)
        if not isinstance(query.limit, int) or not 1 <= query.limit <= limits.MAX_PAGE:
            raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
        if query.state is not None:
            return self._by_state(_listed_state(query.state), tenant, kind, query)
        if kind is None:
            raise InputError.at("state", "give a state (dead, retrying, scheduled) or a kind", "missing")
        return self._by_kind(tenant, kind, query)

    def _by_state(self, state: State, tenant: str, kind: str | None, query: Query) -> Page:
        found: list[Job] = []
        cursor = query.cursor
        for _ in range(_SCANS):
            page = self.reader.waiting(state, tenant, query.limit - len(found), cursor)
            found += [job for job in self._kept(page.jobs) if job.ref.tenant == tenant and kind in (None, job.kind)]
            cursor = page.cursor
            if cursor is None or len(found) >= query.limit:
                break
        return Page(tuple(found), cursor)

    def _by_kind(self, tenant: str, kind: str, query: Query) -> Page:
        if not self.list_index:
            raise InputError.at(
                "kind",
                "the list index is off in this stack. Fix: give a state, or deploy with list_index on",
                "not_indexed",
            )
        today = day_of(self.clock.now_ms())
        page = self.reader.recent(tenant, kind, check_day(query.day or today), query.limit, query.cursor)
        return Page(self._kept(page.jobs), page.cursor)

    def _kept(self, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
        """Those whose retention is not over: the table deletes the others days later."""
        now_ms = self.clock.now_ms()
        return tuple(job for job in jobs if not job.is_gone(now_ms))


def _listed_state(value: str) -> State:
    if value not in LISTED_STATES:
        listed = ", ".join(LISTED_STATES)
        raise InputError.at(
            "state", f"no index holds {value!r:.40}; listed: {listed}. Fix: look jobs up by id", "not_indexed"
        )
    return State(value)


def check_day(value: str) -> str:
    """Return `value` if it is a day such as `2026-11-22`.

    Raises:
        InputError: it is none; the field is `day`.
    """
    try:
        if date.fromisoformat(value).isoformat() == value:
            return value
    except ValueError:
        pass
    raise InputError.at("day", f"must be a date such as 2026-11-22, not {value!r:.40}", "format")
