"""Every declared schedule is one of EventBridge Scheduler, straight to its lane's queue, watched and with a DLQ."""

import json

import pytest

from tests.infrastructure.stacks import REGISTRY, SendReceipt, Synthesised, code_folder, dependency_folder, synthesise
from tidemill import Cron, Every, JobArgs, JobRegistry, Schedule, hours, job, minutes
from tidemill.domain.tick import SCHEDULED_TIME
from tidemill_cdk import DeployError
from tidemill_cdk.crowding import MOST_TOGETHER, crowded
from tidemill_cdk.silence import longest_silence, silence_window
from tidemill_cdk.template import statements, texts

SCHEDULES = {
    "ScheduleThumbsOften": ("thumbs.often", "rate(5 minutes)", None, "QueueBulk"),
    "ScheduleThumbsFriday13": ("thumbs.friday-13", "cron(0 9 13 * ? *)", "Europe/Paris", "QueueBulk"),
    "WeekdayScheduleThumbsFriday13": (
        "thumbs.friday-13.Weekdays",
        "cron(0 9 ? * FRI *)",
        "Europe/Paris",
        "QueueBulk",
    ),
    "ScheduleBillingReceipt": ("billing.receipt", "cron(30 2 * * ? *)", "America/New_York", "QueueCritical"),
}


class Nightly(JobArgs, kind="test.nightly"):
    number: int = 0


def nightly(*schedules):
    return job(Nightly, schedule=schedules)(lambda args, ctx: None)


def several(count, timing=None, **options):
    timing = timing or Cron("0 9 * * MON", tz="Europe/Paris")
    return [Schedule(timing, Nightly(number=number), name=f"n{number}", **options) for number in range(count)]


def pairs(schedules):
    return [(None, schedule) for schedule in schedules]


def test_these_and_no_others(production: Synthesised):
    assert set(production.of_type("AWS::Scheduler::Schedule")) == set(SCHEDULES)


@pytest.mark.parametrize("logical_id", SCHEDULES)
def test_a_schedule(production: Synthesised, logical_id):
    name, expression, zone, queue = SCHEDULES[logical_id]
    properties = production.properties(logical_id)

    assert (properties["Name"], properties["GroupName"]) == (name, "tidemill")
    assert (properties["ScheduleExpression"], properties.get("ScheduleExpressionTimezone")) == (expression, zone)
    assert properties["Target"]["Arn"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert properties["Target"]["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}
    assert properties["Target"]["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["ScheduleDlq", "Arn"]}}
    assert json.loads(properties["Target"]["Input"])["tick"]["at"] == SCHEDULED_TIME


def test_both_halves_of_one_schedule_send_the_same_message(production: Synthesised):
    days, weekdays = (
        production.properties(f"{half}ScheduleThumbsFriday13")["Target"]["Input"] for half in ("", "Weekday")
    )

    assert days == weekdays


def test_a_group_is_named_as_its_stack(production: Synthesised):
    assert production.properties("ScheduleGroup")["Name"] == "tidemill"


def test_jitter_and_state(production: Synthesised):
    exact, spread = (production.properties(f"Schedule{name}") for name in ("ThumbsOften", "BillingReceipt"))

    assert (exact["FlexibleTimeWindow"], exact["State"]) == ({"Mode": "OFF"}, "ENABLED")
    assert spread["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 60}
    assert spread["State"] == "DISABLED"


def test_a_tick_is_sent_again_as_long_as_it_is_worth_it(production: Synthesised):
    day, ten_minutes = (
        production.properties(f"Schedule{name}")["Target"]["RetryPolicy"] for name in ("BillingReceipt", "ThumbsOften")
    )

    assert day == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert ten_minutes == {"MaximumEventAgeInSeconds": 600, "MaximumRetryAttempts": 185}


def test_no_tick_comes_before_the_worker_that_knows_it_and_the_right_to_send_it(production: Synthesised):
    for logical_id in SCHEDULES:
        resource = production.resources[logical_id]
        lane = "Bulk" if "Thumbs" in logical_id else "Critical"
        policies = {id_ for id_ in production.of_type("AWS::IAM::Policy") if "Schedules" in id_}
        assert {"ScheduleRole", "ScheduleGroup", f"Worker{lane}"} | policies <= set(resource["DependsOn"])


def test_its_role_may_send_to_these_queues_and_is_for_this_group_only(production: Synthesised):
    role = production.properties("ScheduleRole")
    policies = {
        id_
        for id_, policy in production.of_type("AWS::IAM::Policy").items()
        if {"Ref": "ScheduleRole"} in policy["Properties"]["Roles"]
    }
    allowed = {
        (action, resource)
        for id_, statement in statements(production.resources)
        if id_ in policies
        for action in texts(statement["Action"])
        for resource in texts(statement["Resource"])
    }
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]

    assert allowed == {("sqs:SendMessage", f"<{queue}.Arn>") for queue in ("QueueBulk", "QueueCritical", "ScheduleDlq")}
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"},
            "aws:SourceArn": {"Fn::GetAtt": ["ScheduleGroup", "Arn"]},
        }
    }


@pytest.mark.parametrize(
    ("alarm", "metric", "periods"),
    [
        ("ScheduleTargetErrors", "TargetErrorCount", 3),
        ("ScheduleDropped", "InvocationDroppedCount", 1),
        ("ScheduleDlqFailed", "InvocationsFailedToBeSentToDeadLetterCount", 1),
    ],
)
def test_schedulers_own_counts_are_watched(production: Synthesised, alarm, metric, periods):
    properties = production.properties(alarm)

    assert (properties["Namespace"], properties["MetricName"]) == ("AWS/Scheduler", metric)
    assert properties["Dimensions"] == [{"Name": "ScheduleGroup", "Value": "tidemill"}]
    assert (properties["Statistic"], properties["Threshold"], properties["EvaluationPeriods"]) == ("Sum", 1, periods)


def test_silence_is_an_alarm_as_soon_as_the_busiest_schedule_has_missed_two_ticks(production: Synthesised):
    properties = production.properties("ScheduleSilent")

    assert (properties["Namespace"], properties["MetricName"]) == ("AWS/Scheduler", "InvocationAttemptCount")
    assert properties["Dimensions"] == [{"Name": "ScheduleGroup", "Value": "tidemill"}]
    assert (properties["ComparisonOperator"], properties["Threshold"]) == ("LessThanThreshold", 1)
    assert properties["TreatMissingData"] == "breaching"
    # Every five minutes one fires: two of its ticks, and the half hour that metrics may take.
    assert properties["EvaluationPeriods"] * properties["Period"] == 30 * 60


@pytest.mark.parametrize(
    ("timing", "longest"),
    [
        (Every(minutes(7)), minutes(7)),
        (Cron("*/5 * * * *"), minutes(5)),
        # On the night when the clocks go back, a time that comes again does not fire.
        (Cron("*/5 * * * *", tz="Europe/Paris"), minutes(65)),
        (Cron("0 6,12,18 * * *"), hours(12)),
        # Not on every day, or once in a day only.
        (Cron("*/5 * * * MON-FRI"), None),
        (Cron("*/5 * * 1-6 *"), None),
        (Cron("0 3 * * *"), None),
    ],
)
def test_the_longest_silence(timing, longest):
    assert longest_silence(timing) == longest


@pytest.mark.parametrize(
    ("schedules", "window"),
    [
        ([Schedule(Every(hours(1))), Schedule(Every(hours(6)))], hours(2)),
        ([Schedule(Every(hours(6)), jitter=hours(1))], hours(13)),
        ([Schedule(Every(minutes(1)))], minutes(30)),
        ([Schedule(Every(minutes(1)), enabled=False), Schedule(Every(hours(3)))], hours(6)),
        ([Schedule(Every(hours(12)))], None),
        ([Schedule(Cron("@weekly"))], None),
    ],
)
def test_how_long_a_group_may_be_silent(schedules, window):
    assert silence_window(pairs(schedules)) == window


def test_no_alarm_waits_for_ticks_that_are_rare(tmp_path):
    rare = synthesise(tmp_path, registry=JobRegistry(nightly(Schedule(Cron("@daily")))))

    assert "ScheduleSilent" not in rare.resources
    assert "ScheduleDropped" in rare.resources


def test_a_schedule_that_may_not_overlap_is_none_of_scheduler(tmp_path):
    timing = Cron("*/5 * * * *", tz="Europe/Paris")
    mixed = JobRegistry(nightly(Schedule(timing, overlap="skip"), Schedule(Cron("@daily"), name="sent")))
    swept = JobRegistry(nightly(Schedule(timing, overlap="queue_one")))

    assert set(synthesise(tmp_path / "mixed", registry=mixed).of_type("AWS::Scheduler::Schedule")) == {"ScheduleSent"}
    assert [id_ for id_ in synthesise(tmp_path / "swept", registry=swept).resources if "Schedule" in id_] == []


def test_a_tick_in_the_dlq_is_an_alarm(production: Synthesised):
    properties = production.properties("ScheduleDlqArrival")

    assert properties["MetricName"] == "ApproximateNumberOfMessagesVisible"
    assert "ScheduleDlq" in json.dumps(properties["Dimensions"])
    assert production.properties("ScheduleDlq")["MessageRetentionPeriod"] == 14 * 86_400


def test_late_ticks_are_watched_in_every_lane_with_a_schedule_and_in_the_table(production: Synthesised):
    late = {id_ for id_ in production.of_type("AWS::CloudWatch::Alarm") if id_.startswith("TicksLate")}

    # The last is of schedules that were made at run time: the janitor's.
    assert late == {"TicksLateBulk", "TicksLateCritical", "TicksLate"}
    assert production.properties("TicksLateBulk")["MetricName"] == "TicksLate"


def test_a_stack_without_schedules_has_none_of_it(tmp_path):
    plain = synthesise(tmp_path, registry=JobRegistry(nightly()))

    assert not plain.error
    assert not plain.of_type("AWS::Scheduler::ScheduleGroup")
    assert [id_ for id_ in plain.resources if "Schedule" in id_] == []


@pytest.mark.parametrize(
    ("schedule", "says"),
    [
        (Schedule(Cron("@daily", tz="Europe/Pariss")), "did you mean Europe/Paris"),
        (Schedule(Cron("@daily", tz="Europe/Pariss"), overlap="skip"), "did you mean Europe/Paris"),
        (Schedule(Cron("@daily"), args=Nightly.model_construct(number="x")), "has args that a worker refuses"),
    ],
)
def test_what_can_not_be_deployed_fails_the_synth_and_names_the_schedule(tmp_path, schedule, says):
    with pytest.raises(DeployError) as caught:
        synthesise(tmp_path, registry=JobRegistry(nightly(schedule)))

    assert "job 'test.nightly': schedule 'test.nightly'" in str(caught.value)
    assert says in str(caught.value)


def test_a_stack_whose_name_no_group_can_have_is_refused(tmp_path):
    from aws_cdk import App

    from tidemill_cdk import DeploySettings, TidemillStack

    with pytest.raises(DeployError, match="more than the 64 characters of a schedule group"):
        TidemillStack(
            App(outdir=str(tmp_path / "out")),
            "s" * 65,
            registry=JobRegistry(nightly(Cron("@daily"))),
            code=code_folder(tmp_path / "code"),
            settings=DeploySettings(dependencies=dependency_folder(tmp_path / "layer"), cache=tmp_path / "cache"),
        )


def test_synth_warns_of_a_crowd(tmp_path):
    from aws_cdk.assertions import Annotations, Match

    seen = []
    synthesise(tmp_path, registry=JobRegistry(nightly(*several(11))), add=seen.append)

    (entry,) = Annotations.from_stack(seen[0]).find_warning("*", Match.string_like_regexp("11 schedules fire in one"))
    assert "UTC): n0, n1, n10, n2, n3" in entry.entry.data


@pytest.mark.parametrize(
    "schedules",
    [
        several(MOST_TOGETHER),
        several(20, jitter=minutes(10)),
        several(20, enabled=False),
        [*several(10), Schedule(Cron("1 9 * * MON", tz="Europe/Paris"), name="later")],
        [*several(10), Schedule(Cron("0 9 * * MON", tz="Europe/London"), name="elsewhere")],
    ],
)
def test_no_crowd(schedules):
    assert crowded(pairs(schedules)) is None


def test_a_crowd_of_every_sort():
    found = crowded(pairs([*several(10), Schedule(Every(hours(1)), name="hourly")]))

    assert found is not None
    assert (len(found.names), found.at.isoformat()) == (11, "2027-01-04T08:00:00+00:00")


def test_a_crowd_once_a_year_is_one():
    rare = [*several(6, Cron("0 9 1 * *")), *several(5, Cron("0 9 1 12 *"))]

    found = crowded(pairs(rare))

    assert found is not None
    assert found.at.isoformat() == "2027-12-01T09:00:00+00:00"


def test_the_registry_of_these_tests_has_every_sort():
    schedules = [schedule for _, schedule in REGISTRY.schedules]

    assert {type(schedule.timing) for schedule in schedules} == {Cron, Every}
    assert isinstance(schedules[-1].args, SendReceipt)
