"""Planted bugs of an ordered lane."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted
from tidemill.aws import order, queue
from tidemill.aws.order import order_key
from tidemill.domain import settle
from tidemill.domain.entity import Entity
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.ports import Send
from tidemill.service import executor, succession


def sends_anew(record: Any) -> Any:
    """A job that failed goes to the end of the line."""

    def planted(self: Any, batch: Any) -> None:
        record(self, batch)
        for message_id, claimed in batch.claimed.items():
            settlement = batch.settlements.get(message_id)
            if isinstance(settlement, settle.Hold) and settlement.until and batch.attempts.get(message_id):
                now_ms, envelope = self.around.clock.now_ms(), claimed.received.envelope
                fresh = envelope.resend(time_ordered_id(now_ms, self.random.getrandbits(74)))
                self.queue.send(self.lane, [Send(fresh)])
                batch.settlements[message_id] = settle.ACK

    return planted


def knows_no_order(waits: Any) -> Any:
    """The decision is that of a standard lane."""

    def planted(self: Any, *given: Any) -> Any:
        return replace(waits(self, *given), in_order=False)

    return planted


def notes_after_ack(finish: Any) -> Any:
    """The message goes first, then who finished is noted."""

    def planted(self: Any, batch: Any) -> Any:
        late: list[Any] = []
        kept = self.around.order
        object.__setattr__(self.around, "order", _Later(kept, late))
        try:
            staying = finish(self, batch)
        finally:
            object.__setattr__(self.around, "order", kept)
        self.queue.delete(self.lane, [one.receipt for one in batch.deliveries if one.message_id not in staying])
        for given in late:
            kept.finish(*given)
        return staying

    return planted


class _Later:
    """An `EntityOrder` that keeps its notes for later."""

    def __init__(self, order: Any, late: list[Any]) -> None:
        self.number, self.last_finished = order.number, order.last_finished
        self.finish = lambda *given: late.append(given)


def reads_then_writes(take: Any) -> Any:
    """A number is read, and raised by a call of its own."""

    def planted(self: Any, until_s: int, wanted: tuple[Entity, int]) -> Any:
        entity, _ = wanted
        (item,) = self._table.read("number", [order_key(entity)])
        first = int(item["given"]["N"]) + 1 if item and "given" in item else 1
        taken = take(self, until_s, wanted)
        return first if isinstance(taken, int) else taken

    return planted


def one_group_for_all(_: Any) -> Any:
    """Nothing is part of the group."""
    return property(lambda self: self.lane)


PLANTED: Final = (
    Planted(
        "failed job sent anew",
        "I21",
        "fifo",
        "a job that failed goes to the end of its entity's line",
        ((executor.Executor, "_record", sends_anew),),
    ),
    Planted(
        "ordered job parked",
        "I21",
        "fifo",
        "a long wait in an ordered lane is the table's, and the message is acked",
        ((executor.Executor, "_waits", knows_no_order),),
    ),
    Planted(
        "finish not noted",
        "I21",
        "fifo",
        "nobody notes which job of an entity succeeded last",
        ((succession.Succession, "fulfil", lambda _: lambda _, met: [True] * len(met)),),
    ),
    Planted(
        "finish noted after the ack",
        "I21",
        "fifo",
        "the message is deleted first, then it is noted who succeeded",
        ((executor.Executor, "finish", notes_after_ack),),
    ),
    Planted(
        "number read, then raised",
        "I21",
        "fifo",
        "the number of a job is read and raised in two calls",
        ((order.DynamoEntityOrder, "_take", reads_then_writes),),
    ),
    Planted(
        "bulk sent at once",
        "I21",
        "fifo",
        "jobs of one entity in one bulk are sent in one batch, of which SQS may take a part",
        ((queue.SqsJobQueue, "_send_in_order", lambda _: queue.SqsJobQueue._send_all),),
    ),
    Planted(
        "one group for all",
        "I21",
        "fifo",
        "the jobs of all entities and tenants are in one message group",
        ((Entity, "group", one_group_for_all),),
    ),
)
