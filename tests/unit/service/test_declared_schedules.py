"""Schedules that code declares with an overlap: the janitor keeps their rows as the code says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tidemill import Cron, Every, JobArgs, JobContext, JobRegistry, Retry, Schedule, State, job, minutes, seconds
from tidemill.domain.errors import InputError
from tidemill.domain.schedule_row import Change
from tidemill.errors import DefinitionError, ScheduleNotFoundError
from tidemill.testing import Harness

BEGIN = datetime(2027, 1, 15, 8, 0, 30, tzinfo=UTC)
FIVE = Cron("*/5 * * * *")


class Poll(JobArgs, kind="test.poll"):
    source: str = "a"


class Stage:
    """A harness whose code can be deployed anew."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, str]] = []
        self.lasts = seconds(0)
        self.tide = Harness(self.code(Schedule(FIVE, overlap="skip")), now=BEGIN)
        self.schedules = self.tide.client.schedules

    def code(self, *schedules: Schedule) -> JobRegistry:
        def poll(args: Poll, ctx: JobContext) -> None:
            assert ctx.scheduled_at is not None
            self.runs.append((f"{ctx.scheduled_at:%H:%M}", args.source))
            self.tide.advance(self.lasts)

        return JobRegistry(job(Poll, schedule=schedules, timeout=minutes(14), retry=Retry(max_attempts=1))(poll))

    def deploy(self, *schedules: Schedule) -> None:
        """Let janitor and clients go on with other code."""
        stack = self.tide._stack
        stack.registry = self.code(*schedules)
        self.tide.clock._alarms[0].ticks = stack.ticks()
        self.tide.client = stack.client()
        self.schedules = self.tide.client.schedules

    def counts(self, name: str = "test.poll") -> tuple[int, int, int, int]:
        row = self.schedules.get(name)
        return row.ticks, row.late, row.skipped, row.missed


@pytest.fixture
def stage():
    stage = Stage()
    with stage.tide:
        yield stage


def test_the_first_sweep_makes_the_row_and_its_ticks_do_not_overlap(stage):
    stage.lasts = minutes(12)

    stage.tide.run_for(minutes(31))

    assert stage.runs == [("08:05", "a"), ("08:20", "a")]
    row = stage.schedules.get("test.poll")
    assert (row.version, row.plan.declared, row.plan.overlap) == (1, True, "skip")
    (version,) = stage.schedules.versions("test.poll").versions
    assert (version.change, version.actor) == (Change.CREATED, "code")


def test_one_may_wait(stage):
    stage.deploy(Schedule(FIVE, overlap="queue_one"))
    stage.lasts = minutes(12)

    stage.tide.run_for(minutes(31))

    # That of 08:10 waits until 08:17, and that of 08:20 until 08:30.
    assert [at for at, _ in stage.runs] == ["08:05", "08:10", "08:20"]


def test_a_sweep_of_code_that_is_the_same_writes_nothing(stage):
    stage.tide.run_for(minutes(31))

    assert stage.schedules.get("test.poll").version == 1


def test_other_code_is_another_version_and_a_tick_has_one_job(stage):
    stage.tide.run_for(minutes(6))
    stage.deploy(Schedule(FIVE, Poll(source="b"), overlap="skip"))

    stage.tide.run_for(minutes(12))

    assert stage.runs == [("08:05", "a"), ("08:10", "b"), ("08:15", "b")]
    assert [one.change for one in stage.schedules.versions("test.poll").versions] == [Change.CHANGED, Change.CREATED]


def test_a_span_counts_on_when_only_the_arguments_are_others(stage):
    stage.deploy(Schedule(Every(minutes(7)), overlap="skip"))
    stage.tide.run_for(minutes(10))
    first = stage.runs[0][0]
    stage.deploy(Schedule(Every(minutes(7)), Poll(source="b"), overlap="skip"))
    stage.tide.run_for(minutes(10))

    assert [at for at, _ in stage.runs] == [first, f"08:{int(first[3:]) + 7:02}"]


@pytest.mark.parametrize(
    "schedules", [(), (Schedule(FIVE),), (Schedule(FIVE, overlap="skip", enabled=False),)], ids=["gone", "may", "off"]
)
def test_what_code_no_longer_declares_makes_no_job_any_more(stage, schedules):
    stage.tide.run_for(minutes(6))
    stage.deploy(*schedules)

    stage.tide.run_for(minutes(30))

    assert stage.runs == [("08:05", "a")]
    with pytest.raises(ScheduleNotFoundError):
        stage.schedules.get("test.poll")


def test_it_comes_again_when_code_declares_it_again(stage):
    stage.tide.run_for(minutes(6))
    stage.deploy()
    stage.tide.run_for(minutes(6))
    stage.deploy(Schedule(FIVE, overlap="skip"))
    stage.tide.run_for(minutes(9))

    assert [at for at, _ in stage.runs] == ["08:05", "08:15", "08:20"]


def test_people_may_pause_it_and_trigger_it_and_only_code_changes_it(stage):
    stage.tide.run_for(minutes(6))
    for verb, given in (("change", {"overlap": "allow"}), ("revert", {"to": 1}), ("delete", {})):
        with pytest.raises(InputError, match="code declares"):
            getattr(stage.schedules, verb)("test.poll", **given)
    stage.schedules.pause("test.poll")
    stage.tide.run_for(minutes(20))
    assert len(stage.runs) == 1

    stage.schedules.resume("test.poll")
    stage.tide.run_for(minutes(5))

    assert [at for at, _ in stage.runs] == ["08:05", "08:30"]


def test_code_takes_a_schedule_over_that_somebody_made_under_its_name(stage):
    stage.deploy()
    stage.schedules.create("test.poll", Poll(source="theirs"), FIVE)
    stage.tide.run_for(minutes(5))
    stage.deploy(Schedule(FIVE, overlap="skip"))
    stage.tide.run_for(minutes(5))

    assert stage.runs == [("08:05", "theirs"), ("08:10", "a")]


@pytest.mark.parametrize("call", ["find_schedules", "versions_of", "record_schedule"])
@pytest.mark.parametrize("sort", ["crash_before", "crash_after", "throttle", "lose_answer"])
def test_whatever_call_goes_wrong_the_next_sweep_makes_it(stage, call, sort):
    getattr(stage.tide.faults, sort)(call)

    stage.tide.run_for(minutes(10))

    assert [at for at, _ in stage.runs] == ["08:05", "08:10"]
    assert stage.counts() == (2, 0, 0, 0)


def test_one_that_the_table_can_not_take_is_told_and_stops_no_other(stage):
    both = (Schedule(FIVE, overlap="skip", name="a"), Schedule(FIVE, Poll(source="b"), overlap="skip", name="b"))
    stage.deploy(*both)
    stage.schedules.create("own", Poll(source="own"), FIVE, tenant="acme")
    object.__setattr__(stage.tide._stack.registry.schedules[0][1], "tenant", "not a tenant")

    stage.tide.run_for(minutes(5))

    assert {source for _, source in stage.runs} == {"b", "own"}


def test_in_a_harness_it_ticks_by_the_clock_alone(stage):
    with pytest.raises(AssertionError, match="it ticks by the clock"):
        stage.tide.tick("test.poll")


def test_every_job_is_over_in_the_end(stage):
    stage.lasts = minutes(3)
    stage.tide.run_for(minutes(30))

    assert {one.state for one in stage.tide.jobs()} == {State.SUCCEEDED}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"overlap": "maybe"}, "overlap is 'maybe'. Fix: choose one of allow, skip, queue_one"),
        ({"overlap": "skip", "expires_in": minutes(5)}, "expires_in does not go with overlap=skip"),
    ],
)
def test_what_does_not_go_together_is_refused_where_it_is_written(options, says):
    with pytest.raises(DefinitionError, match=says):
        Schedule(FIVE, **options)


def test_a_cron_that_no_row_can_hold_is_refused_where_it_is_written():
    long = Cron(",".join(str(minute) for minute in range(0, 60, 1)) + " * * * *")

    with pytest.raises(DefinitionError, match="the limit beside an overlap is 100"):
        Schedule(long, overlap="skip")
    assert Schedule(long)
