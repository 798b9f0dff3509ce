"""The queues in memory: the reference implementation of `JobQueue` and `DeadLetterQueue`.

They behave as SQS queues do: a received message is hidden for a while and comes back, and one that was received too
often goes to the DLQ, a standard one with the time of its first send. A FIFO queue hands out nothing of a group while
a message of it is away, and swallows what is sent twice under one deduplication id within five minutes. Tests drive
the engine with `receive` and `delete`, which stand for Lambda's poller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds, minutes
from tidemill.domain.errors import UnavailableError
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Clock, Send

# API Reference, ReceiveMessage: at most ten messages.
_CALL: Final = 10
# SQS Developer Guide, "Exactly-once processing in Amazon SQS".
_DEDUPLICATION_MS: Final = milliseconds(minutes(5))


@dataclass(slots=True)
class _Message:
    """One message. `visible_at`: from when it may be received again."""

    id: str
    body: str
    sent_at: int
    visible_at: int
    receives: int = 0
    receipt: str = ""
    group: str = ""


@dataclass(slots=True)
class _Queue:
    """One queue, oldest message first. `max_receives`: how often it hands out a message."""

    max_receives: int
    messages: list[_Message] = field(default_factory=list)

    def visible(self, now_ms: int) -> list[_Message]:
        return [message for message in self.messages if message.visible_at <= now_ms]

    def holding(self, receipt: str) -> _Message | None:
        """The message of this receipt. An older receipt than the last is void, as SQS may treat it."""
        return next((message for message in self.messages if message.receipt == receipt), None)

    def bury(self, message: _Message, now_ms: int) -> None:
        """Take over a message of another queue."""
        message.visible_at = now_ms
        self.messages.append(message)

    def walk(self, now_ms: int, search: int | None) -> Iterator[_Message]:
        """Up to `search` messages as one walk with many receives meets them, each hidden until it ends."""
        met: set[str] = set()
        while room := min(_CALL, _CALL if search is None else search - len(met)):
            away = self.locked_by(met)
            found = [one for one in self.visible(now_ms) if one.id not in met and one.group not in away][:room]
            if not found:
                return
            met |= {one.id for one in found}
            yield from found

    def locked_by(self, met: set[str]) -> set[str]:  # noqa: ARG002 - FIFO queues ask
        """The groups of which nothing is handed out while these messages are away."""
        return set()

    def repeated(self, deduplication: str | None, now_ms: int) -> bool:  # noqa: ARG002 - FIFO queues ask
        """Whether such a message was sent a short while ago."""
        return False


@dataclass(slots=True)
class _FifoQueue(_Queue):
    seen: dict[str, int] = field(default_factory=dict)

    def visible(self, now_ms: int) -> list[_Message]:
        locked = {message.group for message in self.messages if message.visible_at > now_ms}
        return [message for message in self.messages if message.group not in locked]

    def locked_by(self, met: set[str]) -> set[str]:
        return {message.group for message in self.messages if message.id in met}

    def bury(self, message: _Message, now_ms: int) -> None:
        # Developer Guide, "Setting-up dead-letter queue retention": in a FIFO queue the enqueue timestamp resets.
        message.sent_at = now_ms
        _Queue.bury(self, message, now_ms)

    def repeated(self, deduplication: str | None, now_ms: int) -> bool:
        if deduplication is None:
            return False
        last = self.seen.get(deduplication)
        if last is not None and now_ms - last < _DEDUPLICATION_MS:
            return True
        self.seen[deduplication] = now_ms
        return False


class MemoryQueues:
    """All lanes' queues and DLQs. Not for threads.

    Arguments:
        clock: decides what is visible.
        lanes: their names.
        max_receives: how often one message is handed out before it goes to the DLQ.
        fifo: which of the lanes are FIFO, and `fifo_receives` the same for their messages.
        visibility: how long a received message is hidden, unless `hide` says otherwise.

    Attributes:
        outage: set it to make every send fail.
        moves_by_itself: whether it can put a whole DLQ back on its own, as SQS can and local clouds can't.
    """

    def __init__(
        self,
        clock: Clock,
        lanes: Sequence[str],
        max_receives: int = limits.MAX_RECEIVES,
        visibility: timedelta = minutes(6),
        *,
        fifo: Collection[str] = (),
        fifo_receives: int = limits.MAX_FIFO_RECEIVES,
    ) -> None:
        self.outage: UnavailableError | None = None
        self.moves_by_itself = False
        self._clock = clock
        self._visibility_ms = milliseconds(visibility)
        in_order = {lane: lane in fifo for lane in lanes}
        self._queues = {lane: _FifoQueue(fifo_receives) if in_order[lane] else _Queue(max_receives) for lane in lanes}
        self._dlqs = {lane: _FifoQueue(fifo_receives) if in_order[lane] else _Queue(max_receives) for lane in lanes}
        self._counter = 0

    # --- JobQueue --------------------------------------------------------------------------------

    def send(self, lane: str, sends: Sequence[Send]) -> list[UnavailableError | None]:
        """See JobQueue."""
        queue = self._queues[lane]
        if self.outage is not None:
            return [self.outage] * len(sends)
        for send in sends:
            envelope, in_order = send.envelope, isinstance(queue, _FifoQueue)
            entity = envelope.entity_in(lane)
            group = entity.group if entity else envelope.ref.id
            self._put(queue, envelope.encode(), 0 if in_order else send.delay_s, group, envelope.send_id)
        return [None] * len(sends)

    def has_lane(self, lane: str) -> bool:
        """See JobQueue."""
        return lane in self._queues

    def keeps_order(self, lane: str) -> bool:
        """See JobQueue."""
        return isinstance(self._queues[lane], _FifoQueue)

    def hide(self, lane: str, holds: Sequence[tuple[str, int]]) -> None:
        """See JobQueue."""
        for receipt, wait_s in holds:
            message = self._queues[lane].holding(receipt)
            if message is not None:
                message.visible_at = self._clock.now_ms() + wait_s * 1000

    def delete(self, lane: str, receipts: Sequence[str]) -> None:
        """See JobQueue. Nothing happens for a receipt that is void."""
        queue = self._queues[lane]
        for receipt in receipts:
            message = queue.holding(receipt)
            if message is not None:
                queue.messages.remove(message)

    # --- the poller ------------------------------------------------------------------------------

    def put(self, lane: str, body: str, group: str = "") -> str:
        """Send any text, as another system would. Answers the message's id."""
        return self._put(self._queues[lane], body, 0, group).id

    def receive(self, lane: str, limit: int = 10, wanted: Callable[[str], bool] = lambda _: True) -> list[Delivery]:
        """Hand out up to `limit` visible messages of which the body is `wanted`.

        Those received too often go to the DLQ instead.
        """
        queue, now_ms = self._queues[lane], self._clock.now_ms()
        deliveries: list[Delivery] = []
        for message in queue.visible(now_ms):
            if len(deliveries) == limit:
                break
            if not wanted(message.body):
                continue
            if message.receives >= queue.max_receives:
                self._bury(lane, message)
            else:
                deliveries.append(self._hand_out(message, now_ms + self._visibility_ms))
        return deliveries

    def count(self, lane: str) -> int:
        """How many messages the lane's queue holds, hidden ones included."""
        return len(self._queues[lane].messages)

    def next_visible_at(self, lane: str) -> int | None:
        """When the next of the messages that are hidden now can be received, Unix milliseconds; None if none is."""
        now_ms = self._clock.now_ms()
        return min((at for message in self._queues[lane].messages if (at := message.visible_at) > now_ms), default=None)

    # --- DeadLetterQueue -------------------------------------------------------------------------

    def depth(self, lane: str) -> int:
        """See DeadLetterQueue."""
        return len(self._dlqs[lane].messages)

    def peek(self, lane: str, limit: int) -> list[Delivery]:
        """See DeadLetterQueue."""
        now_ms = self._clock.now_ms()
        return [self._hand_out(message, now_ms) for message in self._dlqs[lane].walk(now_ms, limit)]

    def move(
        self, lane: str, chosen: Callable[[Delivery], bool], step: Callable[[], int], search: int | None = None
    ) -> Iterator[list[Delivery]]:
        """See DeadLetterQueue."""
        dlq = self._dlqs[lane]
        walk = dlq.walk(self._clock.now_ms(), search)
        while room := step():
            moved: list[tuple[Delivery, str]] = []
            while len(moved) < room and (message := next(walk, None)) is not None:
                delivery = self._hand_out(message, self._clock.now_ms())
                if message in dlq.messages and chosen(delivery):
                    dlq.messages.remove(message)
                    moved.append((delivery, message.group))
            if not moved:
                return
            for delivery, group in moved:
                # A redrive makes a new message: another id, another time of sending, the same body and group.
                self._put(self._queues[lane], delivery.body, 0, group)
            yield [delivery for delivery, _ in moved]

    def purge(
        self, lane: str, chosen: Callable[[Delivery], bool], limit: int, search: int | None = None
    ) -> list[Delivery]:
        """See DeadLetterQueue."""
        dlq, now_ms = self._dlqs[lane], self._clock.now_ms()
        removed: list[Delivery] = []
        for message in dlq.walk(now_ms, search):
            if len(removed) == limit:
                break
            delivery = self._hand_out(message, now_ms)
            if chosen(delivery):
                dlq.messages.remove(message)
                removed.append(delivery)
        return removed

    def start_move(self, lane: str, rate: int | None) -> bool:  # noqa: ARG002 - the port names it
        """See DeadLetterQueue. All at once, if `moves_by_itself`."""
        if self.moves_by_itself:
            list(self.move(lane, lambda _: True, lambda: self.depth(lane)))
        return self.moves_by_itself

    def _put(
        self, queue: _Queue, body: str, delay_s: int, group: str = "", deduplication: str | None = None
    ) -> _Message:
        now_ms = self._clock.now_ms()
        message = _Message(self._fresh("message"), body, now_ms, now_ms + delay_s * 1000, group=group)
        if not queue.repeated(deduplication, now_ms):
            queue.messages.append(message)
        return message

    def _hand_out(self, message: _Message, visible_at: int) -> Delivery:
        message.receives += 1
        message.receipt = self._fresh("receipt")
        message.visible_at = visible_at
        return Delivery(message.id, message.receipt, message.body, message.sent_at, message.receives)

    def _bury(self, lane: str, message: _Message) -> None:
        self._queues[lane].messages.remove(message)
        self._dlqs[lane].bury(message, self._clock.now_ms())

    def _fresh(self, what: str) -> str:
        self._counter += 1
        return f"{what}-{self._counter}"
