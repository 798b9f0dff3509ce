"""The relay: a function on the jobs table's stream that sends what transactions have committed, and its bus."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from tidemill.domain import limits
from tidemill.domain.duration import hours, minutes
from tidemill_cdk.failures import failure_queue
from tidemill_cdk.function import FunctionShape, PythonFunction
from tidemill_cdk.layers import FunctionCode
from tidemill_cdk.naming import keep_name, rename
from tidemill_cdk.permissions import (
    BUS_PUBLISH,
    JOBS_TABLE,
    QUEUE_SEND,
    STREAM_LIST,
    STREAM_READ,
    TABLE_QUERY,
    allow,
)
from tidemill_cdk.queue import LaneQueue, duration
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.waivers import RECORDS_ARE_KEPT, STREAMS_ARE_LISTED, waive
from tidemill_cdk.worker import Stores

RELAY_TIMEOUT: Final = minutes(1)
# It moves rows and messages and holds none of them for long; 512 MB is for CPU, 0.29 of a processor.
RELAY_MEMORY_MB: Final = 512
# One invocation sends them in ten calls, or publishes them in ten.
RELAY_BATCH: Final = 100
# While a batch is tried again nothing else of its shard is sent. The janitor sends what is given up, so that it is
# better to give up soon: an outage that lasts longer than these tries is its business.
RELAY_RETRIES: Final = 5
RELAY_RECORD_AGE: Final = hours(1)
# The stream keeps its records for a day (Developer Guide, "Change data capture for DynamoDB Streams"); from two minutes
# on the janitor sends them, too.
ITERATOR_AGE: Final = timedelta(minutes=5)


class EventsBus(Construct):
    """The bus of the program's events, and its archive, from which `tidemill replay` sends.

    Arguments:
        kept_for: how long the archive keeps a fact; 0 for no archive.
    """

    def __init__(self, scope: Construct, id_: str, *, kept_for: timedelta) -> None:
        super().__init__(scope, id_)
        self.bus = events.EventBus(self, "Bus", event_bus_name=Stack.of(self).stack_name)
        keep_name(self.bus, "EventsBus")
        if kept_for:
            archive = events.CfnArchive(
                self,
                "Archive",
                source_arn=self.bus.event_bus_arn,
                description=f"Facts of {Stack.of(self).stack_name}, for replays",
                retention_days=kept_for.days,
            )
            rename(archive, "EventsArchive")

    @property
    def name(self) -> str:
        """How PutEvents names it."""
        return self.bus.event_bus_name

    def let_publish(self, function: PythonFunction) -> None:
        """Let the function put events on it."""
        allow(function.role, BUS_PUBLISH, self.bus.event_bus_arn)


class Relay(PythonFunction):
    """Sends new rows of the outbox, within a second or two of the transaction that wrote them.

    Guarantees that nothing but such rows starts it, and that what it gives up is kept: the records in a queue of its
    own for two weeks, and the rows themselves in the table, from where the janitor sends them.
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
        code.check_handler("relay", "the registry has events or an outbox", "outbox.md")
        shape = FunctionShape(
            handler="relay",
            timeout=RELAY_TIMEOUT,
            memory_mb=RELAY_MEMORY_MB,
            description="Sends jobs and facts that transactions have committed",
            environment=environment,
        )
        super().__init__(scope, id_, name="Relay", code=code, shape=shape, settings=settings)
        self.failed_records = failure_queue(self, "FailedRecords", "RelayFailedRecords")
        waive(self.function, RECORDS_ARE_KEPT, "Serverless::Serverless-LambdaDLQ")

    def send(self, queues: Collection[LaneQueue], stores: Stores) -> None:
        """Feed the function from the table's stream, and let it send and record."""
        allow(self.role, QUEUE_SEND, *(lane.queue.queue_arn for lane in queues), self.failed_records.queue_arn)
        allow(self.role, JOBS_TABLE, stores.jobs.table.table_arn)
        # Large arguments, whose life begins anew when they are sent.
        stores.payloads.grant_read(self.role)
        stores.payloads.grant_submitting(self.role)
        stream = stores.jobs.table.table_stream_arn
        if stream is None:
            raise TypeError("the jobs table has no stream")
        allow(self.role, STREAM_READ, stream)
        allow(self.role, STREAM_LIST, "*")
        waive(
            self.role,
            STREAMS_ARE_LISTED,
            *(f"Tidemill::wildcard[{action} on *]" for action in STREAM_LIST),
            "AwsSolutions::AwsSolutions-IAM5[Resource::*]",
        )
        mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=stream,
            # A mapping that is made anew must not begin behind rows that are there.
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=RELAY_BATCH,
            bisect_batch_on_error=True,
            retry_attempts=RELAY_RETRIES,
            max_record_age=duration(RELAY_RECORD_AGE),
            on_failure=sources.SqsDlq(self.failed_records),
            report_batch_item_failures=True,
            filters=[{"pattern": json.dumps(new_rows(), separators=(",", ":"))}],
        )
        # Lambda refuses a mapping whose stream the role may not read yet.
        mapping.node.add_dependency(self.role)
        keep_name(mapping, "MappingRelay")


def let_commit(
    stores: Stores,
    bus: EventsBus | None,
    *,
    janitor: PythonFunction,
    relay: PythonFunction,
    workers: Iterable[PythonFunction],
) -> None:
    """Let the janitor look for leftovers, both it and the relay publish, and jobs find jobs that are not sent yet."""
    for function in (janitor, *workers):
        allow(function.role, TABLE_QUERY, stores.jobs.table.table_arn)
    for function in (janitor, relay):
        if bus is not None:
            bus.let_publish(function)


def new_rows() -> dict[str, object]:
    """The filter of the mapping: rows that came, and neither their removal nor any other item of the table."""
    return {"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": limits.OUTBOX_PARTITION}]}}}}
