"""Batches on the testing kit: children that do as they are told, and callbacks that remember what they were told."""

from __future__ import annotations

from typing import Any

import pytest

from tidemill import DEFAULT_LANES, JobArgs, JobContext, JobRegistry, Lane, PermanentError, Retry, job, seconds
from tidemill.batches import BatchEnded, BatchView
from tidemill.domain.batch import BatchRef
from tidemill.testing import Harness


class Work(JobArgs, kind="batch.work"):
    n: int = 0
    text: str = ""


class Ordered(JobArgs, kind="batch.ordered"):
    n: int = 0


class Plain(JobArgs, kind="batch.plain"):
    name: str


class Told(BatchEnded, kind="batch.told"):
    name: str = ""


class Flock:
    """A harness, and what its jobs did.

    Attributes:
        fails: the numbers whose jobs fail for good. `ran`: the numbers that ran, in order.
        told: what callbacks were given, in order.
        does: what a job with this number does beside that.
    """

    def __init__(self, **options: Any) -> None:
        self.fails: set[int] = set()
        self.ran: list[int] = []
        self.told: list[Any] = []
        self.does: dict[int, Any] = {}
        registry = JobRegistry(
            job(Work, retry=Retry(max_attempts=2, delays=[seconds(5)]))(self.work),
            job(Ordered, lane="orders")(self.work),
            job(Plain)(self.hear),
            job(Told)(self.hear),
            lanes=(*DEFAULT_LANES, Lane("orders", fifo=True)),
        )
        self.tide = Harness(registry, **options)
        self.client = self.tide.client

    def work(self, args: Any, ctx: JobContext) -> int:
        self.ran.append(args.n)
        if args.n in self.does:
            self.does[args.n](ctx)
        if args.n in self.fails:
            raise PermanentError("told to fail")
        return args.n * 10

    def hear(self, args: Any, ctx: JobContext) -> None:
        self.told.append(args)

    def run(self, flow: Any, **options: Any) -> BatchView:
        """Start a flow and let everything happen."""
        started = self.client.start(flow, **options)
        self.tide.drain_until_idle(limit=200_000)
        return self.client.batches.get(started.batch_id, started.batch.ref.tenant)

    def view(self, started: Any) -> BatchView:
        return self.client.batches.get(started.batch_id, started.batch.ref.tenant)

    def store_id(self, key: str) -> str:
        """The id of the batch with this key."""
        return BatchRef.keyed("default", key).id

    @property
    def store(self) -> Any:
        return self.tide._stack.batches


@pytest.fixture
def flock() -> Flock:
    return Flock()


def works(*numbers: int) -> list[Work]:
    return [Work(n=n) for n in numbers]
