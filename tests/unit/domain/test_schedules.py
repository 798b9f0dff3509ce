"""A schedule is declared with its kind; what can't work is refused where it is written, with the fix."""

import pytest
from pydantic import model_validator

from tidemill import Cron, Every, JobArgs, JobRegistry, Lane, Schedule, days, hours, job, minutes, seconds
from tidemill.domain.errors import DefinitionError

NIGHTLY, OFTEN = Cron("0 3 * * *", tz="Europe/Paris"), Every(minutes(5))


class Report(JobArgs, kind="test.report"):
    depth: int = 1


class Close(JobArgs, kind="test.close"):
    account: str
    depth: int = 1


class Choosy(JobArgs, kind="test.choosy"):
    depth: int = 1

    @model_validator(mode="after")
    def is_deep(self):
        if self.depth < 2:
            raise ValueError("too shallow")
        return self


class Long(JobArgs, kind="a" * 64):
    pass


def of(args_type=Report, **options):
    return job(args_type, **options)(lambda args, ctx: None)


@pytest.mark.parametrize("declared", [NIGHTLY, Schedule(NIGHTLY), [NIGHTLY], (Schedule(NIGHTLY),)])
def test_a_bare_timing_is_a_schedule_with_the_kinds_name_and_the_default_arguments(declared):
    (schedule,) = of(schedule=declared).schedules

    assert (schedule.name, schedule.timing, schedule.args, schedule.tenant) == (
        "test.report",
        NIGHTLY,
        Report(),
        "default",
    )
    assert (schedule.tenant, schedule.jitter, schedule.expires_in, schedule.enabled) == ("default", None, None, True)


def test_a_kind_without_a_schedule_has_none():
    assert of().schedules == ()
    assert JobRegistry(of()).schedules == ()


def test_a_kind_may_have_several():
    deep = Schedule(OFTEN, name="deep", args=Report(depth=9), tenant="acme", jitter=minutes(15), expires_in=hours(1))
    definition = of(schedule=[NIGHTLY, deep])

    assert [schedule.name for schedule in definition.schedules] == ["test.report", "deep"]
    assert JobRegistry(definition).schedules == tuple((definition, one) for one in definition.schedules)


def test_one_that_differs_in_its_arguments_or_its_tenant_is_another():
    assert len(of(schedule=[OFTEN, Schedule(OFTEN, name="b", args=Report(depth=2))]).schedules) == 2
    assert len(of(schedule=[OFTEN, Schedule(OFTEN, name="b", tenant="acme")]).schedules) == 2


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"timing": "0 9 * * *"}, "Fix: give a Cron"),
        ({"timing": None}, "Fix: give a Cron"),
        ({"name": "Nightly Run"}, "name: must be lower-case words"),
        ({"name": "a" * 55}, "name: must have 1 to 54 characters"),
        ({"tenant": "a#b"}, "tenant: must be letters"),
        ({"args": {"depth": 1}}, "args is {'depth': 1}. Fix: give a JobArgs"),
        ({"jitter": 5}, "jitter is 5. Fix: give a span with its unit"),
        ({"jitter": seconds(30)}, "jitter is 0:00:30. Fix: choose whole minutes, 1 to 1440"),
        ({"jitter": seconds(90)}, "Fix: choose whole minutes"),
        ({"jitter": hours(25)}, "Fix: choose whole minutes"),
        ({"expires_in": 60}, "expires_in is 60. Fix: give a span with its unit"),
        ({"expires_in": seconds(59)}, "Fix: choose 0:01:00 (a tick may be sent so late) to 365 days"),
        ({"expires_in": days(366)}, "Fix: choose 0:01:00"),
        ({"jitter": minutes(15), "expires_in": minutes(15)}, "Fix: choose 0:16:00"),
        ({"enabled": "no"}, "enabled is 'no'. Fix: give a bool"),
    ],
)
def test_a_value_that_can_not_be_is_refused(options, says):
    with pytest.raises(DefinitionError) as caught:
        Schedule(**{"timing": NIGHTLY, **options})

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("args_type", "declared", "says"),
    [
        (Report, "0 9 * * *", "job 'test.report': schedule is '0 9 * * *'. Fix: give Cron("),
        (Report, 5, "Fix: give Cron("),
        (Report, [NIGHTLY, "@daily"], "schedule has '@daily'"),
        (Close, NIGHTLY, "has no args, and Close needs account. Fix: Schedule(..., args=Close(account=...))"),
        (Choosy, NIGHTLY, "Choosy() is refused"),
        (Close, Schedule(NIGHTLY, args=Report()), "has args of Report. Fix: give an instance of Close"),
        (Long, NIGHTLY, "its kind can't name its schedule: name: must have 1 to 54 characters"),
        (Report, [NIGHTLY, OFTEN], "two schedules are called 'test.report'. Fix: Schedule(..., name='...')"),
        (
            Report,
            [NIGHTLY, Schedule(Cron("0 3 * * 0-7", tz="Europe/Paris"), name="b"), Schedule(NIGHTLY, name="c")],
            "schedules 'test.report' and 'c' make the same jobs at the same times. Fix: leave one out",
        ),
    ],
)
def test_a_declaration_that_can_not_be_is_refused(args_type, declared, says):
    with pytest.raises(DefinitionError) as caught:
        of(args_type, schedule=declared)

    assert says in str(caught.value)


def test_a_schedule_of_a_fifo_lane_is_refused_with_the_reason():
    ordered = of(lane="ordered", schedule=NIGHTLY)

    with pytest.raises(DefinitionError, match=r"runs in FIFO lane 'ordered': a schedule sends a plain message.*Fix: "):
        JobRegistry(ordered, lanes=(Lane("ordered", fifo=True),))


@pytest.mark.parametrize("name", ["test.report", "test-report", "test_report"])
def test_names_that_differ_in_punctuation_only_are_refused(name):
    other = of(Close, schedule=Schedule(NIGHTLY, name=name, args=Close(account="a")))

    with pytest.raises(DefinitionError, match=r"have one name but for . _ and -. Fix: rename one"):
        JobRegistry(of(schedule=NIGHTLY), other)
