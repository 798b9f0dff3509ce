"""SQS's API on queues in memory."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.cloud.choices import Choices
from bench.cloud.meter import Meter
from bench.cloud.moves import MessageMoves
from bench.cloud.queue import Message, Queue
from bench.cloud.refused import Refused
from bench.cloud.sqs_errors import bad_value, no_such_queue, sqs_error

Document = dict[str, Any]

# SQS pricing: every 64 KB of a request's payload is billed as one request.
CHUNK_BYTES = 65_536
# API Reference: a batch holds up to ten entries; a message, and all of a batch together, up to 1 MiB.
MAX_ENTRIES = 10
MAX_BYTES = 1_048_576
MAX_DELAY_S = 900
PURGE_PAUSE_MS = 60_000
_BATCH_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_UNSENDABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def billed_requests(payload_bytes: int) -> int:
    """How many requests one request with this much payload is billed as."""
    return max(1, -(-payload_bytes // CHUNK_BYTES))


class Sqs:
    """The operations by their names; each takes and answers what botocore takes and answers."""

    def __init__(
        self,
        queues: Sequence[Queue],
        meter: Meter,
        now_ms: Callable[[], int],
        new_id: Callable[[], str],
        choices: Choices,
    ) -> None:
        self._queues = {queue.name: queue for queue in queues}
        self._meter = meter
        self._now_ms = now_ms
        self._choices = choices
        self._purged_ms: dict[str, int] = {}
        moves = MessageMoves({queue.arn: queue for queue in queues}, now_ms, new_id)
        self.operations: Mapping[str, Callable[[Document], Document]] = {
            "ChangeMessageVisibility": self._change_visibility,
            "ChangeMessageVisibilityBatch": self._each("ChangeMessageVisibilityBatch", self._change_visibility),
            "DeleteMessage": self._delete,
            "DeleteMessageBatch": self._each("DeleteMessageBatch", self._delete),
            "GetQueueAttributes": self._attributes,
            "GetQueueUrl": self._url,
            "ListMessageMoveTasks": moves.list,
            "PurgeQueue": self._purge,
            "ReceiveMessage": self._receive,
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
            "StartMessageMoveTask": moves.start,
        }

    def bill(self, operation: str, asked: Document, answer: Document) -> None:
        """Count the requests that a call is billed as."""
        entries = asked.get("Entries", (asked,)) if operation.startswith("SendMessage") else answer.get("Messages", ())
        payload = sum(len(entry.get("MessageBody", entry.get("Body", "")).encode()) for entry in entries)
        self._meter.sqs_requests[operation] += billed_requests(payload)

    def _queue(self, asked: Document) -> Queue:
        queue = self._queues.get(asked["QueueUrl"].rpartition("/")[2])
        if queue is None:
            raise no_such_queue()
        return queue

    def _each(self, operation: str, one: Callable[[Document], Document]) -> Callable[[Document], Document]:
        """The batch of an operation: each entry for itself."""

        def batch(asked: Document) -> Document:
            self._queue(asked)
            _check_entries(asked["Entries"])
            done: list[Document] = []
            failed: list[Document] = []
            for number, entry in enumerate(asked["Entries"]):
                code = self._choices.refusal(operation, number)
                if code is not None:
                    failed.append({"Id": entry["Id"], "SenderFault": False, "Code": code, "Message": code})
                    continue
                try:
                    done.append({"Id": entry["Id"], **one({**entry, "QueueUrl": asked["QueueUrl"]})})
                except Refused as refused:
                    failed.append(
                        {"Id": entry["Id"], "SenderFault": True, "Code": refused.code, "Message": refused.message}
                    )
            # Either list is absent where it is empty.
            return {name: some for name, some in (("Successful", done), ("Failed", failed)) if some}

        return batch

    def _send(self, asked: Document) -> Document:
        queue = self._queue(asked)
        body, delay_s = asked["MessageBody"], asked.get("DelaySeconds")
        _check_body(body)
        if delay_s is not None and not 0 <= delay_s <= MAX_DELAY_S:
            raise bad_value("DelaySeconds", delay_s, f"DelaySeconds must be >= 0 and <= {MAX_DELAY_S}.")
        trace = asked.get("MessageSystemAttributes", {}).get("AWSTraceHeader", {}).get("StringValue")
        message = queue.put(
            body,
            delay_s,
            asked.get("MessageGroupId"),
            deduplication=asked.get("MessageDeduplicationId"),
            attributes=asked.get("MessageAttributes"),
            trace=trace,
        )
        answer: Document = {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}
        if message.sequence is not None:
            answer["SequenceNumber"] = str(message.sequence)
        return answer

    def _send_batch(self, asked: Document) -> Document:
        if sum(len(entry["MessageBody"].encode()) for entry in asked["Entries"]) > MAX_BYTES:
            raise sqs_error("BatchRequestTooLong", f"Batch requests cannot be longer than {MAX_BYTES} bytes.")
        return self._each("SendMessageBatch", self._send)(asked)

    def _receive(self, asked: Document) -> Document:
        queue, most = self._queue(asked), asked.get("MaxNumberOfMessages", 1)
        if not 1 <= most <= MAX_ENTRIES:
            raise bad_value("MaxNumberOfMessages", most, "Must be between 1 and 10, if provided.")
        taken = queue.take(most, asked.get("VisibilityTimeout"))
        return {"Messages": [_received(queue, message, asked) for message in taken]} if taken else {}

    def _delete(self, asked: Document) -> Document:
        self._queue(asked).delete(asked["ReceiptHandle"])
        return {}

    def _change_visibility(self, asked: Document) -> Document:
        self._queue(asked).hide(asked["ReceiptHandle"], asked["VisibilityTimeout"])
        return {}

    def _attributes(self, asked: Document) -> Document:
        wanted = asked.get("AttributeNames", ())
        found = _described(self._queue(asked))
        for name in wanted:
            if name != "All" and name not in found and name not in _OPTIONAL:
                raise sqs_error("InvalidAttributeName", f"Unknown Attribute {name}.")
        chosen = found if "All" in wanted else {name: found[name] for name in wanted if name in found}
        return {"Attributes": chosen} if chosen else {}

    def _url(self, asked: Document) -> Document:
        queue = self._queues.get(asked["QueueName"])
        if queue is None:
            raise no_such_queue()
        return {"QueueUrl": queue.url}

    def _purge(self, asked: Document) -> Document:
        queue, now = self._queue(asked), self._now_ms()
        if now - self._purged_ms.get(queue.name, -PURGE_PAUSE_MS) < PURGE_PAUSE_MS:
            raise sqs_error(
                "PurgeQueueInProgress", f"Only one PurgeQueue operation on {queue.name} is allowed every 60 seconds."
            )
        self._purged_ms[queue.name] = now
        queue.messages.clear()
        return {}


_OPTIONAL = {
    "FifoQueue",
    "ContentBasedDeduplication",
    "RedrivePolicy",
    "Policy",
    "RedriveAllowPolicy",
    "KmsMasterKeyId",
}


def _described(queue: Queue) -> dict[str, str]:
    definition = queue.definition
    visible, in_flight, delayed = queue.depths()
    found = {
        "QueueArn": queue.arn,
        "ApproximateNumberOfMessages": str(visible),
        "ApproximateNumberOfMessagesNotVisible": str(in_flight),
        "ApproximateNumberOfMessagesDelayed": str(delayed),
        "CreatedTimestamp": str(queue.created_ms // 1_000),
        "LastModifiedTimestamp": str(queue.created_ms // 1_000),
        "VisibilityTimeout": str(definition.visibility_s),
        "MaximumMessageSize": str(MAX_BYTES),
        "MessageRetentionPeriod": str(definition.retention_s),
        "DelaySeconds": str(definition.delay_s),
        "ReceiveMessageWaitTimeSeconds": "0",
        "SqsManagedSseEnabled": "true",
    }
    if queue.dlq is not None:
        policy = {"deadLetterTargetArn": queue.dlq.arn, "maxReceiveCount": definition.max_receives}
        found["RedrivePolicy"] = json.dumps(policy, separators=(",", ":"))
    if definition.fifo:
        found["FifoQueue"] = "true"
        found["ContentBasedDeduplication"] = str(definition.deduplicates_content).lower()
    return found


def _received(queue: Queue, message: Message, asked: Document) -> Document:
    answer: Document = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
    }
    wanted = (*asked.get("AttributeNames", ()), *asked.get("MessageSystemAttributeNames", ()))
    if wanted:
        system = system_attributes(message)
        chosen = system if "All" in wanted else {name: system[name] for name in wanted if name in system}
        if chosen:
            answer["Attributes"] = chosen
    own = {
        name: value
        for name, value in message.attributes.items()
        if _is_wanted(name, asked.get("MessageAttributeNames", ()))
    }
    if own:
        answer["MessageAttributes"] = own
    return answer


def system_attributes(message: Message) -> dict[str, str]:
    """What SQS knows about a message that was received."""
    found = {
        "SenderId": "AROAEXAMPLEEXAMPLE123:tidemill-bench-api",
        "ApproximateFirstReceiveTimestamp": str(message.first_received_ms),
        "ApproximateReceiveCount": str(message.receives),
        "SentTimestamp": str(message.sent_ms),
    }
    optional = {
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.deduplication,
        "SequenceNumber": None if message.sequence is None else str(message.sequence),
        "AWSTraceHeader": message.trace,
        "DeadLetterQueueSourceArn": message.dead_from,
    }
    return found | {name: value for name, value in optional.items() if value is not None}


def _is_wanted(name: str, wanted: Sequence[str]) -> bool:
    return any(one in ("All", ".*", name) or (one.endswith(".*") and name.startswith(one[:-1])) for one in wanted)


def _check_body(body: str) -> None:
    if not body:
        raise sqs_error("MissingParameterException", "The request must contain the parameter MessageBody.")
    if len(body) * 4 > MAX_BYTES and len(body.encode()) > MAX_BYTES:
        raise sqs_error(
            "InvalidParameterValueException",
            f"One or more parameters are invalid. Reason: Message must be shorter than {MAX_BYTES} bytes.",
        )
    if _UNSENDABLE.search(body):
        raise sqs_error(
            "InvalidMessageContents",
            "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | "
            "#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        )


def _check_entries(entries: Sequence[Document]) -> None:
    if not entries:
        raise sqs_error("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > MAX_ENTRIES:
        raise sqs_error(
            "TooManyEntriesInBatchRequest",
            f"Maximum number of entries per request are {MAX_ENTRIES}. You have sent {len(entries)}.",
        )
    ids = [entry["Id"] for entry in entries]
    if len(set(ids)) != len(ids):
        raise sqs_error("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
    if not all(_BATCH_ID.fullmatch(one) for one in ids):
        raise sqs_error(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
