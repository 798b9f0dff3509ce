"""What becomes of a tick: the decisions, against a count by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.domain import limits
from tidemill.domain.cron import Cron, Every
from tidemill.domain.duration import days, hours, minutes
from tidemill.domain.overlap import Overlap
from tidemill.domain.schedule_row import Missed, NoJob, Plan, ScheduleRef, ScheduleRow, Settling, TickJob, tick_job_id
from tidemill.domain.ticking import (
    Drop,
    Leave,
    Make,
    Wait,
    count_fires,
    decide_tick,
    dropped,
    latest_fires,
    made,
    overlaps,
    settled,
    settling_for,
    withdrawable,
)

NOW = 1_800_000_000_000
MINUTE = 60_000
PLAN = Plan("k", Every(minutes(1)), NOW, "default")
PLANS = (
    PLAN,
    replace(PLAN, timing=Every(hours(7))),
    replace(PLAN, timing=Cron("*/15 * * * *")),
    replace(PLAN, timing=Cron("30 2 * * *", tz="Europe/Paris")),
)


def a_row(**changes) -> ScheduleRow:
    plan = replace(
        PLAN, **{name: changes.pop(name) for name in ("overlap", "missed", "missed_limit") if name in changes}
    )
    row = ScheduleRow(ScheduleRef("acme", "a"), plan, 1, 1, NOW, NOW, next_at=NOW + MINUTE)
    return replace(row, **changes)


def decide(row, late_ms, *, busy=False):
    return decide_tick(row, row.next_at + late_ms, lambda: busy)


@pytest.mark.parametrize(
    ("late_ms", "step"),
    [(-2 * MINUTE - 1, Leave), (-2 * MINUTE, Make), (0, Make), (MINUTE, Make)],
)
def test_a_tick_is_made_from_two_minutes_before_it_on(late_ms, step):
    assert isinstance(decide(a_row(), late_ms), step)


def test_a_row_without_a_next_tick_is_left():
    assert decide_tick(a_row(next_at=None), NOW, bool) == Leave()


@pytest.mark.parametrize(
    ("policy", "late_ms", "expected"),
    [
        ("skip", -1, Leave()),
        ("queue_one", -1, Leave()),
        ("skip", 0, Drop(TickJob(NOW + MINUTE), NoJob.SKIPPED, NOW + MINUTE)),
        ("queue_one", 0, Wait()),
        ("allow", 0, Make(TickJob(NOW + MINUTE))),
    ],
)
def test_a_busy_schedule_follows_its_policy_and_skips_nothing_before_its_time(policy, late_ms, expected):
    assert decide(a_row(overlap=Overlap(policy)), late_ms, busy=True) == expected


def test_who_does_not_mind_is_not_asked():
    def never():
        raise AssertionError

    assert isinstance(decide_tick(a_row(), NOW, never), Make)


@pytest.mark.parametrize("at", [NOW - 1, NOW, NOW + 1])
@pytest.mark.parametrize("policy", list(Overlap))
def test_nobody_waits_for_nothing(policy, at):
    assert overlaps(policy, at, NOW, busy=False) is Overlap.ALLOW


def test_one_that_waits_is_not_missed_and_what_came_behind_it_is_skipped():
    row = a_row(overlap=Overlap.QUEUE_ONE, waiting=True)
    assert decide(row, 10 * MINUTE, busy=True) == Leave()
    assert decide(row, 10 * MINUTE) == Make(TickJob(NOW + MINUTE))

    after = made(row, TickJob(NOW + MINUTE), NOW + 5 * MINUTE + 1)
    assert (after.next_at, after.skipped, after.late, after.waiting) == (NOW + 6 * MINUTE, 4, 0, False)


@pytest.mark.parametrize(
    ("missed", "limit", "kept"),
    [(Missed.SKIP, 1, 0), (Missed.RUN_ONCE, 1, 1), (Missed.RUN_ALL, 4, 4), (Missed.RUN_ALL, 100, 9)],
)
def test_of_nine_missed_ticks_so_many_are_made(missed, limit, kept):
    row = a_row(missed=missed, missed_limit=limit)
    # Ticks at minutes 1 to 10; that of minute 10 is 30 s late.
    now_ms = NOW + 10 * MINUTE + 30_000
    ran, steps = [], 0
    while not isinstance(step := decide_tick(row, now_ms, bool), Leave):
        steps += 1
        if isinstance(step, Make):
            ran.append((step.tick.at - NOW) // MINUTE)
            row = made(row, step.tick, now_ms)
        else:
            row = dropped(row, step)

    assert ran == [*range(10 - kept, 10), 10, 11, 12]
    assert (row.ticks, row.late, row.missed) == (kept + 3, kept, 9 - kept)


# How long it takes is the machine's business.
@settings(deadline=None)
@given(st.sampled_from(PLANS), st.integers(0, 40 * 86_400), st.integers(0, 40 * 86_400), st.integers(1, 100))
def test_fires_are_counted_and_the_latest_found(plan, after_s, span_s, most):
    after = NOW + after_s * 1_000
    until = after + span_s * 1_000
    fires = []
    for at in plan.fires(after):
        if at > until or len(fires) > 60_000:
            break
        fires.append(at)

    assert count_fires(plan, after, until) == min(len(fires), limits.TICKS_COUNTED)
    if fires:
        assert latest_fires(plan, fires[0], until, most) == fires[-most:]


def test_the_latest_of_a_rare_schedule_is_found():
    leap = replace(PLAN, timing=Cron("0 0 29 2 *"))
    first = int(datetime(2020, 2, 29, tzinfo=UTC).timestamp() * 1_000)
    last = int(datetime(2096, 2, 29, tzinfo=UTC).timestamp() * 1_000)
    until = int(datetime(2103, 1, 1, tzinfo=UTC).timestamp() * 1_000)
    assert latest_fires(leap, first, until, 1) == [last]
    # A cron ends with the year 2199, and has no next time then.
    assert leap.first_fire(int(datetime(2199, 1, 1, tzinfo=UTC).timestamp() * 1_000)) is None


def test_what_may_have_been_sent_is_withdrawn():
    ahead = (TickJob(NOW - 5 * MINUTE), TickJob(NOW - 10_000), TickJob(NOW + MINUTE, 2))
    near, far = a_row(made=ahead, next_at=NOW + 3 * MINUTE), a_row(made=ahead, next_at=NOW + 3 * MINUTE + 1)

    assert withdrawable(near, NOW) == (*ahead[1:], TickJob(NOW + 3 * MINUTE))
    assert withdrawable(far, NOW) == ahead[1:]
    assert settling_for(near, NOW).base == NOW
    assert settling_for(a_row(next_at=NOW - 7), NOW) == Settling((TickJob(NOW - 7),), NOW - 8)


def test_a_withdrawn_tick_is_made_anew_under_its_next_number_and_one_that_began_is_not():
    gone, began = TickJob(NOW + MINUTE), TickJob(NOW + 2 * MINUTE)
    row = a_row(next_at=None, made=(gone, began), ticks=2, settling=Settling((gone, began), NOW))

    after = settled(row, [gone])

    assert (after.next_at, after.made, after.again, after.ticks) == (gone.at, (began,), (gone.again,), 1)
    assert decide_tick(after, NOW, bool) == Make(TickJob(gone.at, 1))
    done = made(after, TickJob(gone.at, 1), NOW)
    # The other one is met again, and not made twice.
    assert decide_tick(done, NOW, bool) == Make(began)
    assert (made(done, began, NOW).ticks, made(done, began, NOW).next_at) == (2, NOW + 3 * MINUTE)


def test_what_was_due_before_a_pause_is_missed():
    row = a_row(paused=True, next_at=None, changed_at=NOW + 2 * MINUTE + 5, settling=Settling((), NOW + 5))
    after = settled(row, ())
    assert (after.next_at, after.missed, after.last_missed) == (None, 2, NOW + 2 * MINUTE)


def test_settling_what_is_not_settling_is_a_bug():
    with pytest.raises(ValueError, match="settles nothing"):
        settled(a_row(), ())


def test_ids_differ_by_all_that_makes_a_tick():
    ref = ScheduleRef("acme", "a")
    ids = {
        tick_job_id(ref, NOW, TickJob(NOW)),
        tick_job_id(ScheduleRef("acme", "b"), NOW, TickJob(NOW)),
        tick_job_id(ScheduleRef("bolt", "a"), NOW, TickJob(NOW)),
        tick_job_id(ref, NOW + 1, TickJob(NOW)),
        tick_job_id(ref, NOW, TickJob(NOW + 1)),
        tick_job_id(ref, NOW, TickJob(NOW, 1)),
    }
    assert len(ids) == 6
    assert tick_job_id(ref, NOW, TickJob(NOW)) in ids


def test_an_every_of_a_day_is_24_hours():
    plan = replace(PLAN, timing=Every(days(1)))
    assert plan.first_fire(NOW) == NOW + 86_400_000
    assert plan.first_fire(NOW - 10**9) == NOW + 86_400_000
