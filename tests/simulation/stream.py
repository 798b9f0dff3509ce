"""The jobs table's stream and Lambda's mapping of it to the relay: late, twice, split, trimmed, or not at all."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from tests.simulation.cloud import Item, Key
from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

PARTITION: Final = "#outbox#"
# As the stack makes the mapping (cdk/tidemill_cdk/relay.py), but for the batch.
RELAY_TIMEOUT_MS: Final = 60_000
RETRIES: Final = 5
BATCH: Final = 6
MAX_AGE_MS: Final = 3_600_000
# Shards of the stream: a partition is in one of them, and each has one invocation at a time.
SHARDS: Final = 3
_LATE_MS: Final = (1_000, 20_000, 90_000, 400_000)


@dataclass
class Shard:
    """Records that were not delivered yet, in order. `limit`: of the next batch, after it was split."""

    records: deque[dict[str, Any]] = field(default_factory=deque)
    is_busy: bool = False
    tries: int = 0
    limit: int = BATCH
    late_until: int = 0


class Stream:
    """New rows of the outbox on their way to the relay.

    Attributes:
        is_enabled: whether the mapping is on. `given_up`: how many records it has given up.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._shards = [Shard() for _ in range(SHARDS)]
        self._number = 0
        self.is_enabled = True
        self.given_up = 0
        world.cloud.watch(self._look)

    def trim(self) -> None:
        """What was not delivered is gone."""
        self._world.tell("trimmed", sum(len(shard.records) for shard in self._shards))
        for shard in self._shards:
            if not shard.is_busy:
                shard.records.clear()

    def poke(self) -> None:
        """Deliver what is there."""
        for shard in self._shards:
            self._world.later(self._world.scheduler.now_ms + 1, lambda shard=shard: self._deliver(shard))

    def _look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """The mapping's filter: rows that came, and nothing else."""
        if not key[0].startswith(PARTITION) or before is not None or after is None:
            return
        world = self._world
        self._number += 1
        shard = self._shards[crc32(key[0].encode()) % SHARDS]
        shard.records.append(
            {
                "eventID": f"event-{self._number}",
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "dynamodb": {
                    "Keys": {"pk": {"S": key[0]}, "sk": {"S": key[1]}},
                    "NewImage": dict(after),
                    "SequenceNumber": str(self._number),
                    "ApproximateCreationDateTime": world.scheduler.now_ms / 1_000,
                },
            }
        )
        delay_ms = world.rng.choice((1, 5, 200, 700))
        if world.faults.strikes(Fault.STREAM_LATE):
            world.strike(Fault.STREAM_LATE)
            delay_ms = world.rng.choice(_LATE_MS)
            shard.late_until = world.scheduler.now_ms + delay_ms
        if world.faults.strikes(Fault.STREAM_TRIMMED):
            world.strike(Fault.STREAM_TRIMMED)
            self.trim()
        world.later(world.scheduler.now_ms + delay_ms, lambda: self._deliver(shard))

    def _deliver(self, shard: Shard) -> None:
        world = self._world
        if shard.is_busy or not shard.records or not self.is_enabled:
            return
        if shard.late_until > world.scheduler.now_ms:
            world.later(shard.late_until, lambda: self._deliver(shard))
            return
        count = min(len(shard.records), world.rng.randint(1, shard.limit))
        batch = [shard.records[place] for place in range(count)]
        shard.is_busy = True
        world.tell("stream", [record["dynamodb"]["SequenceNumber"] for record in batch])
        world.functions.invoke(
            "relay", "", {"Records": batch}, RELAY_TIMEOUT_MS, lambda answer: self._settle(shard, batch, answer)
        )

    def _settle(self, shard: Shard, batch: list[dict[str, Any]], answer: Any) -> None:
        """What Lambda does with the answer: it goes on from the first record that failed."""
        world = self._world
        shard.is_busy = False
        done = self._done(batch, answer)
        if done and world.faults.strikes(Fault.STREAM_TWICE):
            # Its checkpoint was lost: the same records come again.
            world.strike(Fault.STREAM_TWICE)
            done = 0
        for _ in range(done):
            shard.records.popleft()
        if done:
            shard.tries, shard.limit = 0, BATCH
        else:
            self._fail(shard, batch)
        world.later(world.scheduler.now_ms + world.rng.choice((1, 100, 2_000)), lambda: self._deliver(shard))

    def _done(self, batch: list[dict[str, Any]], answer: Any) -> int:
        if answer is None:
            return 0
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        numbers = [record["dynamodb"]["SequenceNumber"] for record in batch]
        return next((place for place, number in enumerate(numbers) if number in failed), len(batch))

    def _fail(self, shard: Shard, batch: list[dict[str, Any]]) -> None:
        shard.tries += 1
        if len(batch) > 1:
            shard.limit = len(batch) // 2
        age_ms = self._world.scheduler.now_ms - batch[0]["dynamodb"]["ApproximateCreationDateTime"] * 1_000
        if shard.tries > RETRIES or age_ms > MAX_AGE_MS:
            self._world.tell("given up", len(batch))
            self.given_up += len(batch)
            for _ in batch:
                shard.records.popleft()
            shard.tries, shard.limit = 0, BATCH
