"""Every lane has every alarm, on the right metric, early enough."""

import json

import pytest

from tests.infrastructure.stacks import Synthesised
from tidemill_cdk import metrics
from tidemill_cdk.metrics import OUTCOMES

LANES = {"critical": "Critical", "bulk": "Bulk", "media-gpu": "MediaGpu"}
PER_LANE = {
    "DlqArrival": ("ApproximateNumberOfMessagesVisible", "Dlq", 1),
    "DlqAge": ("ApproximateAgeOfOldestMessage", "Dlq", 7 * 86_400),
    "QueueAge": ("ApproximateAgeOfOldestMessage", "Queue", 3_600),
    "WorkerErrors": ("Errors", "Worker", 1),
    "WorkerThrottles": ("Throttles", "Worker", 1),
}


@pytest.mark.parametrize("lane", LANES.values())
@pytest.mark.parametrize("alarm", PER_LANE)
def test_lane_alarm(production: Synthesised, alarm, lane):
    metric, watched, threshold = PER_LANE[alarm]
    properties = production.properties(f"{alarm}{lane}")

    assert properties["MetricName"] == metric
    assert properties["Threshold"] == threshold
    assert properties["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    assert properties["TreatMissingData"] == "notBreaching"
    (dimension,) = properties["Dimensions"]
    assert json.dumps(dimension["Value"]).count(f'"{watched}{lane}"') == 1
    assert properties["AlarmDescription"]


@pytest.mark.parametrize("lane", LANES)
@pytest.mark.parametrize("alarm", ["DlqArrival", "DlqAge"])
def test_alarms_of_a_dlq_advise_what_the_command_line_can_do(production: Synthesised, alarm, lane):
    advice = production.properties(f"{alarm}{LANES[lane]}")["AlarmDescription"]

    assert f"`tidemill dlq ls --lane {lane}`" in advice
    assert "edrive" in advice
    # `show` takes a job's id, and a dead job can't be cancelled.
    assert "dlq show" not in advice
    assert "cancel" not in advice


@pytest.mark.parametrize("lane", LANES)
def test_dead_jobs_are_seen_by_our_own_metric(production: Synthesised, lane):
    properties = production.properties(f"JobsDead{LANES[lane]}")

    assert (properties["Namespace"], properties["MetricName"]) == ("Tidemill", "JobsDead")
    assert properties["Dimensions"] == [{"Name": "lane", "Value": lane}, {"Name": "service", "Value": "tidemill"}]
    assert (properties["Statistic"], properties["Threshold"]) == ("Sum", 1)


def test_a_backlog_is_seen_long_before_messages_are_deleted(production: Synthesised):
    for lane in LANES.values():
        kept = production.properties(f"Queue{lane}")["MessageRetentionPeriod"]
        assert production.properties(f"QueueAge{lane}")["Threshold"] < kept / 2
        kept = production.properties(f"Dlq{lane}")["MessageRetentionPeriod"]
        assert production.properties(f"DlqAge{lane}")["Threshold"] <= kept / 2


@pytest.mark.parametrize("name", ["TicksMissed", "TicksLate", "TicksRefused"])
def test_ticks_that_schedules_lose_or_make_late_are_alarms(production: Synthesised, name: str):
    """Under the dimensions that the janitor writes: it serves all lanes and names none."""
    properties = production.properties(name)

    assert properties["MetricName"] == name
    assert [one["Name"] for one in properties["Dimensions"]] == ["service"]
    assert (properties["Threshold"], properties["EvaluationPeriods"]) == (1, 1)


def test_silence_of_the_janitor_is_an_alarm(production: Synthesised):
    properties = production.properties("JanitorSilent")

    assert (properties["MetricName"], properties["ComparisonOperator"]) == ("Invocations", "LessThanThreshold")
    assert properties["TreatMissingData"] == "breaching"


def test_alarms_tell_the_topic_when_there_is_one(production: Synthesised, chosen_otherwise: Synthesised):
    topic = ["arn:aws:sns:eu-central-1:111122223333:alarms"]
    told = chosen_otherwise.of_type("AWS::CloudWatch::Alarm").values()
    assert told
    assert all(alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == topic for alarm in told)
    assert not any(
        "AlarmActions" in alarm["Properties"] for alarm in production.of_type("AWS::CloudWatch::Alarm").values()
    )


def test_dashboard_shows_every_lane(production: Synthesised):
    (dashboard,) = production.of_type("AWS::CloudWatch::Dashboard").values()
    text = json.dumps(dashboard["Properties"]["DashboardBody"])

    for lane, name in LANES.items():
        assert f"{lane}: jobs a minute" in text
        assert f'"Queue{name}"' in text
        assert f'"Dlq{name}"' in text
        assert f'"Worker{name}"' in text
    assert all(outcome in text for outcome in OUTCOMES)


def test_metrics_are_those_that_the_runtime_writes():
    from tidemill.entrypoints import observability
    from tidemill.service.reporting import METRIC

    assert set(OUTCOMES) == set(METRIC.values())
    assert metrics.NAMESPACE == observability.NAMESPACE
