"""Schedules that are made while the stack runs: create, change, pause, resume, delete, look, go back.

A change is one conditional write of the row together with its version. Where a tick of the version before may have
been sent ahead of its time, the row then settles that first (see `Withdrawing`), and the change is answered after it:
so nothing of the old version runs that had not begun.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Unpack

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.cron import Timing
from tidemill.domain.errors import InputError
from tidemill.domain.names import check_tenant
from tidemill.domain.ports import Clock, SchedulePage, ScheduleStore, VersionPage
from tidemill.domain.registry import JobRegistry
from tidemill.domain.schedule_errors import ScheduleNotFoundError
from tidemill.domain.schedule_row import Change, ScheduleRef, ScheduleRow, ScheduleVersion
from tidemill.service.schedule_change import Changing
from tidemill.service.schedule_request import (
    ScheduleChanges,
    ScheduleOptions,
    changed_wish,
    check_own,
    check_undeclared,
    check_wanted,
    reverted_wish,
    schedule_ref,
)
from tidemill.service.schedule_runs import Backfill, ScheduleRuns
from tidemill.service.submission import DEFAULT_TENANT
from tidemill.service.submitter import Receipt
from tidemill.service.tick_withdrawal import Withdrawing


@dataclass(frozen=True, slots=True)
class Schedules:
    """Looks after the schedules of one stack. Safe for threads. `client.schedules` is one.

    One that the program's code declares with an overlap is here, too: it can be looked at, paused, resumed, triggered
    and backfilled, and is changed and deleted by changing the code.

    Every method takes the schedule's name (lower-case words joined by . _ or -, at most 54 characters) and its
    tenant. It raises InputError for an ill-formed one, ScheduleNotFoundError where there is none, and UnavailableError
    when AWS does not answer: the call may be repeated. Times are Unix milliseconds.

    Arguments:
        actor: tells who acts, when it is first asked.
    """

    registry: JobRegistry
    rows: ScheduleStore
    withdrawing: Withdrawing
    runs: ScheduleRuns
    clock: Clock
    actor: Callable[[], str]

    def acting_as(self, actor: str) -> Schedules:
        """The same, for a caller of this name."""
        return replace(self, actor=lambda: actor, runs=self.runs.acting_as(actor))

    def create(
        self,
        name: str,
        args: JobArgs,
        timing: Timing,
        *,
        tenant: str = DEFAULT_TENANT,
        paused: bool = False,
        **options: Unpack[ScheduleOptions],
    ) -> ScheduleRow:
        """Make a schedule whose ticks are those of `timing` from now on; one that is there and equal is answered.

        Arguments:
            timing: a Cron, or an Every, whose first tick is one span from now.
            paused: whether it is to make no jobs before it is resumed.

        Raises:
            InputError: a field is bad; nothing was written.
            ScheduleExistsError: there is another one of this name.
            TooManySchedulesError: the tenant has 1,000.
        """
        ref = schedule_ref(name, tenant)
        check_undeclared(ref, self.registry)
        now_ms = self.clock.now_ms()
        wanted = check_wanted(ref, args, timing, options, self.registry, now_ms, now_ms)
        return self._changing.create(ref, wanted, now_ms, paused=paused)

    def change(
        self,
        name: str,
        *,
        tenant: str = DEFAULT_TENANT,
        version: int | None = None,
        **changes: Unpack[ScheduleChanges],
    ) -> ScheduleRow:
        """Let it do something else from now on: other `args`, another `timing`, other options.

        A tick that was due before and that no sweep had come to is the new version's, if it is one of its ticks.

        Arguments:
            version: refuse the change if the schedule is in another one than this.

        Raises:
            InputError: a field is bad, or there is none; nothing was changed.
            StaleVersionError: it is in another version.
        """
        if not changes:
            raise InputError.at("changes", "are missing. Fix: say what is to be another", "missing")

        def changed(row: ScheduleRow, old: ScheduleVersion) -> tuple[ScheduleRow, bytes]:
            wanted = changed_wish(row, old, changes, self.registry, self.clock.now_ms())
            return replace(row, plan=wanted.plan), wanted.args

        return self._changing.apply(self._own(name, tenant), version, Change.CHANGED, changed)

    def pause(self, name: str, *, tenant: str = DEFAULT_TENANT, version: int | None = None) -> ScheduleRow:
        """Let it make no jobs until it is resumed. Pausing twice changes nothing.

        Raises:
            StaleVersionError: it is in another version than `version`.
        """
        return self._changing.apply(
            schedule_ref(name, tenant), version, Change.PAUSED, lambda row, old: (replace(row, paused=True), old.args)
        )

    def resume(self, name: str, *, tenant: str = DEFAULT_TENANT, version: int | None = None) -> ScheduleRow:
        """Let it make jobs again, from the next tick on: what it would have made meanwhile is not missed.

        Raises:
            StaleVersionError: it is in another version than `version`.
        """
        return self._changing.apply(
            schedule_ref(name, tenant), version, Change.RESUMED, lambda row, old: (replace(row, paused=False), old.args)
        )

    def revert(self, name: str, to: int, *, tenant: str = DEFAULT_TENANT, version: int | None = None) -> ScheduleRow:
        """Let it do what it did in version `to`, as a new version. Whether it is paused stays as it is.

        Raises:
            InputError: that version's arguments no longer fit the kind, or its kind or lane is gone.
            ScheduleNotFoundError: there is no such version (any more: they are kept for 400 days).
            StaleVersionError: it is in another version than `version`.
        """
        if isinstance(to, bool) or not isinstance(to, int) or to < 1:
            raise InputError.at("to", "must be the number of a version", "range")

        def reverted(row: ScheduleRow, _: ScheduleVersion) -> tuple[ScheduleRow, bytes]:
            earlier = self.version(row.ref.name, to, tenant=row.ref.tenant)
            wanted = reverted_wish(row, earlier, self.registry, self.clock.now_ms())
            return replace(row, plan=wanted.plan), wanted.args

        return self._changing.apply(self._own(name, tenant), version, Change.REVERTED, reverted, reverted_to=to)

    def delete(self, name: str, *, tenant: str = DEFAULT_TENANT, version: int | None = None) -> ScheduleRow:
        """Let it make no job any more. Jobs that it made and whose time has come run; its versions stay for 400 days.

        Raises:
            StaleVersionError: it is in another version than `version`.
        """
        return self._changing.apply(
            self._own(name, tenant), version, Change.DELETED, lambda row, old: (replace(row, deleted=True), old.args)
        )

    # --- running ----------------------------------------------------------------------------------

    def trigger(self, name: str, *, tenant: str = DEFAULT_TENANT, job_id: str | None = None) -> Receipt:
        """Make a job now, whatever its times, its overlap policy and its being paused say. It is no tick.

        Its `ctx.scheduled_at` is now, so that it can do what a tick's job does.

        Arguments:
            job_id: an id of the caller's choice, so that the call can be repeated without a second job.

        Raises:
            InputError: the id is ill-formed, or the schedule's arguments no longer fit its kind.
        """
        row = self.get(name, tenant=tenant)
        return self.runs.trigger(row, self._changing.version_of(row), job_id)

    def backfill(
        self, name: str, start: datetime, end: datetime, *, tenant: str = DEFAULT_TENANT, dry_run: bool = False
    ) -> Backfill:
        """Make the jobs of its ticks from `start` (included) to `end` (not included), all of which are over.

        A tick that has a job gets no other one, so that a backfill can be repeated; one that was skipped, missed or
        withdrawn gets its job now. That holds for as long as the jobs' records are kept. The overlap policy is not
        asked: the jobs wait in their lane like all others.

        Arguments:
            dry_run: only say which ticks these are, and which of them have a job.

        Raises:
            InputError: a time has no zone, the range is empty or not over, or it has more than 1,000 ticks.
        """
        row = self.get(name, tenant=tenant)
        return self.runs.backfill(row, self._changing.version_of(row), start, end, dry_run=dry_run)

    # --- looking ----------------------------------------------------------------------------------

    def get(self, name: str, *, tenant: str = DEFAULT_TENANT) -> ScheduleRow:
        """The row as of now."""
        return self._changing.standing(schedule_ref(name, tenant))

    def page(self, *, tenant: str = DEFAULT_TENANT, limit: int = 100, cursor: str | None = None) -> SchedulePage:
        """The tenant's schedules by name, up to 100 a page; only a missing cursor says that there are no more.

        Raises:
            InputError: the limit or the cursor is bad.
        """
        return self.rows.listed(check_tenant(tenant), _page_size(limit), cursor)

    def versions(
        self, name: str, *, tenant: str = DEFAULT_TENANT, limit: int = 100, cursor: str | None = None
    ) -> VersionPage:
        """Who made it what it is, newest first, those of deleted schedules of the name included. Kept for 400 days.

        Raises:
            InputError: the limit or the cursor is bad.
        """
        ref = schedule_ref(name, tenant)
        page = self.rows.history(ref, _page_size(limit), cursor)
        if not page.versions and cursor is None:
            raise ScheduleNotFoundError(ref.tenant, ref.name)
        return page

    def version(self, name: str, number: int, *, tenant: str = DEFAULT_TENANT) -> ScheduleVersion:
        """One version of it."""
        ref = schedule_ref(name, tenant)
        found = self.rows.version(ref, number)
        if found is None:
            raise ScheduleNotFoundError(ref.tenant, ref.name, number)
        return found

    def next_fires(self, name: str, count: int, *, tenant: str = DEFAULT_TENANT) -> list[datetime]:
        """Its next ticks, in UTC; none while it is paused.

        Raises:
            InputError: `count` is not 1 to 100.
        """
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= limits.MAX_FIRES_SHOWN:
            raise InputError.at("count", f"must be 1 to {limits.MAX_FIRES_SHOWN}", "range")
        row = self.get(name, tenant=tenant)
        if row.paused:
            return []
        now_ms = self.clock.now_ms()
        after = now_ms if row.next_at is None else max(row.next_at - 1, now_ms)
        return [datetime.fromtimestamp(at / 1_000, UTC) for at in islice(row.plan.fires(after), count)]

    # --- inside -----------------------------------------------------------------------------------

    def _own(self, name: str, tenant: str) -> ScheduleRef:
        """Which schedule is meant, if it is not the code that says what it does."""
        ref = schedule_ref(name, tenant)
        check_own(ref, self.registry)
        return ref

    @property
    def _changing(self) -> Changing:
        return Changing(self.rows, self.withdrawing, self.clock, self.actor)


def _page_size(limit: object) -> int:
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= limits.MAX_PAGE:
        raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
    return limit
