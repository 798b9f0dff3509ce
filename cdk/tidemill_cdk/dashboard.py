"""One page: a row of graphs for each lane."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.metrics import OUTCOMES, PERIOD, lane_metric, most, total
from tidemill_cdk.queue import LaneQueue
from tidemill_cdk.worker import LaneWorker


class LanesDashboard(Construct):
    """Depth, age, errors and outcomes of every lane."""

    def __init__(self, scope: Construct, id_: str, *, lanes: Iterable[BuiltLane]) -> None:
        super().__init__(scope, id_)
        self.dashboard = cloudwatch.Dashboard(self, "Dashboard")
        for built in lanes:
            name = built.lane.name
            self.dashboard.add_widgets(
                _depth(name, built.queue),
                _age(name, built.queue),
                _health(name, built.worker),
                _outcomes(name, built.worker),
            )


def _depth(lane: str, queue: LaneQueue) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=f"{lane}: messages",
        left=[
            most(queue.queue.metric_approximate_number_of_messages_visible, "waiting"),
            most(queue.queue.metric_approximate_number_of_messages_not_visible, "in flight"),
            most(queue.queue.metric_approximate_number_of_messages_delayed, "delayed"),
        ],
        right=[most(queue.dlq.metric_approximate_number_of_messages_visible, "dead")],
    )


def _age(lane: str, queue: LaneQueue) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=f"{lane}: age of the oldest message, s",
        left=[most(queue.queue.metric_approximate_age_of_oldest_message, "waiting")],
        right=[most(queue.dlq.metric_approximate_age_of_oldest_message, "dead")],
    )


def _health(lane: str, worker: LaneWorker) -> cloudwatch.GraphWidget:
    function = worker.function
    rate = cloudwatch.MathExpression(
        expression="100 * errors / invocations",
        using_metrics={"errors": total(function.metric_errors), "invocations": total(function.metric_invocations)},
        label="errors, % of invocations",
        period=PERIOD,
    )
    throttles = total(function.metric_throttles, "throttles")
    return cloudwatch.GraphWidget(title=f"{lane}: worker", left=[rate], right=[throttles])


def _outcomes(lane: str, worker: LaneWorker) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=f"{lane}: jobs a minute", left=[lane_metric(worker, lane, outcome) for outcome in OUTCOMES], stacked=True
    )
