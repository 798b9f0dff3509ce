"""A batch of a lane: Powertools' partial-failure batch, with the claim before and the record after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from aws_lambda_powertools.utilities.batch import BasePartialBatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
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
        self._concurrency = concurrency
        # Threads live as long as the container.
        self._threads = ThreadPoolExecutor(concurrency, "tidemill-job")
        self._batch: Batch | None = None

    def _prepare(self) -> None:
        super()._prepare()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
        clock, context = self._executor.clock, self.lambda_context
        deadline_ms = clock.now_ms() + context.get_remaining_time_in_millis()
        deliveries = [delivery_of(record) for record in self.records]
        self._batch = self._executor.begin(deliveries, context.aws_request_id, deadline_ms)

    def process(self) -> list[tuple[Any, ...]]:
        """Run every job of the batch, up to `concurrency` at the same time, until shortly before the function ends."""
        if len(self.records) == 1:
            return [self._process_record(self.records[0])]
        running = {self._threads.submit(self._process_record, record): record for record in self.records}
        done, overran = wait(running, timeout=self._time_to_run_s())
        if overran:
            self._leave_behind([running[future]["messageId"] for future in overran])
        return [future.result() for future in done]

    def _time_to_run_s(self) -> float:
        deadline_ms = self._batch.performer.deadline_ms if self._batch is not None else 0
        left = deadline_ms - self._executor.clock.now_ms() - milliseconds(limits.RECORDING_TIME)
        return max(left / 1000, 0)

    def _leave_behind(self, message_ids: list[str]) -> None:
        """Give up on the jobs that did not end, so that what the others did is recorded before the function ends.

        Nothing can stop a thread: it keeps its lease, and its job is claimed again when that is over.
        """
        for message_id in message_ids:
            if self._batch is not None:
                self._batch.give_back(message_id)
        self._executor.telemetry.alert("jobs_overran", messages=message_ids)
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._threads = ThreadPoolExecutor(self._concurrency, "tidemill-job")

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
