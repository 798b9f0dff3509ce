"""The stack's EventBridge bus. See `tidemill.domain.ports.EventBus`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tidemill.aws.clients import Clients
from tidemill.aws.errors import AwsError, unavailable
from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError
from tidemill.domain.outbox import OutboundFact

# User Guide, "Calculating PutEvents event entry size": a time counts 14 bytes, texts their UTF-8.
_TIME_BYTES: Final = 14


class EventBridgeBus:
    """`EventBus` on EventBridge. It never repeats a call by itself: the relay and the janitor do.

    Arguments:
        bus: the bus's name. `stack`: whose events these are: `Source` is `tidemill.<stack>`.
    """

    def __init__(self, clients: Clients, bus: str, stack: str) -> None:
        self._clients = clients
        self._bus = bus
        self._source = f"tidemill.{stack}"

    def publish(self, facts: Sequence[OutboundFact]) -> list[UnavailableError | None]:
        """See EventBus."""
        errors: list[UnavailableError | None] = []
        for batch in _batches([self._entry(fact) for fact in facts]):
            errors += self._put(batch)
        return errors

    def _put(self, entries: Sequence[dict[str, Any]]) -> list[UnavailableError | None]:
        """EventBridge answers HTTP 200 for entries that it took in part, or not at all."""
        try:
            answer = self._clients.events.put_events(Entries=entries)
        except AwsError as error:
            return [unavailable("publish", error) for _ in entries]
        if not answer.get("FailedEntryCount"):
            return [None] * len(entries)
        return [
            UnavailableError("publish", str(entry["ErrorCode"])) if entry.get("ErrorCode") else None
            for entry in answer["Entries"]
        ]

    def _entry(self, fact: OutboundFact) -> dict[str, Any]:
        return {
            "EventBusName": self._bus,
            "Source": self._source,
            "DetailType": fact.type,
            "Detail": fact.text,
            "Time": datetime.fromtimestamp(fact.at / 1000, UTC),
        }


def _batches(entries: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Runs of at most ten entries and 256 KB together."""
    batch: list[dict[str, Any]] = []
    room = limits.BUS_BATCH_BYTES
    for entry in entries:
        size = _TIME_BYTES + sum(len(str(entry[part]).encode()) for part in ("Source", "DetailType", "Detail"))
        if batch and (size > room or len(batch) == limits.BUS_BATCH_ENTRIES):
            yield batch
            batch, room = [], limits.BUS_BATCH_BYTES
        batch.append(entry)
        room -= size
    if batch:
        yield batch
