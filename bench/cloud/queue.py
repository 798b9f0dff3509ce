"""A standard queue: hands out what is visible, hides what it handed out, moves to its DLQ what came too often."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bench.cloud.choices import Choices
from bench.cloud.sqs_errors import bad_value, sqs_error

# API Reference, ChangeMessageVisibility: "0 to 43200. Maximum: 12 hours", from the moment of the receive.
MAX_VISIBILITY_S = 43_200
# Developer Guide, "Amazon SQS standard queue quotas".
MAX_IN_FLIGHT = 120_000
_FOUR_DAYS_S = 345_600


@dataclass(frozen=True, slots=True)
class QueueDefinition:
    """How a queue is set up.

    Arguments:
        max_receives: how often a message is handed out before the next receive moves it to `dlq`.
        dlq: the name of the queue that takes it; one of the same sort.
        retention_s: how long a message is kept. `delay_s`: how long each is hidden after its send.
        deduplicates_content: of a FIFO queue: the body stands for an absent deduplication id.
    """

    name: str
    fifo: bool = False
    visibility_s: int = 30
    max_receives: int | None = None
    dlq: str | None = None
    retention_s: int = _FOUR_DAYS_S
    delay_s: int = 0
    deduplicates_content: bool = False


@dataclass(slots=True)
class Message:
    """One message and its last receive. Times are Unix milliseconds."""

    id: str
    body: str
    sent_ms: int
    group: str | None
    visible_ms: int
    receives: int = 0
    first_received_ms: int = 0
    received_ms: int = 0
    receipt: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)
    trace: str | None = None
    deduplication: str | None = None
    sequence: int | None = None
    dead_from: str | None = None


class Queue:
    """One standard queue.

    Attributes:
        messages: by id, in the order of their sends. A simulation may change them.
        dlq: where messages go that were received too often.
    """

    def __init__(
        self, definition: QueueDefinition, now_ms: Callable[[], int], new_id: Callable[[], str], choices: Choices
    ) -> None:
        self.definition = definition
        self.name = definition.name
        self.arn = ""
        self.url = ""
        self.created_ms = now_ms()
        self.messages: dict[str, Message] = {}
        self.dlq: Queue | None = None
        self._now_ms = now_ms
        self._new_id = new_id
        self._choices = choices
        self._oldest_ms: int | None = None

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
        """Take a message.

        Raises:
            Refused: a deduplication id, which only a FIFO queue knows.
        """
        if deduplication is not None:
            raise bad_value(
                "MessageDeduplicationId",
                deduplication,
                "The request include parameter that is not valid for this queue type.",
            )
        return self._added(body, self.definition.delay_s if delay_s is None else delay_s, group, attributes, trace)

    def take(self, most: int, visibility_s: int | None = None) -> list[Message]:
        """Hand out up to `most` visible messages, and hide them.

        Raises:
            Refused: 120,000 messages are in flight.
        """
        now = self._now_ms()
        self.forget_old()
        self._check_in_flight(now)
        taken: list[Message] = []
        for message in self._candidates(now):
            if self._is_spent(message):
                assert self.dlq is not None
                del self.messages[message.id]
                self.dlq.bury(message, self.arn)
                continue
            taken.append(message)
            if len(taken) == most:
                break
        hidden_s = self.definition.visibility_s if visibility_s is None else visibility_s
        for message in taken:
            _hand_out(message, now, hidden_s)
        return taken

    def hide(self, receipt: str, seconds: int) -> None:
        """Set the visibility of a message that was handed out, from now.

        A message that is visible again stays as it is: AWS answers as if it had done something.

        Raises:
            Refused: the receipt is not one, its message is gone or was handed out again, or the time is beyond 12
                hours of the receive.
        """
        if not 0 <= seconds <= MAX_VISIBILITY_S:
            raise bad_value(
                "VisibilityTimeout", seconds, f"VisibilityTimeout must be an integer between 0 and {MAX_VISIBILITY_S}."
            )
        message, now = self._of_receipt(receipt), self._now_ms()
        if message is None:
            raise bad_value(
                "ReceiptHandle", receipt, "Message does not exist or is not available for visibility timeout change."
            )
        if message.visible_ms <= now:
            return
        if now - message.received_ms + seconds * 1_000 > MAX_VISIBILITY_S * 1_000:
            raise bad_value(
                "VisibilityTimeout",
                seconds,
                f"Total VisibilityTimeout for the message is beyond the limit [{MAX_VISIBILITY_S} seconds]",
            )
        message.visible_ms = now + seconds * 1_000

    def delete(self, receipt: str) -> None:
        """Delete the message that was handed out under `receipt`.

        API Reference, DeleteMessage: with a receipt that is not the most recent one "the request succeeds, but
        the message will not be deleted".

        Raises:
            Refused: the receipt is not one.
        """
        message = self._of_receipt(receipt)
        if message is not None:
            del self.messages[message.id]

    def bury(self, message: Message, source_arn: str) -> None:
        """Take over a message that its queue handed out too often.

        Developer Guide, "Amazon SQS dead-letter queues": on standard queues "the enqueue timestamp is unchanged",
        so that its retention counts from the original send.
        """
        message.visible_ms = self._now_ms()
        message.dead_from = source_arn
        self._keep(message)

    def redrive(self, message: Message) -> Message:
        """Take a message back from a DLQ: the same content, a new id, a new time of its send, no receives."""
        return self._added(message.body, 0, message.group, message.attributes, message.trace)

    def forget_old(self) -> None:
        """Drop what is past its retention."""
        horizon = self._now_ms() - self.definition.retention_s * 1_000
        if self._oldest_ms is None or self._oldest_ms > horizon:
            return
        for message in [one for one in self.messages.values() if one.sent_ms <= horizon]:
            del self.messages[message.id]
        self._oldest_ms = min((one.sent_ms for one in self.messages.values()), default=None)

    def visible_at(self) -> int | None:
        """When the next message can be received, Unix milliseconds; None if there is none."""
        return min((message.visible_ms for message in self.messages.values()), default=None)

    def depths(self) -> tuple[int, int, int]:
        """How many messages are visible, in flight and delayed."""
        self.forget_old()
        now = self._now_ms()
        hidden = [message for message in self.messages.values() if message.visible_ms > now]
        in_flight = sum(1 for message in hidden if message.receives)
        return len(self.messages) - len(hidden), in_flight, len(hidden) - in_flight

    def _added(
        self, body: str, delay_s: int, group: str | None, attributes: dict[str, Any] | None, trace: str | None
    ) -> Message:
        now = self._now_ms()
        message = Message(self._new_id(), body, now, group, now + delay_s * 1_000)
        message.attributes = dict(attributes or {})
        message.trace = trace
        self._keep(message)
        return message

    def _keep(self, message: Message) -> None:
        self.messages[message.id] = message
        if self._oldest_ms is None or message.sent_ms < self._oldest_ms:
            self._oldest_ms = message.sent_ms

    def _candidates(self, now: int) -> Iterable[Message]:
        """What may be handed out, in the order to do it."""
        order = self._choices.order
        # The first ten of many are enough, as long as nobody wants to choose among all.
        visible = (message for message in list(self.messages.values()) if message.visible_ms <= now)
        return visible if order is None else order(list(visible))

    def _is_spent(self, message: Message) -> bool:
        most = self.definition.max_receives
        return most is not None and self.dlq is not None and message.receives >= most

    def _of_receipt(self, receipt: str) -> Message | None:
        message_id, slash, _ = receipt.partition("/")
        if not slash:
            raise sqs_error(
                "ReceiptHandleIsInvalid", f'The input receipt handle "{receipt}" is not a valid receipt handle.'
            )
        message = self.messages.get(message_id)
        if message is None or message.receipt == receipt:
            return message
        return message if self._takes_old_receipts() else None

    def _takes_old_receipts(self) -> bool:
        works = self._choices.old_receipt_works
        return works is not None and works()

    def _check_in_flight(self, now: int) -> None:
        if len(self.messages) <= MAX_IN_FLIGHT:
            return
        if sum(1 for one in self.messages.values() if one.receives and one.visible_ms > now) >= MAX_IN_FLIGHT:
            raise sqs_error("OverLimit", "Too many messages in flight")


def _hand_out(message: Message, now: int, hidden_s: int) -> None:
    message.receives += 1
    message.received_ms = now
    message.first_received_ms = message.first_received_ms or now
    message.visible_ms = now + hidden_s * 1_000
    # A handle is opaque; SQS's own has some 180 characters and changes with every receive.
    message.receipt = f"{message.id}/{message.receives:0146d}"
