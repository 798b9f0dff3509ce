"""What must hold of schedules and their ticks (I15).

Watches the rows and versions in the table, which it reads without any of the shipped code, and what jobs say of
themselves. The times of a schedule are computed here once more, from the two forms that the world uses.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.watchers.invariants import Violation
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.world import World

_MINUTE_MS = 60_000
# Two clocks that are each half a minute wrong.
_SLACK_MS = 60_000
_NO_JOB = ("tick_skipped", "tick_missed", "tick_withdrawn")


@dataclass(frozen=True, slots=True)
class Row:
    """A row, as far as invariants look at it."""

    version: int
    since: int
    span_ms: int
    is_cron: bool
    overlap: str
    next_at: int | None
    is_off: bool
    is_settling: bool
    made: tuple[int, ...]
    ticks: int
    skipped: int
    missed: int

    @classmethod
    def of(cls, item: Item) -> Row:
        """Read a ROW item."""

        def number(name: str) -> int:
            return int(item[name]["N"]) if name in item else 0

        is_settling, is_cron = "settling" in item, "cron" in item
        # The world's crons are all `*/n * * * *`, where n divides 60.
        span = int(item["cron"]["S"][2:].split()[0]) * _MINUTE_MS if is_cron else number("every_ms")
        made = item["made"]["S"].split() if "made" in item else []
        return cls(
            number("version"),
            number("since"),
            span,
            is_cron,
            item["overlap"]["S"],
            int(item["due_sk"]["S"]) if "due_sk" in item and not is_settling else None,
            "paused" in item or "deleted" in item,
            is_settling,
            tuple(int(tick.partition("/")[0]) for tick in made),
            number("ticks"),
            number("skipped"),
            number("missed"),
        )

    def fires(self, after: int, until: int) -> int:
        """How many of its times are later than `after` and not later than `until`."""
        origin = 0 if self.is_cron else self.since
        first = max((after - origin) // self.span_ms, 0)
        return max((until - origin) // self.span_ms - first, 0)


@dataclass(frozen=True, slots=True)
class Answered:
    """A change that somebody was told of: in which version, and when."""

    version: int
    at_ms: int


class Ticks:
    """The book of the schedules of one schedule of the world, by `tenant/name`.

    Attributes:
        triggered: the jobs of schedules that somebody made by hand. They are no ticks.
        well_from_ms: from then on nothing has failed for so long that no sweep is late any more.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows: dict[str, Row] = {}
        self.answers: dict[str, list[Answered]] = {}
        # By schedule and version: whose mark its jobs have, and None if it makes none.
        self.marks: dict[str, dict[int, int | None]] = {}
        self.jobs: dict[tuple[str, int], str] = {}
        self.begun_ms: dict[str, int] = {}
        self.triggered: set[str] = set()
        self.well_from_ms: int | None = None
        self._owed: list[tuple[str, Row, Row]] = []
        world.cloud.watch(self.look)
        world.calls.watchers.append(lambda *_: self.settle())
        world.ledger.watchers.append(self.hear)

    def answered(self, schedule: str, version: int) -> None:
        """Somebody was told that the schedule is in this version."""
        self._world.tell("answered", schedule, f"v{version}")
        self.answers.setdefault(schedule, []).append(Answered(version, self._world.scheduler.now_ms))

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Note a row or a version that is written."""
        if after is None:
            return
        tenant, _, rest = key[0].partition("#")
        if rest == "schedules" and key[1].startswith("ROW#"):
            schedule, row = f"{tenant}/{key[1][4:]}", Row.of(after)
            old = self.rows.get(schedule)
            self.rows[schedule] = row
            if old is not None and old != row:
                self._world.tell("row", schedule, f"v{row.version}", str(row.next_at), f"{row.ticks} made")
                self._owed.append((schedule, old, row))
        elif rest.startswith("schedule#") and key[1].startswith("V#") and before is None:
            mark = json.loads(after["args"]["S"])["mark"]
            is_off = "paused" in after or after["change"]["S"] == "deleted"
            marks = self.marks.setdefault(f"{tenant}/{rest.partition('#')[2]}", {})
            marks[int(key[1][2:])] = None if is_off else mark

    def settle(self) -> None:
        """A call is over: what it wrote of rows must be right by now."""
        owed, self._owed = self._owed, []
        for schedule, old, new in owed:
            if old.version == new.version and not old.is_settling:
                self._ticked(schedule, old, new)
            elif old.version != new.version and new.is_off:
                self._was_in_time(schedule, old)
            elif not new.is_settling and not new.is_off:
                self._begun(schedule, new)

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A schedule's job runs."""
        if what != "ticked":
            return
        job, schedule = f"{ctx.tenant}#{ctx.job_id}", f"{args.owner}/{args.schedule}"
        if ctx.tenant != args.owner:
            raise Violation("I17", f"{job} runs with the arguments of {args.owner}")
        at = ctx.scheduled_at_ms
        self._world.tell("tick runs", schedule, str(at), job, f"mark {args.mark}")
        if at is None or job in self.triggered:
            return
        first = self.jobs.setdefault((schedule, at), job)
        if first != job:
            raise Violation("I15", f"the tick of {schedule} at {at} has two jobs: {first} and {job}")
        # A worker whose clock is fast begins it before its time, and goes on with what it has begun.
        decided_ms = min(at, self.begun_ms.setdefault(job, self._world.scheduler.now_ms))
        known = max((one.version for one in self.answers.get(schedule, ()) if one.at_ms < decided_ms), default=0)
        later = {mark for version, mark in self.marks[schedule].items() if version >= known}
        if args.mark not in later:
            raise Violation("I15", f"{job} runs {schedule} as before version {known}, answered before its time {at}")

    def _ticked(self, schedule: str, old: Row, new: Row) -> None:
        """A sweep moved the row on: all ticks on the way are accounted for, and the first has its record."""
        if old.next_at is None or old.next_at == new.next_at:
            return
        until = self._world.scheduler.now_ms + 10**9 if new.next_at is None else new.next_at - 1
        passed = old.fires(old.next_at - 1, until)
        again = old.next_at in old.made
        told = (new.ticks - old.ticks + again, new.skipped - old.skipped, new.missed - old.missed)
        if sum(told) != passed:
            raise Violation("I15", f"{schedule} moved on by {passed} ticks and tells of {told} (made, skipped, missed)")
        if told[1] and old.overlap == "allow":
            raise Violation("I15", f"{schedule} skips {told[1]} ticks, and they may overlap")
        if told[2] and old.next_at > self._world.scheduler.now_ms - _MINUTE_MS + _SLACK_MS:
            raise Violation("I15", f"{schedule} takes the tick at {old.next_at} for missed, which is not over")
        if told[0] and old.next_at not in new.made:
            raise Violation("I15", f"{schedule} made the tick at {old.next_at} and does not know it")

    def _was_in_time(self, schedule: str, old: Row) -> None:
        """A schedule ends: its ticks until now were made, unless one had to wait for a job."""
        now_ms = self._world.scheduler.now_ms
        if self.well_from_ms is None or now_ms < self.well_from_ms or old.next_at is None or old.overlap != "allow":
            return
        # Its creation may have been held up on its way, so that no sweep has seen it yet.
        seen_ms = max((one.at_ms for one in self.answers.get(schedule, ())), default=0)
        if max(old.next_at, seen_ms) < now_ms - 2 * _MINUTE_MS:
            raise Violation("I15", f"{schedule} ends, and its tick at {old.next_at} was never made")

    def _begun(self, schedule: str, new: Row) -> None:
        """A version begins: none of its ticks from now on is left out."""
        now_ms = self._world.scheduler.now_ms
        if new.next_at is None or new.fires(now_ms + _SLACK_MS, new.next_at - 1):
            raise Violation("I15", f"{schedule} begins version {new.version} at {new.next_at} and leaves ticks out")


def audit_ticks(world: World) -> None:
    """Every tick that a row tells of has its job, and every change came to rest."""
    ticks = world.part(Ticks)
    ticks.settle()
    records = world.cloud.records()
    made = sum(row.ticks for row in ticks.rows.values())
    jobs = [
        job
        for job, item in records.items()
        if item["kind"]["S"] == "sim.tick" and item.get("reason", {}).get("S") not in _NO_JOB
    ]
    if len(jobs) < made - len(world.records.forgotten):
        raise Violation("I15", f"{made} ticks were made, and there are {len(jobs)} jobs")
    for schedule, row in ticks.rows.items():
        if row.is_settling:
            raise Violation("I15", f"{schedule} never settled its version {row.version}")
