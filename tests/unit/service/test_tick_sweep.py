"""Overlap, missed and late ticks, trouble between any two calls of the sweep, and daylight saving time."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest

from tests.unit.service.scheduled import Report, Stage
from tidemill import DEFAULT_LANES, JobRegistry, hours, minutes, seconds
from tidemill.domain.cron import Cron, Every
from tidemill.domain.lifecycle import State
from tidemill.domain.schedule_row import NoJob, TickJob

CALLS = ("due_schedules", "versions_of", "find", "send", "insert", "move_schedule")


@pytest.fixture
def stage():
    stage = Stage()
    with stage.tide:
        yield stage


# --- overlap --------------------------------------------------------------------------------------


def test_ticks_may_overlap_unless_they_may_not(stage):
    """The harness runs one job at a time: the second one is made while the first runs, and starts after it."""
    stage.lasts = minutes(7)
    stage.schedules.create("nightly", Report(), Cron("5,10 8 * * *"))
    stage.tide.run_for(minutes(31))

    assert stage.times == ["08:05:00", "08:12:00"]
    assert stage.counts() == (2, 0, 0, 0)


def test_a_tick_is_skipped_while_the_job_before_is_not_over(stage):
    stage.lasts = minutes(12)
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"), overlap="skip")

    stage.tide.run_for(minutes(36))

    # From 08:05 to 08:17, from 08:20 to 08:32, and from 08:35 to 08:47.
    assert stage.times == ["08:05:00", "08:20:00", "08:35:00"]
    assert stage.counts() == (3, 0, 6, 0)
    reasons = [job.reason for job in stage.tide.jobs() if job.state is State.CANCELLED]
    assert reasons == ["tick_skipped"] * 6


def test_one_tick_waits_for_the_job_before_and_those_that_come_meanwhile_are_skipped(stage):
    stage.lasts = minutes(12)
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"), overlap="queue_one")

    stage.tide.run_for(minutes(36))

    # That of 08:10 waits until 08:17; the sweep of 08:18 sends it, and 08:15 is skipped.
    assert stage.times == ["08:05:00", "08:18:00", "08:31:00"]
    assert stage.counts()[:2] == (3, 0)
    assert stage.row().waiting
    assert stage.counts()[2] == 2 + 1


def test_what_runs_a_tick_that_may_not_overlap_keeps_to_the_second(stage):
    stage.lasts = seconds(20)
    stage.schedules.create("nightly", Report(), Cron("* * * * *"), overlap="skip")

    stage.tide.run_for(minutes(5) + seconds(30))

    assert stage.times == [f"08:0{minute}:00" for minute in range(1, 6)]
    assert stage.counts()[1:] == (0, 0, 0)


# --- missed and late ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "ran", "counted"),
    [
        # 08:10 to 09:00 were missed, 09:05 was not.
        ({"missed": "skip"}, ["09:05:00"], (1, 0, 0, 11)),
        ({"missed": "run_once"}, ["09:02:00", "09:05:00"], (2, 1, 0, 10)),
        ({"missed": "run_all", "missed_limit": 3}, ["09:02:00"] * 3 + ["09:05:00"], (4, 3, 0, 8)),
        ({"missed": "run_all", "missed_limit": 100}, ["09:02:00"] * 11 + ["09:05:00"], (12, 11, 0, 0)),
    ],
)
def test_missed_ticks_follow_their_policy(stage, policy, ran, counted):
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"), **policy)
    stage.tide.run_for(minutes(6))
    stage.runs.clear()
    stage.stop_the_janitor()
    stage.tide.run_for(minutes(55) + seconds(30))
    stage.stop_the_janitor(stopped=False)

    stage.tide.run_for(minutes(4))

    assert stage.times == ran
    row = stage.row()
    # The one before the outage is not in these.
    assert (row.ticks - 1, row.late, row.skipped, row.missed) == counted
    if row.missed:
        assert row.last_missed is not None
    assert stage.tide.telemetry.counts["TicksMissed"] == counted[3]
    assert stage.tide.telemetry.counts["TicksLate"] == counted[1]


def test_a_sweep_that_is_late_by_a_minute_misses_nothing(stage):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"), missed="skip")
    stage.stop_the_janitor()
    stage.tide.run_for(hours(1) + seconds(1))
    stage.stop_the_janitor(stopped=False)

    stage.tide.run_for(minutes(1))

    assert stage.times == ["09:01:00"]
    assert stage.counts() == (1, 0, 0, 0)


def test_missed_ticks_that_are_made_up_for_keep_to_the_overlap_policy(stage):
    stage.lasts = minutes(7)
    stage.schedules.create(
        "nightly", Report(), Cron("*/5 * * * *"), overlap="queue_one", missed="run_all", missed_limit=10
    )
    stage.stop_the_janitor()
    stage.tide.run_for(minutes(31))
    stage.stop_the_janitor(stopped=False)
    stage.tide.run_for(minutes(20))

    starts = [at for at, _ in stage.runs]
    assert all(later - earlier >= minutes(7) for earlier, later in pairwise(starts))


# --- trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("sort", ["crash_before", "crash_after", "throttle", "lose_answer"])
@pytest.mark.parametrize("policy", [{}, {"overlap": "skip"}])
def test_each_tick_has_its_job_whatever_call_of_a_sweep_goes_wrong(stage, call, sort, policy):
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"), **policy)
    getattr(stage.tide.faults, sort)(call, by="janitor")

    stage.tide.run_for(minutes(21))

    assert [time[:5] for time in stage.times] == ["08:05", "08:10", "08:15", "08:20"]
    assert stage.counts() == (4, 0, 0, 0)
    assert len(stage.tide.jobs()) == 4


@pytest.mark.parametrize("call", ["find_schedules", "versions_of", "record_schedule", "find", "move", "move_schedule"])
@pytest.mark.parametrize("sort", ["crash_before", "crash_after", "throttle", "lose_answer"])
@pytest.mark.parametrize("text", ["new", None])
def test_a_change_that_ends_anywhere_leaves_one_job_for_the_tick(stage, call, sort, text):
    """Whoever changed it does not know what became of it; each tick runs once, as it was or as it is."""
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"))
    stage.tide.run_for(minutes(4))
    getattr(stage.tide.faults, sort)(call, by="client")
    try:
        if text is None:
            stage.schedules.change("nightly", timing=Cron("*/10 * * * *"))
        else:
            stage.schedules.change("nightly", args=Report(text=text))
    except BaseException:  # noqa: BLE001, S110 - a crash of the process, or an answer that is lost
        pass

    stage.tide.run_for(minutes(20))

    changed = stage.row().version == 2
    texts = {"new" if changed and text else "daily"}
    assert {text for _, text in stage.runs} == texts
    every = 10 if changed and text is None else 5
    assert len(stage.runs) == 20 // every
    assert len(stage.runs) == len({at.replace(second=0, microsecond=0) for at, _ in stage.runs})


def test_a_tick_that_this_code_can_not_make_stays_and_is_made_by_code_that_can(stage):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    stage.schedules.create("other", Report(text="other"), Cron("0 9 * * *"))
    sweep = stage.tide.clock._alarms[0].ticks
    knows = sweep.registry
    object.__setattr__(sweep, "registry", JobRegistry(lanes=DEFAULT_LANES))
    object.__setattr__(sweep.submitter, "registry", JobRegistry(lanes=DEFAULT_LANES))

    stage.tide.run_for(minutes(61))

    assert stage.runs == []
    assert stage.row().problem == "unknown_kind (kind)"
    assert stage.tide.telemetry.counts["TicksRefused"] >= 2

    object.__setattr__(sweep, "registry", knows)
    object.__setattr__(sweep.submitter, "registry", knows)
    stage.tide.run_for(minutes(10))
    assert len(stage.runs) == 2
    assert (stage.row().problem, stage.counts()) == ("", (1, 1, 0, 0))


def test_a_job_that_somebody_cancelled_is_the_ticks_job_all_the_same(stage):
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"))
    stage.tide.run_for(minutes(4))
    (job,) = stage.tide.jobs()
    stage.tide.client.cancel(job.ref.id)

    stage.tide.run_for(minutes(7))

    assert stage.times == ["08:10:00"]


def test_a_sweep_that_takes_long_looks_no_further_ahead_than_when_it_began(stage, monkeypatch):
    """Else it could make a tick of a row that was changed meanwhile, of which the change can't know."""
    stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"))
    rows = stage.tide._stack.schedules
    moves = rows.move

    def slow(before, after):
        monkeypatch.undo()
        stage.tide.clock.wake()
        stage.tide.clock.advance(minutes(6))
        return moves(before, after)

    stage.tide.run_for(minutes(2))
    monkeypatch.setattr(rows, "move", slow)
    # The sweep of 08:03 makes the tick of 08:05, and is at 08:09 when it has moved the row.
    stage.tide.advance(minutes(1))

    assert stage.row().ticks == 1


def test_a_tick_that_has_its_job_is_not_missed(stage):
    row = stage.schedules.create("nightly", Report(), Cron("*/5 * * * *"))
    stage.tide.run_for(minutes(4))
    (job,) = stage.tide.jobs()
    tick = TickJob(row.next_at)

    assert not stage.schedules.withdrawing.rule_out(row, tick, NoJob.MISSED)
    assert stage.tide.job(job) == job

    later = TickJob(row.next_at + 300_000)
    assert stage.schedules.withdrawing.rule_out(row, later, NoJob.MISSED)
    assert [one.reason for one in stage.tide.jobs()] == [None, "tick_missed"]


# --- daylight saving time -------------------------------------------------------------------------


def test_a_time_that_the_clocks_skip_is_skipped():
    stage = Stage(datetime(2027, 3, 27, 0, tzinfo=UTC))
    with stage.tide:
        # 02:30 does not exist in Paris on 28 March 2027.
        stage.schedules.create("nightly", Report(), Cron("30 2 * * *", tz="Europe/Paris"))
        stage.tide.run_for(hours(72))

    assert [at.strftime("%d %H:%M") for at, _ in stage.runs] == ["27 01:30", "29 00:30"]


def test_a_time_that_the_clocks_repeat_is_meant_once():
    stage = Stage(datetime(2027, 10, 30, 0, tzinfo=UTC))
    with stage.tide:
        # 02:30 comes twice in Paris on 31 October 2027: at 00:30 and at 01:30 UTC.
        stage.schedules.create("nightly", Report(), Cron("30 2 * * *", tz="Europe/Paris"))
        stage.tide.run_for(hours(72))

    assert [at.strftime("%d %H:%M") for at, _ in stage.runs] == ["30 00:30", "31 00:30", "01 01:30"]


def test_what_counts_in_spans_knows_no_clocks():
    stage = Stage(datetime(2027, 3, 27, 22, tzinfo=UTC))
    with stage.tide:
        stage.schedules.create("nightly", Report(), Every(hours(1)))
        stage.tide.run_for(hours(6))

    assert len(stage.runs) == 6


def test_a_month_of_ticks_in_a_zone_with_a_gap_is_what_next_fires_says():
    stage = Stage(datetime(2027, 3, 20, 12, tzinfo=UTC))
    with stage.tide:
        stage.schedules.create("nightly", Report(), Cron("*/30 1-3 * * *", tz="America/New_York"))
        shown = stage.schedules.next_fires("nightly", 60)
        stage.tide.run_for(hours(24 * 10))

    ran = [at.replace(microsecond=0) for at, _ in stage.runs]
    assert ran == shown[: len(ran)]
    assert len(ran) == 60
