"""A FIFO queue: order within a group, groups locked while a message is away, and no duplicate within five minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.cloud.choices import Choices
from bench.cloud.queue import Message, Queue, QueueDefinition
from bench.cloud.sqs_errors import bad_value, sqs_error

# Developer Guide, "Exactly-once processing in Amazon SQS": the deduplication interval.
DEDUPLICATION_MS = 5 * 60 * 1_000
_FIRST_SEQUENCE = 18_850_000_000_000_000_000
_WRONG_TYPE = "The request include parameter that is not valid for this queue type."


@dataclass(frozen=True, slots=True)
class _Seen:
    at_ms: int
    message: Message


class FifoQueue(Queue):
    """One FIFO queue; its deduplication spans the whole queue."""

    def __init__(
        self, definition: QueueDefinition, now_ms: Callable[[], int], new_id: Callable[[], str], choices: Choices
    ) -> None:
        super().__init__(definition, now_ms, new_id, choices)
        self._sequence = _FIRST_SEQUENCE
        self._seen: dict[str, _Seen] = {}

    def put(
        self,
        body: str,
        delay_s: int | None = None,
        group: str | None = None,
        *,
        deduplication: str | None = None,
        attributes: dict[str, Any] | None = None,
        trace: str | None = None,
    ) -> Message:
        """Take a message; one whose deduplication id was seen within five minutes is answered as the earlier one.

        Raises:
            Refused: no group, no deduplication id, or a delay of its own.
        """
        if group is None:
            raise sqs_error("MissingParameterException", "The request must contain the parameter MessageGroupId.")
        if delay_s:
            raise bad_value("DelaySeconds", delay_s, _WRONG_TYPE)
        if deduplication is None:
            if not self.definition.deduplicates_content:
                raise sqs_error(
                    "InvalidParameterValueException",
                    "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId "
                    "provided explicitly",
                )
            deduplication = hashlib.sha256(body.encode()).hexdigest()
        earlier = self._seen_lately(deduplication)
        if earlier is not None:
            return earlier
        message = self._added(body, self.definition.delay_s, group, attributes, trace)
        self._number(message, deduplication)
        return message

    def delete(self, receipt: str) -> None:
        """Delete the message that was handed out under `receipt`.

        Raises:
            Refused: the receipt is not one, or its message is visible again or was received again.
        """
        message = self._of_receipt(receipt)
        if message is None and receipt.partition("/")[0] not in self.messages:
            return
        if message is None or message.visible_ms <= self._now_ms():
            raise bad_value("ReceiptHandle", receipt, "The receipt handle has expired.")
        del self.messages[message.id]

    def bury(self, message: Message, source_arn: str) -> None:
        """Take over a message that its queue handed out too often.

        Developer Guide, "Amazon SQS dead-letter queues": on FIFO queues "the enqueue timestamp resets"; "Learn how
        to configure a dead-letter queue redrive": the deduplication id "will be replaced with the original
        message's ID".
        """
        message.sent_ms = self._now_ms()
        super().bury(message, source_arn)
        self._number(message, message.id)

    def redrive(self, message: Message) -> Message:
        """See Queue."""
        again = super().redrive(message)
        self._number(again, message.deduplication or message.id)
        return again

    def visible_at(self) -> int | None:
        """See Queue: when the first group is open, which is when the last hidden message of it shows itself."""
        opens: dict[str | None, int] = {}
        for message in self.messages.values():
            opens[message.group] = max(opens.get(message.group, 0), message.visible_ms)
        return min(opens.values(), default=None)

    def _takes_old_receipts(self) -> bool:
        # Developer Guide, "FIFO queue message ordering": "a message is delivered once and remains unavailable until a
        # consumer processes and deletes it".
        return False

    def _candidates(self, now: int) -> Iterable[Message]:
        # A group with a message in flight, or with one that is still delayed, hands out nothing.
        locked = {message.group for message in self.messages.values() if message.visible_ms > now}
        open_ones = [message for message in self.messages.values() if message.group not in locked]
        return sorted(open_ones, key=lambda message: message.sequence or 0)

    def _seen_lately(self, deduplication: str) -> Message | None:
        seen = self._seen.get(deduplication)
        return seen.message if seen is not None and self._now_ms() - seen.at_ms < DEDUPLICATION_MS else None

    def _number(self, message: Message, deduplication: str) -> None:
        self._sequence += 256
        message.sequence = self._sequence
        message.deduplication = deduplication
        self._seen[deduplication] = _Seen(self._now_ms(), message)
