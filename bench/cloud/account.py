"""One AWS account with what the two handlers need: their tables and queues, behind one wire."""

from __future__ import annotations

from bench.cloud.dynamodb import DynamoDB
from bench.cloud.meter import Meter
from bench.cloud.poller import ACCOUNT, REGION, Poller
from bench.cloud.sqs import Queue, Sqs
from bench.cloud.table import Index, Table
from bench.cloud.wire import Request, Response, Wire

JOBS_TABLE = "TidemillJobs"
LANE = "default"
TEXTBOOK_JOBS_TABLE = "TextbookJobs"
IDEMPOTENCY_TABLE = "TextbookIdempotency"
TEXTBOOK_QUEUE = "textbook"
# As the stack makes them (cdk/tidemill_cdk/table.py).
INDEXES = tuple(Index(name, (f"{name}_pk", f"{name}_sk")) for name in ("list", "attention", "due"))


def queue_url(name: str) -> str:
    """The address of a queue of this account."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{name}"


class Account:
    """Everything is empty at first; `wire.connected()` lets botocore reach it.

    Arguments:
        lane: the name of the lane and of its queue.
    """

    def __init__(self, lane: str = LANE) -> None:
        self.meter = Meter()
        self.jobs = Table(JOBS_TABLE, ("pk", "sk"), self.meter, INDEXES)
        self.textbook_jobs = Table(TEXTBOOK_JOBS_TABLE, ("id",), self.meter)
        self.idempotency = Table(IDEMPOTENCY_TABLE, ("id",), self.meter)
        self.lane = Queue(lane)
        self.textbook_queue = Queue(TEXTBOOK_QUEUE)
        self._dynamodb = DynamoDB((self.jobs, self.textbook_jobs, self.idempotency), self.meter)
        self._sqs = Sqs((self.lane, self.textbook_queue), self.meter)
        self.wire = Wire(self._answer)

    def poller(self, batch_size: int, queue: Queue | None = None) -> Poller:
        """The mapping of a queue, by default of the lane's, to a function."""
        return Poller(queue or self.lane, batch_size, self.meter)

    def _answer(self, request: Request) -> Response:
        service = self._sqs if request.host.startswith("sqs.") else self._dynamodb
        return service.answer(request)
