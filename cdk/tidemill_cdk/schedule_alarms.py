"""What tells that a tick was not sent, or that it came late."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch

from tidemill.domain import limits
from tidemill.domain.duration import minutes
from tidemill_cdk.alarms import Alarms, Condition
from tidemill_cdk.metrics import lane_metric, most, total
from tidemill_cdk.naming import pascal
from tidemill_cdk.queue import duration
from tidemill_cdk.schedules import Schedules
from tidemill_cdk.silence import silence_window

# Scheduler repeats what fails, with growing waits: what heals within these minutes needs nobody.
FAILING_MINUTES: Final = 3
_PERIOD: Final = minutes(5)


def watch_schedules(alarms: Alarms, schedules: Schedules) -> None:
    """Watch Scheduler's own counts (its User Guide, "Monitoring with CloudWatch"), its DLQ, and what workers count."""
    for name, condition in _conditions(schedules).items():
        alarms.add(name, condition)
    if (window := silence_window(schedules.sent)) is not None:
        alarms.add("ScheduleSilent", _silent(schedules, window))
    for lane, built in schedules.lanes.items():
        condition = Condition(
            lane_metric(built.worker, lane, "TicksLate"),
            threshold=1,
            advice=f"A tick reached lane {lane} {limits.LATE_TICK} or more after its time. Look for a stopped lane or "
            "a backlog; log lines `tick_late` of its worker name schedule and job",
        )
        alarms.add(f"TicksLate{pascal(lane)}", condition)


def _conditions(schedules: Schedules) -> dict[str, Condition]:
    group = schedules.group
    return {
        "ScheduleDlqArrival": Condition(
            most(schedules.dlq.metric_approximate_number_of_messages_visible),
            threshold=1,
            advice="A tick could not be sent. Its message in queue ScheduleDlq names schedule and error. Once that is "
            "mended, send the message's body to its lane's queue: the tick makes its job, and only one",
        ),
        "ScheduleTargetErrors": Condition(
            total(group.metric_target_errors),
            threshold=1,
            periods=FAILING_MINUTES,
            advice="Scheduler can't send ticks to their lanes. Look at role ScheduleRole and at the queues; what it "
            "gives up ends in queue ScheduleDlq",
        ),
        "ScheduleDropped": Condition(
            total(group.metric_dropped),
            threshold=1,
            advice="Scheduler gave up a tick: its job was not made. Look into queue ScheduleDlq",
        ),
        "ScheduleDlqFailed": Condition(
            # Its first argument is an error code; None counts all.
            total(partial(group.metric_failed_to_be_sent_to_dlq, None)),
            threshold=1,
            advice="Scheduler gave up a tick and could not keep it: its job was not made. Look at role ScheduleRole, "
            "then submit the job by hand",
        ),
    }


def _silent(schedules: Schedules, window: timedelta) -> Condition:
    return Condition(
        schedules.group.metric_attempts(statistic=cloudwatch.Stats.SUM, period=duration(_PERIOD)),
        threshold=1,
        below=True,
        # A minute without an attempt has no data at all.
        missing=cloudwatch.TreatMissingData.BREACHING,
        periods=-(-window // _PERIOD),
        advice="Scheduler has sent no tick for as long as its busiest schedule takes for two. Look whether the "
        "schedules of the stack's group are there and enabled, and at AWS's health page",
    )
