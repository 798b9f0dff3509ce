"""SQS's API on queues in memory, as far as handlers and clients of this bench use it."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from bench.cloud.meter import Meter
from bench.cloud.wire import Request, Response

Document = dict[str, Any]

# SQS pricing: every 64 KB of a request's payload is billed as one request.
CHUNK_BYTES = 65_536


def billed_requests(payload_bytes: int) -> int:
    """How many requests one request with this much payload is billed as."""
    return max(1, -(-payload_bytes // CHUNK_BYTES))


@dataclass(slots=True)
class Message:
    """One message and its last receive."""

    id: str
    body: str
    sent_ms: int
    group: str | None
    visible_ms: int
    receives: int = 0
    first_received_ms: int = 0
    receipt: str = ""


class Queue:
    """One standard queue and its DLQ.

    Arguments:
        visibility_s: how long a message is hidden once it was handed out.
        max_receives: how often it is handed out before it moves to the DLQ.
    """

    def __init__(self, name: str, visibility_s: int = 465, max_receives: int = 5) -> None:
        self.name = name
        self.messages: dict[str, Message] = {}
        self.dead: dict[str, Message] = {}
        self._visibility_ms = visibility_s * 1000
        self._max_receives = max_receives

    def put(self, body: str, delay_s: int, group: str | None) -> Message:
        """Take a message."""
        now = time.time_ns() // 1_000_000
        message = Message(str(uuid.uuid4()), body, now, group, now + delay_s * 1000)
        self.messages[message.id] = message
        return message

    def take(self, most: int) -> list[Message]:
        """Hand out up to `most` visible messages, and hide them."""
        now = time.time_ns() // 1_000_000
        for message in [message for message in self.messages.values() if message.visible_ms <= now]:
            if message.receives == self._max_receives:
                self.dead[message.id] = self.messages.pop(message.id)
        taken = [message for message in self.messages.values() if message.visible_ms <= now][:most]
        for message in taken:
            message.receives += 1
            message.first_received_ms = message.first_received_ms or now
            message.visible_ms = now + self._visibility_ms
            # A handle is opaque; SQS's own has some 180 characters and changes with every receive.
            message.receipt = f"{message.id}/{secrets.token_urlsafe(110)}"
        return taken

    def hide(self, receipt: str, seconds: int) -> None:
        """Set the visibility of a message that was handed out."""
        message = self.messages.get(receipt.partition("/")[0])
        if message is not None:
            message.visible_ms = time.time_ns() // 1_000_000 + seconds * 1000


class Sqs:
    """The operations that handlers and clients of this bench use."""

    def __init__(self, queues: tuple[Queue, ...], meter: Meter) -> None:
        self._queues = {queue.name: queue for queue in queues}
        self._meter = meter
        self._operations: Mapping[str, Callable[[Queue, Document], Document]] = {
            "ChangeMessageVisibility": self._change_visibility,
            "ChangeMessageVisibilityBatch": self._change_visibility_batch,
            "SendMessage": self._send,
            "SendMessageBatch": self._send_batch,
        }

    def answer(self, request: Request) -> Response:
        """Answer as SQS does over its JSON protocol."""
        operation = request.headers["x-amz-target"].partition(".")[2]
        asked = json.loads(request.body)
        self._meter.calls[operation] += 1
        entries = asked.get("Entries", [asked])
        payload = sum(len(entry.get("MessageBody", "").encode()) for entry in entries)
        self._meter.sqs_requests[operation] += billed_requests(payload)
        queue = self._queues[asked["QueueUrl"].rpartition("/")[2]]
        body = json.dumps(self._operations[operation](queue, asked), separators=(",", ":")).encode()
        headers = {"x-amzn-RequestId": str(uuid.uuid4()), "Content-Type": "application/x-amz-json-1.0"}
        return Response(body, headers, HTTPStatus.OK)

    def _send(self, queue: Queue, entry: Document) -> Document:
        message = queue.put(entry["MessageBody"], entry.get("DelaySeconds", 0), entry.get("MessageGroupId"))
        return {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}

    def _send_batch(self, queue: Queue, asked: Document) -> Document:
        return {"Successful": [{"Id": entry["Id"], **self._send(queue, entry)} for entry in asked["Entries"]]}

    def _change_visibility(self, queue: Queue, entry: Document) -> Document:
        queue.hide(entry["ReceiptHandle"], entry["VisibilityTimeout"])
        return {}

    def _change_visibility_batch(self, queue: Queue, asked: Document) -> Document:
        for entry in asked["Entries"]:
            self._change_visibility(queue, entry)
        return {"Successful": [{"Id": entry["Id"]} for entry in asked["Entries"]]}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
