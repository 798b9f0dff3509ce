"""The one place for what all functions share: runtime, role, logs, tracing, environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from tidemill_cdk.layers import FunctionCode, architecture_of, runtime_of
from tidemill_cdk.naming import keep_name
from tidemill_cdk.permissions import LOG_WRITE, allow
from tidemill_cdk.queue import duration
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import removal_policy
from tidemill_cdk.waivers import RUNTIME_IS_CHOSEN, XRAY_HAS_NO_RESOURCES, waive

_XRAY: Final = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
# How the CDK names the retentions of settings.LOG_RETENTION_DAYS.
RETENTIONS: Final = {
    1: logs.RetentionDays.ONE_DAY,
    3: logs.RetentionDays.THREE_DAYS,
    5: logs.RetentionDays.FIVE_DAYS,
    7: logs.RetentionDays.ONE_WEEK,
    14: logs.RetentionDays.TWO_WEEKS,
    30: logs.RetentionDays.ONE_MONTH,
    60: logs.RetentionDays.TWO_MONTHS,
    90: logs.RetentionDays.THREE_MONTHS,
    120: logs.RetentionDays.FOUR_MONTHS,
    150: logs.RetentionDays.FIVE_MONTHS,
    180: logs.RetentionDays.SIX_MONTHS,
    365: logs.RetentionDays.ONE_YEAR,
    400: logs.RetentionDays.THIRTEEN_MONTHS,
}


@dataclass(frozen=True, slots=True)
class FunctionShape:
    """What differs from function to function.

    Arguments:
        handler: the folder below `functions/` that holds `handler.py`.
        timeout: after this Lambda ends the invocation.
        memory_mb: memory; CPU grows with it.
        description: one line for the console.
        environment: its variables.
        resends: whether the function may send to the queue that feeds it, on purpose.
    """

    handler: str
    timeout: timedelta
    memory_mb: int
    description: str
    environment: Mapping[str, str] = field(default_factory=dict)
    resends: bool = False


class PythonFunction(Construct):
    """A Lambda function with a role, a log group and an environment of its own.

    Guarantees that its role allows nothing but writing its own logs, and traces where tracing is on;
    everything else is granted by whoever owns the resource.

    Arguments:
        name: the function's logical id, which `sam local invoke` takes.
        code: what it runs.
        shape: how it differs from the others.
        settings: what they share.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        code: FunctionCode,
        shape: FunctionShape,
        settings: DeploySettings,
    ) -> None:
        super().__init__(scope, id_)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=RETENTIONS[settings.log_retention.days],
            removal_policy=removal_policy(settings),
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=shape.description,
            code=code.asset,
            handler=f"{shape.handler}.handler.handler",
            layers=list(code.layers),
            runtime=runtime_of(settings),
            architecture=architecture_of(settings),
            memory_size=shape.memory_mb,
            timeout=duration(shape.timeout),
            role=self.role,
            log_group=self.log_group,
            tracing=lambda_.Tracing.ACTIVE if settings.tracing else lambda_.Tracing.DISABLED,
            # Lambda ends what looks like a loop after 16 rounds. A worker re-sends foreign messages and
            # due jobs into its own queue; it counts those hops itself.
            recursive_loop=lambda_.RecursiveLoop.ALLOW if shape.resends else None,
            environment={**shape.environment},
        )
        keep_name(self.function, name)
        allow(self.role, LOG_WRITE, self.log_group.log_group_arn)
        waive(
            self.function,
            RUNTIME_IS_CHOSEN,
            "AwsSolutions::AwsSolutions-L1",
            "Serverless::Serverless-LambdaLatestVersion",
        )
        if settings.tracing:
            self._waive_xray()

    def _waive_xray(self) -> None:
        ours = [f"Tidemill::wildcard[{action} on *]" for action in _XRAY]
        waive(self.role, XRAY_HAS_NO_RESOURCES, *ours, "AwsSolutions::AwsSolutions-IAM5[Resource::*]")
