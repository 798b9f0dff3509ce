"""The metrics that alarms and the dashboard read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

# What the runtime writes in CloudWatch's embedded metric format: one line per batch, with the
# dimensions `service` (the stack) and `lane`.
NAMESPACE: Final = "Tidemill"
OUTCOMES: Final = (
    "JobsSucceeded",
    "JobsRetried",
    "JobsDead",
    "JobsDeferred",
    "JobsWaiting",
    "JobsExpired",
    "JobsCancelled",
)
# SQS and Lambda publish once a minute.
PERIOD: Final = Duration.minutes(1)


def lane_metric(scope: Construct, lane: str, name: str) -> cloudwatch.Metric:
    """One of Tidemill's own counts for a lane, summed over a minute."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": Stack.of(scope).stack_name, "lane": lane},
        statistic=cloudwatch.Stats.SUM,
        period=PERIOD,
    )


def stack_metric(scope: Construct, name: str) -> cloudwatch.Metric:
    """One of the counts of a function that serves all lanes, summed over a minute."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={"service": Stack.of(scope).stack_name},
        statistic=cloudwatch.Stats.SUM,
        period=PERIOD,
    )


def most(measure: Callable[..., cloudwatch.Metric], label: str | None = None) -> cloudwatch.Metric:
    """The greatest value of a construct's metric within a minute, for example `most(queue.metric_...)`."""
    return measure(statistic=cloudwatch.Stats.MAXIMUM, period=PERIOD, label=label)


def total(measure: Callable[..., cloudwatch.Metric], label: str | None = None) -> cloudwatch.Metric:
    """The sum of a construct's metric over a minute, for example `total(function.metric_errors)`."""
    return measure(statistic=cloudwatch.Stats.SUM, period=PERIOD, label=label)
