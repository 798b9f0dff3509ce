"""A batch of a lane: Powertools' partial-failure batch, with the claim before and the record after."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.batch import BasePartialBatchProcessor, EventType
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.message import Delivery
from tidemill.entrypoints.crew import Crew
from tidemill.service.batch import Batch
from tidemill.service.executor import Executor


class JobBatchProcessor(BasePartialBatchProcessor):
    """Claims the whole batch in `_prepare`, runs its jobs in `process`, records them in `_clean`.

    A failed job is not a failed invocation: reported failures leave the function's error metric and
    the poller's scaling alone, so the entire batch failing raises nothing either.

    Arguments:
        executor: the lane's engine. `crew`: who runs its jobs.

    Attributes:
        is_spent: a job runs on though its time is over. Only the end of the process stops it, so the process
            must end: everything is recorded and settled.
    """

    def __init__(self, executor: Executor, crew: Crew) -> None:
        super().__init__(event_type=EventType.SQS, raise_on_entire_batch_failure=False)
        self._executor = executor
        self._crew = crew
        self._batch: Batch | None = None
        self.is_spent = False

    def _prepare(self) -> None:
        super()._prepare()  # type: ignore[no-untyped-call]  # Powertools leaves it untyped
        clock, context = self._executor.around.clock, self.lambda_context
        deadline_ms = clock.now_ms() + context.get_remaining_time_in_millis()
        deliveries = [delivery_of(record) for record in self.records]
        self._batch = self._executor.begin(deliveries, context.aws_request_id, deadline_ms)

    def process(self) -> list[tuple[Any, ...]]:
        """Run every job of the batch, suspects after the others and alone."""
        if self._batch is not None:
            self._crew.run(self._batch, self._batch.together)
            alone = self._executor.isolate(self._batch)
            if alone is not None:
                self._crew.run(self._batch, [alone])
        return [self._process_record(record) for record in self.records]

    def _process_record(self, record: dict[str, Any]) -> tuple[Any, ...]:
        return self.success_handler(record, None)

    async def _async_process_record(self, record: dict[str, Any]) -> tuple[Any, ...]:
        raise NotImplementedError("async jobs run on the worker's own event loop, through process()")

    def _clean(self) -> None:
        if self._batch is None:
            return
        # Even if recording fails: the job runs on all the same.
        self.is_spent = self.is_spent or bool(self._batch.left_behind)
        staying = self._executor.finish(self._batch)
        self.batch_response = {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}

    def run(self, event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
        """Work through one event and answer which of its messages stay on the queue."""
        with self(records=event["Records"], handler=_nothing, lambda_context=context):
            self.process()
        return self.response()


def _nothing(_: object) -> None:
    """The crew runs the jobs; Powertools wants a handler all the same."""


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
