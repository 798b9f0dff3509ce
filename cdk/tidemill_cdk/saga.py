"""A saga's state machine: its definition follows from the steps, its role from their lanes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from tidemill.domain.saga.machine import compiled
from tidemill.domain.saga.saga import Saga
from tidemill_cdk.alarms import Alarms, Condition
from tidemill_cdk.function import RETENTIONS
from tidemill_cdk.metrics import PERIOD
from tidemill_cdk.naming import rename
from tidemill_cdk.permissions import (
    LOG_DELIVERY,
    QUEUE_SEND,
    SAGA_CANCEL,
    SAGA_LOOK,
    SAGA_REPORT,
    SAGA_START,
    XRAY_OF_MACHINES,
    allow,
)
from tidemill_cdk.queue import LaneQueue
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import removal_policy
from tidemill_cdk.waivers import DELIVERY_HAS_NO_RESOURCES, EXECUTIONS_OF_ONE_MACHINE, XRAY_HAS_NO_RESOURCES, waive

# Step Functions Developer Guide, "Metrics": how an execution ends that its machine did not foresee.
_ENDS: Final = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


class SagaMachine(Construct):
    """One saga as a state machine of type Standard.

    Guarantees that its role may send to the queues of its steps' lanes and to no other, and that all its transitions
    are logged, without what they are about.

    Arguments:
        saga: its declaration. `queues`: all lanes' queues.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        saga: Saga,
        queues: Mapping[str, LaneQueue],
        settings: DeploySettings,
    ) -> None:
        super().__init__(scope, id_)
        self.saga = saga
        self._logical_id = f"Saga{id_.removesuffix('Saga')}"
        self.lanes = tuple(dict.fromkeys(job.lane for job in saga.jobs))
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        allow(self.role, QUEUE_SEND, *(queues[lane].queue.queue_arn for lane in self.lanes))
        self._observe(settings)
        definition = compiled(saga, lambda lane: queues[lane].queue.queue_url)
        self.machine = sfn.CfnStateMachine(
            self,
            "Machine",
            role_arn=self.role.role_arn,
            state_machine_type="STANDARD",
            # Not Stack.to_json_string, which leaves out what is null. A queue's URL needs no escape in JSON.
            definition_string=json.dumps(definition),
            logging_configuration=self._logging(settings),
            tracing_configuration=sfn.CfnStateMachine.TracingConfigurationProperty(enabled=settings.tracing),
        )
        # Step Functions tries the role when the machine is made.
        self.machine.node.add_dependency(self.role)
        rename(self.machine, self._logical_id)

    @property
    def arn(self) -> str:
        """The ARN of the state machine."""
        return self.machine.attr_arn

    def let_report(self, role: iam.IGrantable) -> None:
        """Let a worker, or the janitor, tell it how its jobs ended."""
        allow(role, SAGA_REPORT, self.arn)

    def let_serve(self, role: iam.Role) -> None:
        """Let the API start, look at and cancel its executions."""
        executions = Stack.of(self).format_arn(service="states", resource=f"execution:{self.machine.attr_name}:*")
        allow(role, SAGA_START, self.arn)
        allow(role, SAGA_LOOK, executions)
        allow(role, SAGA_CANCEL, self.arn)
        # As the two reports write it.
        shown = f"arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<{self._logical_id}.Name>:*"
        ours = [f"Tidemill::wildcard[{action} on {shown}]" for action in SAGA_LOOK]
        waive(role, EXECUTIONS_OF_ONE_MACHINE, *ours, f"AwsSolutions::AwsSolutions-IAM5[Resource::{shown}]")

    def watch(self, alarms: Alarms) -> None:
        """Call a person for an execution that ended in a way that its machine can't mend, whatever ended it."""
        advice = (
            f"A saga {self.saga.name} is neither whole nor undone. See `tidemill saga show {self.saga.name} ID`, mend "
            "the cause, then `tidemill saga resume` or `tidemill saga cancel`"
        )
        for end in _ENDS:
            name = f"{self._logical_id}{end.removeprefix('Executions')}"
            alarms.add(name, Condition(self._metric(end), threshold=1, advice=advice))

    def _metric(self, name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/States",
            metric_name=name,
            dimensions_map={"StateMachineArn": self.arn},
            statistic=cloudwatch.Stats.SUM,
            period=PERIOD,
        )

    def _observe(self, settings: DeploySettings) -> None:
        allow(self.role, LOG_DELIVERY, "*")
        waived = [f"Tidemill::wildcard[{action} on *]" for action in LOG_DELIVERY]
        waive(self.role, DELIVERY_HAS_NO_RESOURCES, *waived, "AwsSolutions::AwsSolutions-IAM5[Resource::*]")
        if settings.tracing:
            allow(self.role, XRAY_OF_MACHINES, "*")
            traced = [f"Tidemill::wildcard[{action} on *]" for action in XRAY_OF_MACHINES]
            waive(self.role, XRAY_HAS_NO_RESOURCES, *traced)

    def _logging(self, settings: DeploySettings) -> sfn.CfnStateMachine.LoggingConfigurationProperty:
        kept = logs.LogGroup(
            self,
            "Logs",
            # Developer Guide, "Logging": of all log groups with this prefix, one resource policy tells the rights.
            log_group_name=f"/aws/vendedlogs/states/{Stack.of(self).stack_name}-{self.saga.name}",
            retention=RETENTIONS[settings.log_retention.days],
            removal_policy=removal_policy(settings),
        )
        group = sfn.CfnStateMachine.CloudWatchLogsLogGroupProperty(log_group_arn=kept.log_group_arn)
        destination = sfn.CfnStateMachine.LogDestinationProperty(cloud_watch_logs_log_group=group)
        return sfn.CfnStateMachine.LoggingConfigurationProperty(
            # The data holds the saga's arguments.
            level="ALL",
            include_execution_data=False,
            destinations=[destination],
        )


def machine_id(name: str) -> str:
    """A saga's name as part of a logical id: `orders.place` is `OrdersPlace`."""
    words = "".join(character if character.isalnum() else " " for character in name).split()
    return "".join(word.capitalize() for word in words)


def arns_of(machines: Iterable[SagaMachine]) -> dict[str, str]:
    """The ARN of each saga's machine by the saga's name."""
    return {machine.saga.name: machine.arn for machine in machines}
