"""A lane's worker: the function, what it may do, and how SQS feeds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from tidemill.domain.lane import WEBHOOK_LANE, Lane
from tidemill.domain.sizing import LaneSizing
from tidemill_cdk.bucket import PrivateBucket
from tidemill_cdk.function import FunctionShape, PythonFunction
from tidemill_cdk.layers import FunctionCode
from tidemill_cdk.naming import keep_name, pascal, worker_id
from tidemill_cdk.permissions import IDEMPOTENCY_TABLE, JOBS_TABLE, QUEUE_CONSUME, QUEUE_SEND, TABLE_ANSWER, allow
from tidemill_cdk.queue import LaneQueue, duration
from tidemill_cdk.settings import DeploySettings
from tidemill_cdk.table import IdempotencyTable, JobsTable
from tidemill_cdk.waivers import NEVER_ASYNC, SQS_KEEPS_FAILURES, waive


@dataclass(frozen=True, slots=True)
class Stores:
    """Where the functions of one pipeline keep things."""

    jobs: JobsTable
    idempotency: IdempotencyTable
    payloads: PrivateBucket


class LaneWorker(PythonFunction):
    """The worker function of one lane.

    `role` and `function` are open: grant them what the lane's jobs need beside Tidemill's own tables.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        lane: Lane,
        sizing: LaneSizing,
        code: FunctionCode,
        environment: Mapping[str, str],
        settings: DeploySettings,
    ) -> None:
        shape = FunctionShape(
            handler="worker",
            timeout=sizing.function_timeout,
            memory_mb=lane.memory_mb,
            description=f"Runs the jobs of lane {lane.name}",
            environment=environment,
            resends=True,
        )
        super().__init__(scope, id_, name=worker_id(lane.name), code=code, shape=shape, settings=settings)
        self._lane = lane
        self._for_host = settings.for_host

    def answer(self, stores: Stores) -> None:
        """Let the lane's jobs answer others that wait."""
        allow(self.role, TABLE_ANSWER, stores.jobs.table.table_arn)

    def consume(self, lane_queue: LaneQueue, every_queue: Iterable[LaneQueue], stores: Stores) -> None:
        """Feed the function from the lane's queue, let it record what it does, and send what a message asks for."""
        allow(self.role, QUEUE_CONSUME, lane_queue.queue.queue_arn)
        self._let_send(lane_queue, every_queue)
        allow(self.role, JOBS_TABLE, stores.jobs.table.table_arn)
        if not self.tells:
            allow(self.role, IDEMPOTENCY_TABLE, stores.idempotency.table.table_arn)
            stores.payloads.grant_read(self.role)
            stores.payloads.grant_working(self.role)
        self._map(lane_queue)

    def _let_send(self, lane_queue: LaneQueue, every_queue: Iterable[LaneQueue]) -> None:
        # A plain message may name another lane than the one whose queue it was sent to. Nothing is sent by a webhook.
        queues = [lane_queue] if self.tells else list(every_queue)
        allow(self.role, QUEUE_SEND, *(lane.queue.queue_arn for lane in queues))

    @property
    def tells(self) -> bool:
        """Whether this lane delivers webhooks: it talks to machines that are not ours, and needs little of what is."""
        return self._lane.name == WEBHOOK_LANE

    def _map(self, lane_queue: LaneQueue) -> None:
        # On one machine every further function process only competes for its cores; two is the least AWS takes.
        max_concurrency = 2 if self._for_host else self._lane.max_concurrency
        mapping = lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=lane_queue.queue.queue_arn,
            batch_size=self._lane.batch_size,
            # API Reference, CreateEventSourceMapping: FIFO queues have no window, not even one of 0 s.
            max_batching_window=None if self._lane.fifo else duration(self._lane.batch_window),
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )
        waive(mapping, SQS_KEEPS_FAILURES, "Serverless::Serverless-LambdaEventSourceMappingDestination")
        waive(self.function, NEVER_ASYNC, "Serverless::Serverless-LambdaDLQ")
        keep_name(mapping, f"Mapping{pascal(self._lane.name)}")
