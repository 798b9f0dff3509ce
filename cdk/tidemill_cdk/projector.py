"""The projector: a function that keeps read models up to date with the streams of the events table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tidemill.domain.duration import hours, minutes
from tidemill_cdk.alarms import Alarms, Condition
from tidemill_cdk.events import EventsTable, EventStore, LinesTable
from tidemill_cdk.failures import failure_queue
from tidemill_cdk.function import FunctionShape, PythonFunction
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.layers import FunctionCode
from tidemill_cdk.metrics import PERIOD, most, stack_metric, total
from tidemill_cdk.naming import rename
from tidemill_cdk.permissions import EVENTS_READ, LINES_WRITE, QUEUE_SEND, STREAM_LIST, STREAM_READ, allow
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.waivers import RECORDS_ARE_KEPT, STREAMS_ARE_LISTED, waive

MEMORY_MB: Final = 512
# A hundred facts are a hundred conditional writes at the most, of some 10 ms each; a gap may be a long read.
TIMEOUT: Final = minutes(1)
BATCH: Final = 100
# A stream keeps its records for 24 hours (DynamoDB Developer Guide, "Change data capture for DynamoDB Streams"). What
# can't be applied for half of that is let go, so that all behind it still is.
MAX_AGE: Final = hours(12)
# An outage of the table costs tries, too; each doubles a wait that Lambda chooses.
RETRIES: Final = 100
# How old the oldest fact may be that is not in a read model yet.
BEHIND: Final = timedelta(minutes=5)


class Projector(PythonFunction):
    """The function and its mapping.

    Guarantees that a batch that fails is split until it is small, that what fails for good is named in a queue of its
    own for two weeks, and that nothing is ever lost by that: the facts are in the events table.
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
        code.check_handler("projector", "the registry has projections", "event-store.md")
        shape = FunctionShape(
            handler="projector",
            timeout=TIMEOUT,
            memory_mb=MEMORY_MB,
            description="Keeps read models up to date",
            environment=environment,
        )
        super().__init__(scope, id_, name="Projector", code=code, shape=shape, settings=settings)
        self.failed = failure_queue(self, "Failed", "ProjectorFailedBatches")
        waive(self.function, RECORDS_ARE_KEPT, "Serverless::Serverless-LambdaDLQ")

    @classmethod
    def of(
        cls,
        scope: Construct,
        id_: str,
        store: EventStore | None,
        code: FunctionCode,
        environment: Mapping[str, str],
        settings: DeploySettings,
        lanes: Mapping[str, BuiltLane],
    ) -> Projector | None:
        """The projector of an event store that has read models, updated before the workers that append to it."""
        if store is None or store.lines is None:
            return None
        made = cls(scope, id_, code=code, environment=environment, settings=settings)
        made.follow(store.events, store.lines)
        for built in lanes.values():
            # What an older projector does not know halts a line.
            built.worker.function.node.add_dependency(made.function)
        return made

    def follow(self, events: EventsTable, lines: LinesTable) -> None:
        """Feed the function from the events table's stream, and let it write read models."""
        allow(self.role, EVENTS_READ, events.table.table_arn)
        allow(self.role, LINES_WRITE, lines.table.table_arn)
        allow(self.role, STREAM_READ, str(events.table.table_stream_arn))
        allow(self.role, STREAM_LIST, "*")
        allow(self.role, QUEUE_SEND, self.failed.queue_arn)
        listing = f"Tidemill::wildcard[{STREAM_LIST[0]} on *]"
        waive(self.role, STREAMS_ARE_LISTED, listing, "AwsSolutions::AwsSolutions-IAM5[Resource::*]")
        mapping = lambda_.CfnEventSourceMapping(
            self,
            "Mapping",
            function_name=self.function.function_name,
            event_source_arn=events.table.table_stream_arn,
            # From its beginning, so that a mapping that is made anew leaves nothing out.
            starting_position="TRIM_HORIZON",
            batch_size=BATCH,
            bisect_batch_on_function_error=True,
            function_response_types=["ReportBatchItemFailures"],
            maximum_retry_attempts=RETRIES,
            maximum_record_age_in_seconds=int(MAX_AGE.total_seconds()),
            destination_config=lambda_.CfnEventSourceMapping.DestinationConfigProperty(
                on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.failed.queue_arn)
            ),
        )
        # Lambda refuses a stream that the role may not read yet.
        mapping.node.add_dependency(self.role)
        rename(mapping, "MappingProjector")

    def watch(self, alarms: Alarms) -> None:
        """Watch that read models follow."""
        measured = {
            "ProjectorBehind": Condition(
                self.function.metric("IteratorAge", statistic=cloudwatch.Stats.MAXIMUM, period=PERIOD),
                threshold=BEHIND.total_seconds() * 1_000,
                advice="Read models are behind. See ProjectorErrors and the projector's log group",
            ),
            "ProjectorErrors": Condition(
                total(self.function.metric_errors),
                threshold=1,
                periods=2,
                advice="The projector failed twice in a row. Its log group has the error; read models wait for it",
            ),
            "ProjectorFailedBatch": Condition(
                most(self.failed.metric_approximate_number_of_messages_visible),
                threshold=1,
                advice="Facts did not reach read models for twelve hours. Mend the cause, then `tidemill projection "
                "catch-up`",
            ),
        }
        counted = {
            "StreamsHalted": "A projection does not get over a fact. `tidemill projection show NAME` says which and "
            "why; mend it, deploy, then `tidemill projection resume NAME`",
            "FactsChanged": "Somebody changed or deleted facts in the events table. The log line fact_changed names "
            "them; `tidemill stream verify` checks a stream",
        }
        for name, advice in counted.items():
            measured[name] = Condition(stack_metric(self, name), threshold=1, advice=advice)
        for name, condition in measured.items():
            alarms.add(name, condition)
