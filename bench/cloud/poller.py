"""Lambda's event source mapping: receives, invokes, deletes what did not fail."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.cloud.meter import Meter
from bench.cloud.queue import Message, Queue
from bench.cloud.sqs import billed_requests

REGION = "us-east-1"
ACCOUNT = "123456789012"
# API Reference, ReceiveMessage and DeleteMessageBatch: ten messages a call.
PER_CALL = 10

Handler = Callable[[dict[str, Any], Any], Mapping[str, Any]]


@dataclass(slots=True)
class Context:
    """What Lambda hands to a handler beside the event."""

    function_name: str = "tidemill-bench-worker"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:tidemill-bench-worker"
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_version: str = "$LATEST"
    log_group_name: str = "/aws/lambda/tidemill-bench-worker"
    log_stream_name: str = "2026/11/22/[$LATEST]0123456789abcdef0123456789abcdef"
    timeout_ms: int = 75_000

    def get_remaining_time_in_millis(self) -> int:
        """The whole timeout: nothing here takes long."""
        return self.timeout_ms


@dataclass(frozen=True, slots=True)
class Poller:
    """One queue's mapping to one function, without the empty receives of an idle queue."""

    queue: Queue
    batch_size: int
    meter: Meter

    def gather(self) -> dict[str, Any] | None:
        """The next event, or None if no message is visible."""
        messages: list[Message] = []
        while len(messages) < self.batch_size:
            received = self.queue.take(min(PER_CALL, self.batch_size - len(messages)))
            if not received:
                break
            payload = sum(len(message.body.encode()) for message in received)
            self.meter.sqs_requests["ReceiveMessage"] += billed_requests(payload)
            messages += received
        return {"Records": [_record(message, self.queue.name) for message in messages]} if messages else None

    def settle(self, event: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """Delete every message that the handler did not report."""
        staying = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        done = [record["messageId"] for record in event["Records"] if record["messageId"] not in staying]
        for message_id in done:
            del self.queue.messages[message_id]
        self.meter.sqs_requests["DeleteMessageBatch"] += -(-len(done) // PER_CALL)

    def run(self, handler: Handler) -> int:
        """Invoke `handler` until nothing is visible; answer how many messages it was handed."""
        handed = 0
        while (event := self.gather()) is not None:
            self.meter.invocations += 1
            handed += len(event["Records"])
            self.settle(event, handler(event, Context()))
        return handed


def _record(message: Message, queue: str) -> dict[str, Any]:
    """Lambda Developer Guide, "Using Lambda with Amazon SQS": a standard queue's record."""
    attributes = {
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(message.sent_ms),
        "SenderId": "AROAEXAMPLEEXAMPLE123:tidemill-bench-api",
        "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
    }
    if message.group is not None:
        attributes["MessageGroupId"] = message.group
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(message.body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
        "awsRegion": REGION,
    }
