"""Jitter of schedules that are made at run time: each tick's job starts within it, at a time that all agree on."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice, pairwise

import pytest

from tests.unit.service.scheduled import Report, Stage
from tidemill import DEFAULT_LANES, hours, minutes, seconds
from tidemill.domain.cron import Cron, Every
from tidemill.domain.schedule_row import Plan, ScheduleRef, ScheduleRow
from tidemill.errors import InputError

NOW = 1_800_000_000_000
SPREAD = Plan("test.report", Every(minutes(5)), NOW, DEFAULT_LANES[0].name, jitter=minutes(60))


@pytest.fixture
def stage():
    stage = Stage()
    with stage.tide:
        yield stage


def a_row(name="nightly", plan=SPREAD):
    return ScheduleRow(ScheduleRef("acme", name), plan, 1, 1, NOW, NOW, next_at=NOW)


def test_starts_are_in_the_jitter_and_keep_the_order_of_their_ticks():
    row, ticks = a_row(), [NOW + number * 300_000 for number in range(500)]
    starts = [row.start_of(at) for at in ticks]

    assert all(at <= start < at + 300_000 for at, start in zip(ticks, starts, strict=True))
    assert all(before < after for before, after in pairwise(starts))
    assert len({start - at for at, start in zip(ticks, starts, strict=True)}) > 200
    assert {start % 1_000 for start in starts} == {0}


def test_schedules_of_one_minute_start_apart_and_each_where_it_always_does():
    plan = Plan("test.report", Cron("0 9 * * *"), NOW, "bulk", jitter=minutes(15))
    starts = [a_row(f"s{number}", plan).start_of(NOW) - NOW for number in range(200)]

    assert max(starts) < 900_000
    # A hundred of them would start together without it.
    assert max(starts.count(start) for start in starts) < 6
    assert a_row("s0", plan).start_of(NOW) - NOW == starts[0] == 262_000


def test_a_job_starts_at_that_second_and_is_the_job_of_its_tick(stage):
    stage.schedules.create("nightly", Report(), Cron("*/20 * * * *"), jitter=minutes(10))
    row, begun = stage.row(), stage.tide.clock.now_ms()
    stage.tide.run_for(hours(2) - minutes(1))

    ticks = list(islice(row.plan.fires(begun), 5))
    assert [int(at.timestamp()) for at, _ in stage.runs] == [row.start_of(at) // 1_000 for at in ticks]
    assert [job.ref.id for job in stage.tide.jobs()] == [row.job_id(row.tick(at)) for at in ticks]
    assert stage.counts() == (5, 0, 0, 0)


def test_a_pause_between_a_tick_and_its_start_withdraws_it_and_misses_nothing(stage):
    stage.schedules.create("nightly", Report(), Cron("*/30 * * * *"), jitter=minutes(20))
    row = stage.row()
    stage.tide.run_for(timedelta(milliseconds=row.start_of(row.next_at) - stage.tide.clock.now_ms()) - seconds(5))
    stage.schedules.pause("nightly")
    stage.tide.run_for(minutes(40))

    assert stage.runs == []
    assert stage.counts() == (0, 0, 0, 0)


def test_a_change_between_a_tick_and_its_start_is_of_that_tick(stage):
    stage.schedules.create("nightly", Report(), Cron("*/30 * * * *"), jitter=minutes(20))
    row = stage.row()
    stage.tide.run_for(timedelta(milliseconds=row.start_of(row.next_at) - stage.tide.clock.now_ms()) - seconds(40))
    stage.schedules.change("nightly", args=Report(text="new"), jitter=timedelta(0))
    stage.tide.run_for(minutes(5))

    assert [text for _, text in stage.runs] == ["new"]
    assert stage.row().plan.jitter is None


@pytest.mark.parametrize("policy", ["skip", "run_once"])
def test_what_has_not_started_yet_is_not_missed(stage, policy):
    stage.schedules.create("nightly", Report(), Every(minutes(30)), jitter=minutes(29), missed=policy)
    row = stage.row()
    start = row.start_of(row.next_at)
    stage.stop_the_janitor()
    stage.tide.advance(timedelta(milliseconds=start - stage.tide.clock.now_ms()) - seconds(90))
    stage.stop_the_janitor(False)
    stage.tide.run_for(minutes(4))

    assert len(stage.runs) == 1
    assert stage.counts()[3] == 0


@pytest.mark.parametrize("bad", [seconds(30), minutes(1441), "5m", -minutes(1)])
def test_another_jitter_is_refused(stage, bad):
    with pytest.raises(InputError, match="jitter: must be whole minutes, 1 to 1440"):
        stage.schedules.create("nightly", Report(), Every(minutes(30)), jitter=bad)
