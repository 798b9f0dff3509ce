"""What EventBridge Scheduler is told to send, and what is read from it."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import MINUTE
from tidemill import Cron, Every, JobArgs, Schedule, hours, job, minutes
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.schedule import schedules_of
from tidemill.domain.tick import SCHEDULED_TIME, Tick, read_tick, tick_message

NINE = int(datetime(2026, 11, 27, 9, tzinfo=UTC).timestamp()) * 1000


class Report(JobArgs, kind="test.report"):
    title: str = "all"


def message_of(schedule=Cron("@daily"), args_type=Report):  # noqa: B008 - a constant
    definition = job(args_type, schedule=schedule)(lambda args, ctx: None)
    return tick_message(definition, definition.schedules[0])


def test_the_message_of_a_tick():
    schedule = Schedule(Every(minutes(5)), Report(title="x"), "often", "acme", minutes(2), hours(1))

    assert json.loads(message_of(schedule)) == {
        "tick": {"schedule": "often", "at": SCHEDULED_TIME, "window_seconds": 120},
        "kind": "test.report",
        "tenant": "acme",
        "expires_in_seconds": 3600,
        "args": {"title": "x"},
    }


def test_the_shortest_message_says_no_more_than_it_must():
    assert json.loads(message_of()) == {
        "tick": {"schedule": "test.report", "at": SCHEDULED_TIME},
        "kind": "test.report",
        "tenant": "default",
        "args": {"title": "all"},
    }


@given(st.text() | st.just("<aws.scheduler.execution-id> <aws.scheduler.scheduled-time>"))
def test_scheduler_finds_its_signs_in_the_tick_only(title):
    text = message_of(Schedule(Cron("@daily"), args=Report(title=title)))

    assert text.count("<") == 1
    assert json.loads(text)["args"] == {"title": title}


def test_arguments_that_no_worker_would_take_are_refused_before_they_are_deployed():
    with pytest.raises(DefinitionError, match=r"schedule 'test.report' has args that a worker refuses"):
        message_of(Schedule(Cron("@daily"), args=Report.model_construct(title=5)))


def test_arguments_that_fit_no_message_are_refused():
    with pytest.raises(DefinitionError, match=r"the limit is 131072. Fix: let the job read them"):
        message_of(Schedule(Cron("@daily"), args=Report(title="x" * 131_072)))


def test_a_schedule_of_no_kind_has_no_message():
    definition = job(Report)(lambda args, ctx: None)

    with pytest.raises(DefinitionError, match="is not bound to a kind"):
        tick_message(definition, Schedule(Cron("@daily")))


@pytest.mark.parametrize("at", ["2026-11-27T09:00:00Z", "2026-11-27T10:00:00+01:00", "2026-11-27T09:00:00.750Z"])
def test_one_time_in_any_spelling_is_one_tick(at):
    assert read_tick({"tick": {"schedule": "a", "at": at}}) == Tick("a", NINE)


@pytest.mark.parametrize(
    ("tick", "says"),
    [
        (None, "tick: must be a JSON object, not NoneType"),
        ("a", "tick: must be a JSON object"),
        ({"at": "2026-11-27T09:00:00Z"}, "tick.schedule: must be a string"),
        ({"schedule": "A b", "at": "2026-11-27T09:00:00Z"}, "tick.schedule: must be lower-case"),
        ({"schedule": "a"}, "tick.at: must be a time such as"),
        ({"schedule": "a", "at": 5}, "tick.at: must be a time"),
        ({"schedule": "a", "at": "soon"}, "tick.at: must be a time"),
        ({"schedule": "a", "at": "2026-11-27T09:00:00"}, "tick.at: must be a time"),
        ({"schedule": "a", "at": SCHEDULED_TIME}, "which only EventBridge Scheduler fills in"),
        ({"schedule": "a", "at": "2026-11-27T09:00:00Z", "window_seconds": -1}, "tick.window_seconds: must be"),
        ({"schedule": "a", "at": "2026-11-27T09:00:00Z", "window_seconds": True}, "tick.window_seconds: must be"),
        ({"schedule": "a", "at": "2026-11-27T09:00:00Z", "by": "eve"}, "tick.by: is no field of a tick"),
    ],
)
def test_a_tick_that_is_none_is_refused_by_its_field(tick, says):
    with pytest.raises(InputError) as caught:
        read_tick({"tick": tick})

    assert says in str(caught.value)


def test_the_job_of_a_tick_is_one_of_tenant_kind_schedule_and_time():
    ids = {
        Tick(name, at).job_id(tenant, kind)
        for name in ("a", "b")
        for at in (NINE, NINE + MINUTE)
        for tenant in ("acme", "default")
        for kind in ("test.report", "test.other")
    }

    assert len(ids) == 16
    assert Tick("a", NINE, 60_000).job_id("acme", "test.report") == Tick("a", NINE).job_id("acme", "test.report")


def test_a_tick_is_late_once_its_window_and_five_minutes_are_over():
    assert not Tick("a", NINE).is_late(NINE + 5 * MINUTE)
    assert Tick("a", NINE).is_late(NINE + 5 * MINUTE + 1)
    assert not Tick("a", NINE, 10 * MINUTE).is_late(NINE + 15 * MINUTE)
    assert Tick("a", NINE, 10 * MINUTE).is_late(NINE + 15 * MINUTE + 1)


def test_the_cause_of_a_job_fits_where_causes_go():
    (longest,) = schedules_of("job 'x':", Report, Schedule(Cron("@daily"), name="a" * 54))

    assert len(Tick(longest.title, NINE).cause) <= 64
