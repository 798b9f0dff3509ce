"""The account that the simulated stack runs in: one table, one bucket, and for each lane a queue and its DLQ.

The only module that knows how the account in memory is made inside; everything else asks this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any, Final, TypeAlias

from bench.cloud.account import Account, jobs_table, queue_arn, queue_url
from bench.cloud.ids import numbered_ids
from bench.cloud.queue import Message, Queue, QueueDefinition
from bench.cloud.s3 import BucketDefinition, LifecycleRule, Stored
from tidemill.aws.payloads import LIFE_TAG
from tidemill.domain import limits
from tidemill.domain.lane import FIFO_SUFFIX, Lane
from tidemill.domain.registry import JobRegistry
from tidemill.domain.sizing import LaneSizing, size_lane
from tidemill.settings import LaneSettings, RuntimeSettings

STACK: Final = "Sim"
TABLE: Final = "Sim-jobs"
BUCKET: Final = "sim-payloads"
BUS: Final = "Sim"

# As the stack makes them (cdk/tidemill_cdk/bucket.py).
_RULES: Final = (
    LifecycleRule(limits.PAYLOAD_LIFE.days),
    *(LifecycleRule(life.days, tag=(LIFE_TAG, str(life.days))) for life in limits.RESULT_LIVES),
)

Item: TypeAlias = Mapping[str, Any]
Key: TypeAlias = tuple[str, ...]
# Told of every change of an item: its key, and what it was and is.
Watcher: TypeAlias = Callable[[Key, Item | None, Item | None], None]

__all__ = (
    "BUCKET",
    "BUS",
    "STACK",
    "TABLE",
    "Cloud",
    "Item",
    "Key",
    "Message",
    "dlq_of",
    "machine_arn",
    "queue_of",
    "queue_url",
    "settings",
)


def queue_of(lane: Lane) -> str:
    """The name of a lane's queue."""
    return f"{lane.name}{FIFO_SUFFIX if lane.fifo else ''}"


def dlq_of(lane: Lane) -> str:
    """The name of its DLQ."""
    return f"{lane.name}-dlq{FIFO_SUFFIX if lane.fifo else ''}"


def machine_arn(saga: str) -> str:
    """The ARN of a saga's state machine."""
    return f"arn:aws:states:us-east-1:111122223333:stateMachine:{saga}"


def settings(registry: JobRegistry, lane: str = "", code_version: str = "") -> RuntimeSettings:
    """The env contract of the stack, as one of its functions finds it."""
    lanes = {
        name: LaneSettings(queue_url=queue_url(queue_of(one)), dlq_url=queue_url(dlq_of(one)))
        for name, one in registry.lanes.items()
    }
    return RuntimeSettings(
        stack=STACK,
        table=TABLE,
        lanes=lanes,
        payload_bucket=BUCKET,
        lane=lane,
        code_version=code_version,
        sagas={name: machine_arn(name) for name in registry.sagas},
        outbox=registry.has_outbox,
        bus=BUS if registry.events else "",
    )


class Cloud:
    """One account.

    Arguments:
        now_ms: AWS's own clock, which is always right.
        registry: the jobs, from which the infrastructure of each lane follows.
        watch: is told of every change in the table, while it happens.
    """

    def __init__(self, now_ms: Callable[[], int], registry: JobRegistry, watch: Watcher) -> None:
        self._now_ms = now_ms
        self._lanes = registry.lanes
        sizes = {name: size_lane(lane, registry.in_lane(name)) for name, lane in registry.lanes.items()}
        queues = [queue for name, size in sizes.items() for queue in _pair(registry.lanes[name], size)]
        self._account = Account(
            tables=[jobs_table(TABLE)],
            queues=queues,
            buckets=[BucketDefinition(BUCKET, _RULES)],
            buses=[BUS],
            now_ms=now_ms,
            new_id=numbered_ids(),
        )
        # Services that only some worlds have, by name.
        self.others: dict[str, Callable[[str, dict[str, Any]], dict[str, Any]]] = {}
        self._table = self._account.tables[TABLE]
        self._table.watchers.append(lambda _, key, before, after: watch(key, before, after))

    def watch(self, watcher: Watcher) -> None:
        """Tell one more of every change in the table."""
        self._table.watchers.append(lambda _, key, before, after: watcher(key, before, after))

    def call(self, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out one operation at once, without a fault."""
        if service in self.others:
            return self.others[service](operation, dict(arguments))
        return self._account.call(service, operation, dict(arguments))

    @contextmanager
    def refusing(self, refusal: Callable[[str, int], str | None]) -> Iterator[None]:
        """Let entries of a batch fail, under HTTP 200: `refusal` is asked with the operation and the entry's number."""
        self._account.choices.refuse_entry = refusal
        try:
            yield
        finally:
            self._account.choices.refuse_entry = None

    def lag(self, lag_ms: Callable[[], int] | None) -> None:
        """Let the indexes lag behind: `lag_ms` is asked for each change."""
        self._account.choices.index_lag_ms = None if lag_ms is None else lambda _: lag_ms()

    def mix(self, rng: Random | None) -> None:
        """Let the standard queues keep no order at all."""
        self._account.choices.order = None if rng is None else lambda messages: rng.sample(messages, len(messages))

    def take_old_receipts(self, does: Callable[[], bool] | None) -> None:
        """Let the standard queues take a receipt that is not a message's last."""
        self._account.choices.old_receipt_works = does

    # --- the table --------------------------------------------------------------------------------

    @property
    def items(self) -> Mapping[Key, Item]:
        """The jobs table. Items are replaced when they change, never changed."""
        return self._table.items

    def records(self) -> dict[str, Item]:
        """The STATE items, by `tenant#id`."""
        return {key[0]: item for key, item in self._table.items.items() if key[1] == "STATE"}

    def forget_old_items(self) -> int:
        """What DynamoDB's time to live does, sometime; answers how many items are gone."""
        return self._table.expire(self._now_ms() // 1_000)

    # --- the bucket -------------------------------------------------------------------------------

    @property
    def objects(self) -> Mapping[str, Stored]:
        """What the payload bucket holds, by key."""
        return self._account.buckets[BUCKET].objects

    def take_away(self, key: str) -> None:
        """Somebody deletes an object."""
        del self._account.buckets[BUCKET].objects[key]

    def overwrite(self, key: str, data: bytes) -> None:
        """Somebody puts other bytes in the place of an object's."""
        objects = self._account.buckets[BUCKET].objects
        objects[key] = replace(objects[key], data=data)

    # --- the bus ----------------------------------------------------------------------------------

    @property
    def published(self) -> list[dict[str, Any]]:
        """What the bus took, in order."""
        return self._account.bus.published[BUS]

    # --- the queues -------------------------------------------------------------------------------

    def waiting(self, lane: str | None = None) -> list[Message]:
        """What a lane's queue holds, hidden or not; of all lanes if none is named."""
        names = self._lanes if lane is None else (lane,)
        return [message for name in names for message in self._held(queue_of(self._lanes[name]))]

    def buried(self, lane: str | None = None) -> list[Message]:
        """What a lane's DLQ holds, hidden or not; of all lanes if none is named."""
        names = self._lanes if lane is None else (lane,)
        return [message for name in names for message in self._held(dlq_of(self._lanes[name]))]

    def visible_at(self, lane: str) -> int | None:
        """When the next message of a lane's queue can be received."""
        return self._queue(lane).visible_at()

    def receive(self, lane: str, most: int) -> list[dict[str, Any]]:
        """Lambda's poller receives."""
        answer = self.call(
            "sqs",
            "ReceiveMessage",
            {"QueueUrl": self._queue(lane).url, "MaxNumberOfMessages": most, "MessageSystemAttributeNames": ["All"]},
        )
        return answer.get("Messages", [])

    def delete(self, lane: str, receipts: list[str]) -> None:
        """Lambda's poller deletes what its function dealt with."""
        entries = [{"Id": str(i), "ReceiptHandle": receipt} for i, receipt in enumerate(receipts)]
        self.call("sqs", "DeleteMessageBatch", {"QueueUrl": self._queue(lane).url, "Entries": entries})

    def show(self, lane: str, message_id: str) -> None:
        """Let a message that was handed out be handed out once more."""
        message = self._queue(lane).messages.get(message_id)
        if message is not None:
            message.visible_ms = self._now_ms()

    def bring_back(self, lane: str, message: Message) -> None:
        """Let a message that was deleted come again: a server of SQS missed the deletion."""
        message.visible_ms = self._now_ms()
        self._queue(lane).messages.setdefault(message.id, message)

    def move_back(self, lane: str) -> None:
        """The console's redrive: everything in the DLQ goes back to its source, under new ids."""
        self.call("sqs", "StartMessageMoveTask", {"SourceArn": queue_arn(dlq_of(self._lanes[lane]))})

    def arn_of(self, lane: str) -> str:
        """The ARN of a lane's queue."""
        return self._queue(lane).arn

    def _queue(self, lane: str) -> Queue:
        return self._account.queues[queue_of(self._lanes[lane])]

    def _held(self, queue: str) -> list[Message]:
        held = self._account.queues[queue]
        held.forget_old()
        return list(held.messages.values())


def _pair(lane: Lane, size: LaneSizing) -> tuple[QueueDefinition, QueueDefinition]:
    queue = QueueDefinition(
        queue_of(lane),
        fifo=lane.fifo,
        visibility_s=int(size.visibility_timeout.total_seconds()),
        max_receives=size.max_receives,
        dlq=dlq_of(lane),
        retention_s=int(size.retention.total_seconds()),
    )
    return queue, QueueDefinition(dlq_of(lane), fifo=lane.fifo, retention_s=int(size.dlq_retention.total_seconds()))
