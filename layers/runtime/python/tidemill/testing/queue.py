"""The queues in memory: the reference implementation of `JobQueue` and `DeadLetterQueue`.

They behave as standard SQS queues do: a received message is hidden for a while and comes back, and one that
was received too often goes to the DLQ with the time of its first send. Tests drive the engine with `receive`
and `delete`, which stand for Lambda's poller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds, minutes
from tidemill.domain.errors import UnavailableError
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Clock, Send


@dataclass(slots=True)
class _Message:
    """One message. `visible_at`: from when it may be received again."""

    id: str
    body: str
    sent_at: int
    visible_at: int
    receives: int = 0
    receipt: str = ""


@dataclass(slots=True)
class _Queue:
    """One queue, oldest message first."""

    messages: list[_Message] = field(default_factory=list)

    def visible(self, now_ms: int) -> list[_Message]:
        return [message for message in self.messages if message.visible_at <= now_ms]

    def holding(self, receipt: str) -> _Message | None:
        """The message of this receipt. An older receipt than the last is void, as SQS may treat it."""
        return next((message for message in self.messages if message.receipt == receipt), None)


class MemoryQueues:
    """All lanes' queues and DLQs. Not for threads.

    Arguments:
        clock: decides what is visible.
        lanes: their names.
        max_receives: how often one message is handed out before it goes to the DLQ.
        visibility: how long a received message is hidden, unless `hide` says otherwise.

    Attributes:
        outage: set it to make every send fail.
    """

    def __init__(
        self,
        clock: Clock,
        lanes: Sequence[str],
        max_receives: int = limits.MAX_RECEIVES,
        visibility: timedelta = minutes(6),
    ) -> None:
        self.outage: UnavailableError | None = None
        self._clock = clock
        self._max_receives = max_receives
        self._visibility_ms = milliseconds(visibility)
        self._queues = {lane: _Queue() for lane in lanes}
        self._dlqs = {lane: _Queue() for lane in lanes}
        self._counter = 0

    # --- JobQueue --------------------------------------------------------------------------------

    def send(self, lane: str, sends: Sequence[Send]) -> list[UnavailableError | None]:
        """See JobQueue."""
        queue = self._queues[lane]
        if self.outage is not None:
            return [self.outage] * len(sends)
        for send in sends:
            self._put(queue, send.envelope.encode(), send.delay_s)
        return [None] * len(sends)

    def hide(self, lane: str, holds: Sequence[tuple[str, int]]) -> None:
        """See JobQueue."""
        for receipt, wait_s in holds:
            message = self._queues[lane].holding(receipt)
            if message is not None:
                message.visible_at = self._clock.now_ms() + wait_s * 1000

    # --- the poller ------------------------------------------------------------------------------

    def put(self, lane: str, body: str) -> str:
        """Send any text, as another system would. Answers the message's id."""
        return self._put(self._queues[lane], body, 0).id

    def receive(self, lane: str, limit: int = 10) -> list[Delivery]:
        """Hand out up to `limit` visible messages. Those received too often go to the DLQ instead."""
        queue, now_ms = self._queues[lane], self._clock.now_ms()
        deliveries: list[Delivery] = []
        for message in queue.visible(now_ms):
            if len(deliveries) == limit:
                break
            if message.receives >= self._max_receives:
                self._bury(lane, message)
            else:
                deliveries.append(self._hand_out(message, now_ms + self._visibility_ms))
        return deliveries

    def delete(self, lane: str, receipt: str) -> None:
        """Delete the message of this receipt; nothing happens if the receipt is void."""
        queue = self._queues[lane]
        message = queue.holding(receipt)
        if message is not None:
            queue.messages.remove(message)

    def count(self, lane: str) -> int:
        """How many messages the lane's queue holds, hidden ones included."""
        return len(self._queues[lane].messages)

    # --- DeadLetterQueue -------------------------------------------------------------------------

    def depth(self, lane: str) -> int:
        """See DeadLetterQueue."""
        return len(self._dlqs[lane].messages)

    def peek(self, lane: str, limit: int) -> list[Delivery]:
        """See DeadLetterQueue."""
        now_ms = self._clock.now_ms()
        return [self._hand_out(message, now_ms) for message in self._dlqs[lane].visible(now_ms)[:limit]]

    def move(
        self, lane: str, chosen: Callable[[Delivery], bool], limit: int, search: int | None = None
    ) -> list[Delivery]:
        """See DeadLetterQueue."""
        dlq, now_ms = self._dlqs[lane], self._clock.now_ms()
        moved: list[Delivery] = []
        for message in dlq.visible(now_ms)[:search]:
            if len(moved) == limit:
                break
            delivery = self._hand_out(message, now_ms)
            if chosen(delivery):
                # A redrive makes a new message: another id, another time of sending, the same body.
                self._put(self._queues[lane], message.body, 0)
                dlq.messages.remove(message)
                moved.append(delivery)
        return moved

    def _put(self, queue: _Queue, body: str, delay_s: int) -> _Message:
        now_ms = self._clock.now_ms()
        message = _Message(self._fresh("message"), body, now_ms, now_ms + delay_s * 1000)
        queue.messages.append(message)
        return message

    def _hand_out(self, message: _Message, visible_at: int) -> Delivery:
        message.receives += 1
        message.receipt = self._fresh("receipt")
        message.visible_at = visible_at
        return Delivery(message.id, message.receipt, message.body, message.sent_at, message.receives)

    def _bury(self, lane: str, message: _Message) -> None:
        self._queues[lane].messages.remove(message)
        message.visible_at = self._clock.now_ms()
        self._dlqs[lane].messages.append(message)

    def _fresh(self, what: str) -> str:
        self._counter += 1
        return f"{what}-{self._counter}"
