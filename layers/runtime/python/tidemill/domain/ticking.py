"""What becomes of a schedule's next tick. Pure: the row, the time, and whether an earlier job is still not over.

A step deals with the tick at `next_at` and with no other one: whoever stands in the middle of a step, of an old row
even, can have sent the job of that one tick only. So a change knows which jobs to withdraw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final, TypeAlias

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.overlap import Overlap
from tidemill.domain.schedule_row import Missed, NoJob, Plan, ScheduleRow, Settling, TickJob

AHEAD_MS: Final = milliseconds(limits.SWEEP_AHEAD)
_LATE_MS: Final = milliseconds(limits.TICK_LATE)
_MINUTE_MS: Final = 60_000
_SKEW_MS: Final = milliseconds(limits.CLOCK_SKEW)
# How far back the latest ticks are looked for, each next try further.
_LOOKS_BACK_MS: Final = tuple(_MINUTE_MS * count for count in (120, 2 * 1440, 62 * 1440, 732 * 1440))


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing is to be done now."""


@dataclass(frozen=True, slots=True)
class Make:
    """The tick's job is to be sent, and then the row moves on."""

    tick: TickJob


@dataclass(frozen=True, slots=True)
class Drop:
    """The tick gets no job, and the row moves on to the first tick later than `beyond`."""

    tick: TickJob
    reason: NoJob
    beyond: int


@dataclass(frozen=True, slots=True)
class Wait:
    """The tick is to wait until the other job is over, and the row is to say so."""


Step: TypeAlias = Leave | Make | Drop | Wait


def overlaps(policy: Overlap, start: int, now_ms: int, *, busy: bool) -> Overlap:
    """What the policy says of a tick: `allow` it now, `skip` it, or let it wait (`queue_one`).

    A tick that is still to come waits under either policy: the job before it may be over in time.

    Arguments:
        start: when its job is to start.
        busy: a job of an earlier tick is not over.
    """
    if policy is Overlap.ALLOW or not busy:
        return Overlap.ALLOW
    return policy if start <= now_ms else Overlap.QUEUE_ONE


def decide_tick(row: ScheduleRow, now_ms: int, is_busy: Callable[[], bool]) -> Step:
    """What is to be done with the tick at `row.next_at`.

    Arguments:
        is_busy: whether a job of the latest ticks is not over; asked only where the policy needs it.
    """
    at = row.next_at
    if at is None or row.start_of(at) > now_ms + (0 if row.plan.in_order else AHEAD_MS):
        return Leave()
    if any(tick.at == at for tick in row.made):
        # It began before it could be withdrawn.
        return Make(row.tick(at))
    return _missed(row, at, now_ms) or _in_time(row, at, now_ms, is_busy)


def _in_time(row: ScheduleRow, at: int, now_ms: int, is_busy: Callable[[], bool]) -> Step:
    busy, start = row.plan.overlap is not Overlap.ALLOW and is_busy(), row.start_of(at)
    match overlaps(row.plan.overlap, start, now_ms, busy=busy):
        case Overlap.ALLOW:
            return Make(row.tick(at))
        case Overlap.SKIP:
            return Drop(row.tick(at), NoJob.SKIPPED, at)
        case Overlap.QUEUE_ONE:
            return Leave() if start > now_ms or row.waiting else Wait()


def made(row: ScheduleRow, tick: TickJob, now_ms: int) -> ScheduleRow:
    """The row after the tick's job was made. What came due behind a tick that waited is skipped."""
    beyond = max(tick.at, now_ms) if row.waiting else tick.at
    passed = count_fires(row.plan, tick.at, beyond) if row.waiting else 0
    is_new = tick not in row.made
    return row.revised(
        next_at=row.plan.first_fire(beyond),
        made=(*row.made, tick)[-limits.MADE_KEPT :] if is_new else row.made,
        again=_to_come(row.again, beyond),
        waiting=False,
        problem="",
        ticks=row.ticks + is_new,
        late=row.late + (is_new and is_late(row, tick, now_ms)),
        skipped=row.skipped + passed,
    )


def is_late(row: ScheduleRow, tick: TickJob, now_ms: int) -> bool:
    """Whether the tick is made more than a minute after its start, and not because it had to wait."""
    return not row.waiting and now_ms - row.start_of(tick.at) > _LATE_MS


def dropped(row: ScheduleRow, step: Drop) -> ScheduleRow:
    """The row after a tick got no job, with all up to `step.beyond`."""
    count = 1 + count_fires(row.plan, step.tick.at, step.beyond)
    missed = step.reason is NoJob.MISSED
    return row.revised(
        next_at=row.plan.first_fire(step.beyond),
        again=_to_come(row.again, step.beyond),
        waiting=False,
        problem="",
        skipped=row.skipped + (0 if missed else count),
        missed=row.missed + (count if missed else 0),
        last_missed=step.beyond if missed else row.last_missed,
    )


def withdrawable(row: ScheduleRow, now_ms: int) -> tuple[TickJob, ...]:
    """The ticks whose jobs may have been sent by now and are not to run if the schedule is changed now.

    Those that were made ahead of their time, and the next one if a sweep may be about to send it. Clocks are half a
    minute wrong: ours may be ahead, and that of a sweep, which is two minutes ahead of its ticks, as well.
    """
    ahead = tuple(tick for tick in row.made if row.start_of(tick.at) > now_ms - _SKEW_MS)
    at = row.next_at
    if at is None or row.start_of(at) > now_ms + AHEAD_MS + 2 * _SKEW_MS:
        return ahead
    return (*ahead, row.tick(at))


def settling_for(row: ScheduleRow, now_ms: int) -> Settling:
    """What a change at `now_ms` has to settle.

    Ticks that came due before it and were not made are the new version's.
    """
    overdue = row.next_at is not None and row.next_at <= now_ms
    return Settling(withdrawable(row, now_ms), row.next_at - 1 if overdue and row.next_at else now_ms)


def settled(row: ScheduleRow, withdrawn: Iterable[TickJob]) -> ScheduleRow:
    """The row that was settling, after these of its ticks turned out to have no job that will run."""
    if row.settling is None:
        raise ValueError(f"schedule {row.ref} settles nothing")
    gone = tuple(withdrawn)
    # A tick that was due just now, and whose job had not begun, is the new version's as well.
    base = min([row.settling.base, *(tick.at - 1 for tick in gone)])
    stand = tuple(tick for tick in row.settling.ticks if tick not in gone and tick not in row.made)
    again = {tick.at: tick for tick in (*row.again, *stand, *(tick.again for tick in gone))}
    next_at = None if row.paused or row.deleted else row.plan.first_fire(base)
    # Those that were due before a pause and that no sweep had come to.
    over = over_until(row, base, row.changed_at) if row.paused else None
    lost = 0 if over is None else max(count_fires(row.plan, base, over) - len(stand), 0)
    return row.revised(
        settling=None,
        next_at=next_at,
        made=tuple(tick for tick in row.made if tick not in gone),
        again=_to_come(tuple(again.values()), base),
        waiting=row.waiting and row.plan.overlap is Overlap.QUEUE_ONE and next_at == base + 1,
        problem="",
        ticks=row.ticks - sum(tick in gone for tick in row.made),
        missed=row.missed + lost,
        last_missed=over if lost else row.last_missed,
    )


def over_until(row: ScheduleRow, after: int, until: int) -> int | None:
    """The latest tick later than `after` whose start is not later than `until`; None if there is none."""
    # A start is before the next tick, so that only the latest one may be still to come.
    found = latest_fires(row.plan, after + 1, until, 2)
    return next((at for at in reversed(found) if row.start_of(at) <= until), None)


def count_fires(plan: Plan, after: int, until: int) -> int:
    """How many ticks are later than `after` and not later than `until`; more than 10,000 count as so many."""
    fires = takewhile(lambda at: at <= until, plan.fires(after))
    return sum(1 for _ in islice(fires, limits.TICKS_COUNTED))


def latest_fires(plan: Plan, first: int, until: int, most: int) -> list[int]:
    """The latest `most` ticks from `first` to `until`, in their order."""
    for back in _LOOKS_BACK_MS:
        start = max(first - 1, until - back * most)
        found = list(takewhile(lambda at: at <= until, plan.fires(start)))[-most:]
        if len(found) == most or start == first - 1:
            return found
    return list(takewhile(lambda at: at <= until, plan.fires(first - 1)))[-most:]


def _missed(row: ScheduleRow, at: int, now_ms: int) -> Drop | None:
    """The end of the tick at `at` if the sweep is too late for it; None if it is to be made all the same."""
    # A tick that can't be sent ahead is the business of the first sweep after its time.
    is_ahead = row.plan.overlap is Overlap.ALLOW and not row.plan.in_order
    until = now_ms - _LATE_MS * (1 if is_ahead else 2)
    last = None if row.waiting else over_until(row, at - 1, until - 1)
    if last is None:
        return None
    if row.plan.missed is Missed.SKIP:
        return Drop(row.tick(at), NoJob.MISSED, last)
    keep = row.plan.missed_limit if row.plan.missed is Missed.RUN_ALL else 1
    first_kept = latest_fires(row.plan, at, last, keep)[0]
    return None if first_kept == at else Drop(row.tick(at), NoJob.MISSED, _before(row.plan, at, first_kept))


def _before(plan: Plan, at: int, kept: int) -> int:
    """The latest tick earlier than `kept`, which is later than `at`."""
    return latest_fires(plan, at, kept - 1, 1)[-1]


def _to_come(ticks: tuple[TickJob, ...], after: int) -> tuple[TickJob, ...]:
    return tuple(tick for tick in ticks if tick.at > after)
