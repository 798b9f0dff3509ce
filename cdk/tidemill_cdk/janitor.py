"""The janitor: a function that once a minute sends what is due and finds what SQS dead-lettered unseen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tidemill.domain import limits
from tidemill_cdk.failures import failure_queue
from tidemill_cdk.function import FunctionShape, PythonFunction
from tidemill_cdk.layers import FunctionCode
from tidemill_cdk.naming import keep_name
from tidemill_cdk.permissions import DLQ_CENSUS, JOBS_TABLE, QUEUE_SEND, TABLE_QUERY, allow
from tidemill_cdk.queue import LaneQueue, duration
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import DUE_INDEX
from tidemill_cdk.waivers import TICKS_ARE_KEPT, waive
from tidemill_cdk.worker import Stores

# A tick that is late by a period is replaced by the next one, which does all that this one left.
TICK_LIFE: Final = limits.SWEEP_PERIOD
TICK_RETRIES: Final = 1
# It moves rows and messages and holds none of them for long; 512 MB is for CPU, 0.29 of a processor.
JANITOR_MEMORY_MB: Final = 512


class Janitor(PythonFunction):
    """The sweep and the census, on a schedule.

    Guarantees that a tick which fails for good is kept in a queue of its own for two weeks.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        code: FunctionCode,
        environment: Mapping[str, str],
        settings: DeploySettings,
    ) -> None:
        shape = FunctionShape(
            handler="janitor",
            # Two sweeps side by side would only race each other: the next starts when this one must have ended.
            timeout=limits.SWEEP_PERIOD,
            memory_mb=JANITOR_MEMORY_MB,
            description="Sends what is due and records what was dead-lettered unseen",
            environment=environment,
            resends=True,
        )
        super().__init__(scope, id_, name="Janitor", code=code, shape=shape, settings=settings)
        self.failed_ticks = failure_queue(self, "FailedTicks", "JanitorFailedTicks")
        waive(self.function, TICKS_ARE_KEPT, "Serverless::Serverless-LambdaDLQ")
        self._tick()
        self._keep_failed_ticks()

    def sweep(self, queues: Collection[LaneQueue], stores: Stores) -> None:
        """Let the function find what needs attention, send it, and look into every DLQ."""
        jobs = stores.jobs
        allow(self.role, QUEUE_SEND, *(lane.queue.queue_arn for lane in queues))
        allow(self.role, DLQ_CENSUS, *(lane.dlq.queue_arn for lane in queues))
        allow(self.role, JOBS_TABLE, jobs.table.table_arn)
        allow(self.role, TABLE_QUERY, jobs.index_arn(DUE_INDEX))
        # Large arguments of jobs that wait in a chain, or for the end of a batch.
        stores.payloads.grant_read(self.role)
        stores.payloads.grant_submitting(self.role)

    def _tick(self) -> None:
        # A rule, not EventBridge Scheduler: at a fixed rate both are the same, and a rule needs no role.
        rule = events.Rule(
            self,
            "Tick",
            schedule=events.Schedule.rate(duration(limits.SWEEP_PERIOD)),
            targets=[
                targets.LambdaFunction(
                    self.function,
                    dead_letter_queue=self.failed_ticks,
                    max_event_age=duration(TICK_LIFE),
                    retry_attempts=TICK_RETRIES,
                )
            ],
        )
        keep_name(rule, "JanitorTick")

    def _keep_failed_ticks(self) -> None:
        # EventBridge's own retries end when Lambda accepts the event; from there on Lambda's count.
        allow(self.role, QUEUE_SEND, self.failed_ticks.queue_arn)
        config = lambda_.CfnEventInvokeConfig(
            self,
            "Retries",
            function_name=self.function.function_name,
            qualifier="$LATEST",
            maximum_event_age_in_seconds=int(TICK_LIFE.total_seconds()),
            maximum_retry_attempts=TICK_RETRIES,
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.failed_ticks.queue_arn)
            ),
        )
        # Lambda refuses a destination that the role may not send to yet.
        config.node.add_dependency(self.role)
