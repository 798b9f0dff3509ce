"""Alarms, all built alike and all telling one topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from tidemill_cdk.naming import keep_name
from tidemill_cdk.settings import DeploySettings

AT_LEAST: Final = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
BELOW: Final = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


@dataclass(frozen=True, slots=True)
class Condition:
    """When an alarm goes off: `metric >= threshold` (`<` with `below`) in `periods` periods in a row.

    `advice` says what to do about it; it is what the notification shows.
    """

    metric: cloudwatch.IMetric
    threshold: float
    advice: str
    periods: int = 1
    below: bool = False
    missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING


class Alarms(Construct):
    """The alarms of one pipeline, all notifying one topic."""

    def __init__(self, scope: Construct, id_: str, *, settings: DeploySettings) -> None:
        super().__init__(scope, id_)
        self.settings = settings
        topic = settings.alarm_topic_arn
        self._action = actions.SnsAction(sns.Topic.from_topic_arn(self, "Topic", topic)) if topic else None

    def add(self, name: str, condition: Condition) -> cloudwatch.Alarm:
        """Add one alarm under this logical id."""
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_description=condition.advice,
            metric=condition.metric,
            threshold=condition.threshold,
            comparison_operator=BELOW if condition.below else AT_LEAST,
            evaluation_periods=condition.periods,
            treat_missing_data=condition.missing,
        )
        keep_name(alarm, name)
        if self._action is not None:
            alarm.add_alarm_action(self._action)
            alarm.add_ok_action(self._action)
        return alarm
