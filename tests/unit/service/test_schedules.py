"""Schedules at run time: what each verb does, and what jobs come of it, by the virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.service.scheduled import BEGIN, Report, Ship, Stage
from tidemill import days, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.cron import Cron, Every
from tidemill.domain.errors import InputError, JobNotFoundError, UnknownKindError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.schedule_errors import (
    ScheduleExistsError,
    ScheduleNotFoundError,
    StaleVersionError,
    TooManySchedulesError,
)
from tidemill.domain.schedule_row import Change, TickJob


@pytest.fixture
def stage():
    stage = Stage()
    with stage.tide:
        yield stage


def test_each_tick_makes_one_job_that_starts_to_the_second(stage):
    stage.schedules.create("nightly", Report(), Cron("*/10 * * * *"))

    stage.tide.run_for(minutes(35))

    assert stage.times == ["08:10:00", "08:20:00", "08:30:00"]
    assert stage.counts() == (3, 0, 0, 0)
    assert {job.state for job in stage.tide.jobs()} == {State.SUCCEEDED}


def test_an_every_counts_from_its_creation(stage):
    stage.tide.advance(seconds(17))
    stage.schedules.create("nightly", Report(), Every(minutes(5)))

    stage.tide.run_for(minutes(12))

    assert stage.times == ["08:05:17", "08:10:17"]


def test_a_job_says_which_schedule_made_it_and_its_id_follows_from_its_tick(stage):
    row = stage.schedules.create("nightly", Report(), Cron("0 9 * * *"), tenant="acme")
    at = int(datetime(2027, 1, 15, 9, tzinfo=UTC).timestamp() * 1_000)

    stage.tide.run_for(hours(2))

    (job,) = stage.tide.jobs()
    assert job.ref == JobRef("acme", row.job_id(TickJob(at)))
    assert stage.tide.submitted()[0].args == Report()


def test_a_paused_schedule_makes_nothing_and_misses_nothing(stage):
    stage.schedules.create("nightly", Report(), Cron("*/10 * * * *"))
    stage.tide.run_for(minutes(15))
    stage.schedules.pause("nightly")
    stage.tide.run_for(hours(3))
    assert stage.schedules.next_fires("nightly", 3) == []

    stage.schedules.resume("nightly")
    stage.tide.run_for(minutes(15))

    assert stage.times == ["08:10:00", "11:20:00", "11:30:00"]
    assert stage.counts() == (3, 0, 0, 0)


def test_a_schedule_may_be_made_paused(stage):
    assert stage.schedules.create("nightly", Report(), Cron("* * * * *"), paused=True).next_at is None

    stage.tide.run_for(minutes(5))
    assert stage.times == []


def test_a_deleted_schedule_is_gone_and_its_name_may_be_taken_again(stage):
    first = stage.schedules.create("nightly", Report(), Cron("* * * * *"))
    stage.tide.run_for(minutes(3))
    stage.schedules.delete("nightly")
    stage.tide.run_for(minutes(5))
    assert len(stage.runs) == 3
    for call in (stage.row, lambda: stage.schedules.pause("nightly"), lambda: stage.schedules.delete("nightly")):
        with pytest.raises(ScheduleNotFoundError):
            call()
    assert stage.schedules.page().rows == ()

    again = stage.schedules.create("nightly", Report(text="new"), Cron("* * * * *"))
    stage.tide.run_for(minutes(2))

    assert again.version == first.version + 2
    assert [text for _, text in stage.runs[3:]] == ["new", "new"]
    history = stage.schedules.versions("nightly").versions
    assert [one.change for one in history] == [Change.CREATED, Change.DELETED, Change.CREATED]


@pytest.mark.parametrize("before", [seconds(1), seconds(30), seconds(90), minutes(4)])
@pytest.mark.parametrize("verb", ["pause", "delete"])
def test_a_tick_that_was_sent_ahead_does_not_run_once_it_is_not_wanted(stage, before, verb):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    stage.tide.run_for(hours(1) - before)

    getattr(stage.schedules, verb)("nightly")

    stage.tide.run_for(hours(1))
    assert stage.runs == []
    assert [job.state for job in stage.tide.jobs()] == ([State.CANCELLED] if before < minutes(4) else [])


@pytest.mark.parametrize("before", [seconds(1), seconds(30), seconds(90), minutes(4)])
def test_a_change_before_a_tick_holds_for_it_though_it_was_sent_ahead(stage, before):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    stage.tide.run_for(hours(1) - before)

    stage.schedules.change("nightly", args=Report(text="new"))

    stage.tide.run_for(hours(1))
    assert [text for _, text in stage.runs] == ["new"]
    # It had to be made anew, and the janitor comes once a minute.
    assert stage.runs[0][0] - datetime(2027, 1, 15, 9, tzinfo=UTC) <= minutes(1)
    assert stage.counts()[2:] == (0, 0)


def test_pausing_and_resuming_before_a_tick_loses_and_doubles_nothing(stage):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    stage.tide.run_for(hours(1) - seconds(80))
    for _ in range(3):
        stage.schedules.pause("nightly")
        stage.schedules.resume("nightly")
        stage.tide.run_for(seconds(20))

    stage.tide.run_for(hours(1))

    assert len(stage.runs) == 1
    # One record for each time that it was withdrawn after it had been made.
    assert {job.state for job in stage.tide.jobs()} == {State.CANCELLED, State.SUCCEEDED}


def test_a_change_of_the_times_holds_from_now_on(stage):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    stage.tide.run_for(minutes(20))

    changed = stage.schedules.change("nightly", timing=Every(minutes(10)))
    stage.tide.run_for(minutes(45))

    assert stage.times == ["08:30:00", "08:40:00", "08:50:00", "09:00:00"]
    assert (changed.version, changed.plan.since) == (2, int((BEGIN + minutes(20)).timestamp() * 1_000))


def test_what_is_left_out_of_a_change_stays(stage):
    stage.schedules.create(
        "nightly", Report(text="a"), Every(minutes(7)), overlap="skip", missed="run_all", missed_limit=5
    )
    row = stage.schedules.change("nightly", overlap="queue_one")

    assert (row.plan.overlap, row.plan.missed, row.plan.missed_limit) == ("queue_one", "run_all", 5)
    assert row.plan.timing == Every(minutes(7))
    assert stage.schedules.version("nightly", 2).args == b'{"text":"a"}'
    # The same once more is no new version.
    assert stage.schedules.change("nightly", overlap="queue_one").version == 2


def test_versions_say_who_made_what_and_one_can_be_returned_to(stage):
    stage.schedules.create("nightly", Report(text="one"), Cron("0 9 * * *"))
    eve = stage.schedules.acting_as("token:eve")
    eve.change("nightly", args=Report(text="two"), timing=Cron("0 10 * * *"))
    stage.schedules.pause("nightly")

    row = eve.revert("nightly", 1)

    assert (row.version, row.paused, row.plan.timing) == (4, True, Cron("0 9 * * *"))
    versions = stage.schedules.versions("nightly").versions
    told = [(one.number, one.change, one.actor, one.paused, one.args, one.reverted_to) for one in versions]
    assert told == [
        (4, "reverted", "token:eve", True, b'{"text":"one"}', 1),
        (3, "paused", "tester", True, b'{"text":"two"}', None),
        (2, "changed", "token:eve", False, b'{"text":"two"}', None),
        (1, "created", "tester", False, b'{"text":"one"}', None),
    ]
    with pytest.raises(ScheduleNotFoundError, match="no version 9"):
        stage.schedules.revert("nightly", 9)


def test_a_change_against_a_stale_version_is_refused(stage):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    stage.schedules.acting_as("token:eve").change("nightly", overlap="skip")
    before = stage.row()

    calls = (
        lambda: stage.schedules.change("nightly", version=1, overlap="allow"),
        lambda: stage.schedules.pause("nightly", version=1),
        lambda: stage.schedules.resume("nightly", version=1),
        lambda: stage.schedules.revert("nightly", 1, version=1),
        lambda: stage.schedules.delete("nightly", version=1),
    )
    for call in calls:
        with pytest.raises(StaleVersionError, match="in version 2, last changed by token:eve, not in version 1"):
            call()

    assert stage.row() == before
    assert stage.schedules.change("nightly", version=2, overlap="allow").version == 3


def test_creating_the_same_again_answers_what_is_there_and_another_one_is_refused(stage):
    first = stage.schedules.create("nightly", Report(), Every(minutes(5)))
    stage.tide.advance(seconds(9))

    assert stage.schedules.create("nightly", Report(), Every(minutes(5))) == first
    for args, timing in ((Report(text="x"), Every(minutes(5))), (Report(), Every(minutes(6)))):
        with pytest.raises(ScheduleExistsError, match="in version 1"):
            stage.schedules.create("nightly", args, timing)
    stage.schedules.create("nightly", Report(text="x"), Every(minutes(5)), tenant="other")


@pytest.mark.parametrize(
    ("field", "call"),
    [
        ("name", lambda s: s.create("", Report(), Every(minutes(1)))),
        ("name", lambda s: s.create("a" * 55, Report(), Every(minutes(1)))),
        ("name", lambda s: s.create("a#b", Report(), Every(minutes(1)))),
        ("name", lambda s: s.create(7, Report(), Every(minutes(1)))),
        ("tenant", lambda s: s.create("a", Report(), Every(minutes(1)), tenant="#audit")),
        ("args", lambda s: s.create("a", {"text": "x"}, Every(minutes(1)))),
        ("args", lambda s: s.create("a", Report(text="x" * 140_000), Every(minutes(1)))),
        ("timing", lambda s: s.create("a", Report(), "* * * * *")),
        ("timing", lambda s: s.create("a", Report(), None)),
        ("cron", lambda s: s.create("a", Report(), Cron(",".join(str(m % 60) for m in range(100)) + " * * * *"))),
        ("tz", lambda s: s.create("a", Report(), Cron("* * * * *", tz="Europe/Pariss"))),
        ("lane", lambda s: s.create("a", Report(), Every(minutes(1)), lane="nowhere")),
        ("entity", lambda s: s.create("a", Report(), Every(minutes(1)), entity="x")),
        ("entity", lambda s: s.create("a", Ship(), Every(minutes(1)))),
        ("entity", lambda s: s.create("a", Ship(), Every(minutes(1)), entity="a b")),
        ("overlap", lambda s: s.create("a", Report(), Every(minutes(1)), overlap="never")),
        ("missed", lambda s: s.create("a", Report(), Every(minutes(1)), missed="later")),
        ("missed_limit", lambda s: s.create("a", Report(), Every(minutes(1)), missed="run_all", missed_limit=0)),
        ("missed_limit", lambda s: s.create("a", Report(), Every(minutes(1)), missed="run_all", missed_limit=101)),
        ("missed_limit", lambda s: s.create("a", Report(), Every(minutes(1)), missed="run_all", missed_limit=True)),
        ("missed_limit", lambda s: s.create("a", Report(), Every(minutes(1)), missed="skip", missed_limit=3)),
        ("jitter", lambda s: s.create("a", Report(), Every(minutes(1)), jitter=3)),
        ("changes", lambda s: s.change("nightly")),
        ("overlap", lambda s: s.change("nightly", overlap="x")),
        ("tz", lambda s: s.change("nightly", timing=Cron("* * * * *", tz="Mars/Base"))),
        ("to", lambda s: s.revert("nightly", 0)),
        ("job_id", lambda s: s.trigger("nightly", job_id="7")),
        ("count", lambda s: s.next_fires("nightly", 0)),
        ("count", lambda s: s.next_fires("nightly", 101)),
        ("limit", lambda s: s.page(limit=0)),
        ("cursor", lambda s: s.page(cursor="not#one")),
        ("limit", lambda s: s.versions("nightly", limit=101)),
        ("cursor", lambda s: s.versions("nightly", cursor="x")),
        ("start", lambda s: s.backfill("nightly", datetime(2027, 1, 1), BEGIN)),  # noqa: DTZ001
        ("end", lambda s: s.backfill("nightly", BEGIN, BEGIN)),
        ("end", lambda s: s.backfill("nightly", BEGIN - days(1), BEGIN + days(1))),
        ("end", lambda s: s.backfill("nightly", BEGIN - days(400), BEGIN)),
        ("end", lambda s: s.backfill("nightly", BEGIN - days(1), BEGIN)),
    ],
)
def test_bad_input_names_its_field_and_nothing_is_written(stage, field, call):
    stage.schedules.create("nightly", Report(), Cron("* * * * *"))
    before = dict(stage.tide._stack.schedules.rows), dict(stage.tide._stack.schedules.versions)

    with pytest.raises(InputError) as refused:
        call(stage.schedules)

    assert [violation.field for violation in refused.value.violations] == [field]
    assert (stage.tide._stack.schedules.rows, stage.tide._stack.schedules.versions) == before
    assert stage.tide.jobs() == []


def test_a_kind_that_is_not_registered_is_refused(stage):
    from tidemill import JobArgs

    class Other(JobArgs, kind="test.other"):
        pass

    with pytest.raises(UnknownKindError):
        stage.schedules.create("nightly", Other(), Every(minutes(1)))


def test_a_tenant_has_so_many_schedules_and_no_more(stage, monkeypatch):
    monkeypatch.setattr(limits, "MAX_SCHEDULES", 2)
    for name in ("a", "b"):
        stage.schedules.create(name, Report(), Every(minutes(1)))

    with pytest.raises(TooManySchedulesError, match="has 2 schedules"):
        stage.schedules.create("c", Report(), Every(minutes(1)))
    stage.schedules.create("c", Report(), Every(minutes(1)), tenant="other")
    stage.schedules.delete("a")
    stage.schedules.create("c", Report(), Every(minutes(1)))
    assert [row.ref.name for row in stage.schedules.page().rows] == ["b", "c"]


def test_tenants_see_their_own(stage):
    stage.schedules.create("nightly", Report(), Every(minutes(1)), tenant="acme")

    for call in (stage.row, lambda: stage.schedules.versions("nightly"), lambda: stage.schedules.trigger("nightly")):
        with pytest.raises(ScheduleNotFoundError):
            call()
    assert stage.schedules.page().rows == ()


def test_a_trigger_makes_a_job_now_and_is_no_tick(stage):
    stage.schedules.create("nightly", Report(), Cron("0 9 * * *"), paused=True)

    first = stage.schedules.trigger("nightly")
    again = stage.schedules.trigger("nightly", job_id=first.job_id)
    stage.tide.drain()

    assert (first.created, again.created, again.job_id) == (True, False, first.job_id)
    assert stage.times == ["08:00:00"]
    assert stage.counts() == (0, 0, 0, 0)
    entries = [(one.action, one.tenant, one.chosen, one.actor) for one in stage.tide._stack.trail.entries.values()]
    assert entries == [("trigger", "default", {"schedule": "nightly"}, "tester")] * 2


def test_a_backfill_makes_one_job_for_each_tick_however_often_it_is_asked_for(stage):
    stage.schedules.create("nightly", Report(), Cron("0 * * * *"))
    stage.tide.run_for(hours(2))
    start, end = BEGIN - hours(3), BEGIN + hours(1)

    dry = stage.schedules.backfill("nightly", start, end, dry_run=True)
    assert (dry.created, dry.dry_run, len(stage.runs)) == (4, True, 2)
    done = stage.schedules.backfill("nightly", start, end + timedelta(milliseconds=1))
    again = stage.schedules.backfill("nightly", start, end + timedelta(milliseconds=1))
    stage.tide.drain()

    # 05:00 to 08:00 had none; 09:00 was made by its tick.
    assert [tick.created for tick in done.ticks] == [True, True, True, True, False]
    assert (again.created, again.failed) == (0, 0)
    assert len(stage.runs) == 2 + 4
    assert [tick.job_id for tick in dry.ticks] == [tick.job_id for tick in again.ticks][:4]
    counts = [entry.counts for entry in stage.tide._stack.trail.entries.values() if entry.action == "backfill"]
    assert counts == [{"submitted": 4, "failed": 0}, {"failed": 0}]


def test_a_backfill_runs_what_was_skipped_missed_or_withdrawn(stage):
    stage.schedules.create("nightly", Report(), Cron("*/10 * * * *"), missed="skip")
    stage.stop_the_janitor()
    stage.tide.run_for(minutes(35))
    stage.stop_the_janitor(stopped=False)
    stage.tide.run_for(minutes(2))
    assert stage.counts() == (0, 0, 0, 3)

    done = stage.schedules.backfill("nightly", BEGIN + minutes(10), BEGIN + minutes(31))
    stage.tide.drain()

    assert done.created == len(stage.runs) == 3


def test_the_next_fires_are_those_that_come(stage):
    stage.schedules.create("nightly", Report(), Cron("*/10 * * * *", tz="Europe/Paris"))
    shown = stage.schedules.next_fires("nightly", 4)

    stage.tide.run_for(minutes(45))

    assert [at.replace(microsecond=0) for at, _ in stage.runs] == shown


def test_a_fifo_lanes_ticks_are_not_sent_ahead(stage):
    stage.tide.advance(seconds(30))
    stage.schedules.create("nightly", Ship(), Every(minutes(3)), entity="order-1")

    stage.tide.run_for(minutes(10))

    # At the janitor's first minute after the tick.
    assert stage.times == ["08:04:00", "08:07:00", "08:10:00"]
    assert stage.counts() == (3, 0, 0, 0)


def test_a_get_of_a_tick_before_it_is_made_finds_nothing(stage):
    row = stage.schedules.create("nightly", Report(), Cron("0 9 * * *"))
    with pytest.raises(JobNotFoundError):
        stage.tide.client.get(row.job_id(TickJob(row.next_at)))
