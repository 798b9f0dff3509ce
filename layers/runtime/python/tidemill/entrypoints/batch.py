"""A batch of a lane: Powertools' partial-failure batch, with the claim before and the record after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.batch import BasePartialBatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.message import Delivery
from tidemill.service.executor import Batch, Executor


class JobBatchProcessor(BasePartialBatchProcessor):
    """Claims the whole batch in `_prepare`, runs its jobs in `process`, records them in `_clean`.

    A failed job is not a failed invocation: reported failures leave the function's error metric and
    the poller's scaling alone, so the entire batch failing raises nothing either.

    Arguments:
        executor: the lane's engine.
        concurrency: jobs of one batch that run at the same time.
    """

    def __init__(self, executor: Executor, concurrency: int) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._executor = executor
        # Threads live as long as the container; one job at a time needs none.
        self._threads = ThreadPoolExecutor(concurrency, "tidemill-job") if concurrency > 1 else None
        self._batch: Batch | None = None

    def _prepare(self) -> None:
        super()._prepare()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
        clock, context = self._executor.clock, self.lambda_context
        deadline_ms = clock.now_ms() + context.get_remaining_time_in_millis()
        deliveries = [delivery_of(record) for record in self.records]
        self._batch = self._executor.begin(deliveries, context.aws_request_id, deadline_ms)

    def process(self) -> list[tuple[Any, ...]]:
        """Run every job of the batch, up to `concurrency` at the same time."""
        run = self._threads.map if self._threads is not None and len(self.records) > 1 else map
        return list(run(self._process_record, self.records))

    def _process_record(self, record: dict[str, Any]) -> tuple[Any, ...]:
        self.handler(record["messageId"])
        return self.success_handler(record, None)

    async def _async_process_record(self, record: dict[str, Any]) -> tuple[Any, ...]:
        raise NotImplementedError("async jobs run on the worker's own event loop, through process()")

    def _clean(self) -> None:
        if self._batch is None:
            return
        staying = self._executor.finish(self._batch)
        self.batch_response = {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}

    def run(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Work through one event and answer which of its messages stay on the queue."""
        with self(records=event["Records"], handler=self._perform, lambda_context=context):
            self.process()
        return self.response()

    def _perform(self, message_id: str) -> None:
        if self._batch is not None:
            self._batch.perform(message_id)


def delivery_of(record: dict[str, Any]) -> Delivery:
    """A record of Lambda's SQS event as a delivery."""
    attributes = record["attributes"]
    return Delivery(
        message_id=record["messageId"],
        receipt=record["receiptHandle"],
        body=record["body"],
        sent_at=int(attributes["SentTimestamp"]),
        receives=int(attributes["ApproximateReceiveCount"]),
    )
