"""One AWS account in memory: tables, queues and buckets, for `Account.call` and for botocore's connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.cloud.bus import EventBridge
from bench.cloud.choices import Choices
from bench.cloud.dynamodb import DynamoDB
from bench.cloud.fifo import FifoQueue
from bench.cloud.ids import random_ids, wall_clock_ms
from bench.cloud.indexes import Index
from bench.cloud.meter import Meter
from bench.cloud.poller import ACCOUNT, REGION, Poller
from bench.cloud.protocol import answer_over
from bench.cloud.queue import Queue, QueueDefinition
from bench.cloud.refused import Refused
from bench.cloud.s3 import S3, Bucket, BucketDefinition
from bench.cloud.sqs import Sqs
from bench.cloud.table import Table
from bench.cloud.wire import Wire

JOBS_TABLE = "TidemillJobs"
EVENTS_TABLE = "events"
LINES_TABLE = "lines"
LANE = "default"
TEXTBOOK_JOBS_TABLE = "TextbookJobs"
IDEMPOTENCY_TABLE = "TextbookIdempotency"
TEXTBOOK_QUEUE = "textbook"
BUS = "TidemillBus"
# As the stack makes them (cdk/tidemill_cdk/table.py).
INDEXES = tuple(Index(name, (f"{name}_pk", f"{name}_sk")) for name in ("list", "attention", "due"))

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """How a table is set up.

    Arguments:
        keys: the partition key, and the sort key if there is one. `numeric`: those that are numbers.
        ttl: the attribute of the time to live.
    """

    name: str
    keys: tuple[str, ...] = ("pk", "sk")
    indexes: tuple[Index, ...] = ()
    numeric: tuple[str, ...] = ()
    ttl: str = "ttl"


def jobs_table(name: str = JOBS_TABLE) -> TableDefinition:
    """The jobs table with its three indexes."""
    return TableDefinition(name, ("pk", "sk"), INDEXES)


def events_table(name: str = EVENTS_TABLE) -> TableDefinition:
    """The events table with its index of streams."""
    return TableDefinition(name, ("pk", "sk"), (Index("streams", ("streams_pk", "streams_sk")),))


def lines_table(name: str = LINES_TABLE) -> TableDefinition:
    """The table of read models with its two indexes."""
    halted = Index("halted", ("halted_pk", "halted_sk"))
    return TableDefinition(name, ("pk", "sk"), (Index("groups", ("groups_pk", "groups_sk"), whole=True), halted))


def queue_url(name: str) -> str:
    """The address of a queue of this account."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


def queue_arn(name: str) -> str:
    """The ARN of a queue of this account."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


class Account:
    """Everything is empty at first. Not for threads, but for those that come through `wire`.

    Arguments:
        now_ms: AWS's clock, Unix milliseconds.
        new_id: where message ids and request ids come from.

    Attributes:
        choices: what AWS leaves open (see `Choices`).
        meter: what was consumed.
        wire: `wire.connected()` lets every client of botocore reach this account.
    """

    def __init__(
        self,
        *,
        tables: Sequence[TableDefinition] = (),
        queues: Sequence[QueueDefinition] = (),
        buckets: Sequence[BucketDefinition] = (),
        buses: Sequence[str] = (),
        now_ms: Callable[[], int] = wall_clock_ms,
        new_id: Callable[[], str] = random_ids,
    ) -> None:
        self.meter = Meter()
        self.choices = Choices()
        self.tables = {
            one.name: Table(one.name, one.keys, self.meter, one.indexes, numeric=one.numeric, ttl=one.ttl)
            for one in tables
        }
        self.queues = _queues(queues, now_ms, new_id, self.choices)
        self.buckets = {one.name: Bucket(one) for one in buckets}
        self.new_id = new_id
        self._sqs = Sqs(tuple(self.queues.values()), self.meter, now_ms, new_id, self.choices)
        self.bus = EventBridge(buses, new_id, self.choices)
        self._operations: Mapping[str, Mapping[str, Callable[[Document], Document]]] = {
            "dynamodb": DynamoDB(tuple(self.tables.values()), now_ms, self.choices).operations,
            "events": self.bus.operations,
            "s3": S3(tuple(self.buckets.values()), now_ms).operations,
            "sqs": self._sqs.operations,
        }
        self.wire = Wire(answer_over(self.perform, new_id))

    def call(self, service: str, operation: str, arguments: Document) -> Document:
        """Do what `client.<operation>(**arguments)` does, with the same answer.

        Arguments:
            service: `dynamodb`, `sqs`, `s3` or `events`. `operation`: in CamelCase.
            arguments: as botocore's `_make_api_call` gets them; they are neither kept nor changed. Their shape is
                not checked: see `bench.cloud.shapes.check_shape`.

        Raises:
            ClientError: AWS refuses.
            NotImplementedError: this fake does not know the operation.
        """
        try:
            answer = self.perform(service, operation, arguments)
        except Refused as refused:
            raise refused.error(operation, self.new_id()) from None
        answer["ResponseMetadata"] = {
            "RequestId": self.new_id(),
            "HTTPStatusCode": 200,
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        }
        return answer

    def perform(self, service: str, operation: str, arguments: Document) -> Document:
        """`call` without botocore's clothes.

        Raises:
            Refused: AWS refuses.
            NotImplementedError: this fake does not know the operation.
        """
        do = self._operations.get(service, {}).get(operation)
        if do is None:
            raise NotImplementedError(f"{service} {operation}. Fix: teach it to bench/cloud")
        self.meter.calls[operation] += 1
        answer: Document = {}
        try:
            answer = do(arguments)
        finally:
            if service == "sqs":
                self._sqs.bill(operation, arguments, answer)
        return answer

    def poller(self, batch_size: int, queue: Queue) -> Poller:
        """The mapping of a queue to a function."""
        return Poller(queue, batch_size, self.meter)


class BenchAccount(Account):
    """What the bench's two handlers need: their tables and queues.

    Arguments:
        lane: the name of the lane and of its queue.
    """

    def __init__(self, lane: str = LANE) -> None:
        super().__init__(
            buses=(BUS,),
            tables=(
                jobs_table(),
                TableDefinition(TEXTBOOK_JOBS_TABLE, ("id",)),
                TableDefinition(IDEMPOTENCY_TABLE, ("id",)),
            ),
            queues=(*_with_dlq(lane), *_with_dlq(TEXTBOOK_QUEUE)),
        )
        self.jobs = self.tables[JOBS_TABLE]
        self.lane = self.queues[lane]
        self.textbook_queue = self.queues[TEXTBOOK_QUEUE]

    def poller(self, batch_size: int, queue: Queue | None = None) -> Poller:
        """The mapping of a queue, by default of the lane's, to a function."""
        return super().poller(batch_size, queue or self.lane)


def _with_dlq(name: str) -> tuple[QueueDefinition, QueueDefinition]:
    dlq = f"{name}-dlq"
    return QueueDefinition(name, visibility_s=465, max_receives=5, dlq=dlq), QueueDefinition(dlq)


def _queues(
    definitions: Sequence[QueueDefinition], now_ms: Callable[[], int], new_id: Callable[[], str], choices: Choices
) -> dict[str, Queue]:
    queues: dict[str, Queue] = {}
    for one in definitions:
        queue = (FifoQueue if one.fifo else Queue)(one, now_ms, new_id, choices)
        queue.arn, queue.url = queue_arn(one.name), queue_url(one.name)
        queues[one.name] = queue
    for queue in queues.values():
        if queue.definition.dlq is not None:
            queue.dlq = queues[queue.definition.dlq]
    return queues
