"""A whole Tidemill in memory with a FIFO lane, driven step by step."""

from __future__ import annotations

from typing import Any

from tests.builders import Greet
from tests.unit.service.conftest import World
from tidemill import JobArgs, JobRegistry, Lane, Retry, job, seconds
from tidemill.domain.context import JobContext
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery
from tidemill.testing.queue import MemoryQueues

LANE = "orders"


class Ship(JobArgs, kind="test.ship"):
    note: str = ""


class OrderedWorld(World):
    """A World whose jobs of kind `test.ship` run in a FIFO lane.

    Attributes:
        saw: (entity, sequence, previous sequence, generation) of every run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.saw: list[tuple[str | None, int | None, int | None, int]] = []
        self.registry = JobRegistry(
            job(Ship, lane=LANE, retry=Retry(max_attempts=3, delays=[seconds(10)]))(self._ship),
            job(Greet)(self._run),
            lanes=(Lane("default"), Lane(LANE, fifo=True)),
        )
        self.lanes = tuple(self.registry.lanes)
        self.queues = MemoryQueues(self.clock, self.lanes, fifo={LANE})
        self.build(self.store, self.queues)

    def ship(self, entity: str = "a", **options: Any) -> Job:
        return self.submit(Ship(), entity=entity, **options)

    def step(self) -> list[Delivery]:
        """One invocation with one message, as the event source of a FIFO lane makes it."""
        return self.invoke(LANE, 1)

    def drain(self, most: int = 1_000) -> int:
        """Invocations until nothing is visible; answers how many."""
        for count in range(most):
            if not self.step():
                return count
        raise AssertionError("never empty")

    def finished(self, entity: str) -> int | None:
        """The highest number of those jobs of the entity that succeeded, by the table."""
        done = [number for ref, number in self.numbers(entity) if self.job(ref).state is State.SUCCEEDED]
        return max(done, default=None)

    def numbers(self, entity: str) -> list[tuple[Any, int]]:
        return [
            (envelope.ref, envelope.sequence)
            for envelope in map(decode, map(parse_body, self.sent))
            if envelope.entity == entity and envelope.ref in self.store.jobs
        ]

    @property
    def sent(self) -> list[str]:
        """Every body that is or was in the lane's queues."""
        return list(dict.fromkeys(self._sent))

    def build(self, store: Any, queues: Any, reader: Any = None) -> None:
        self._sent: list[str] = getattr(self, "_sent", [])
        super().build(store, _Noting(queues, self._sent) if LANE in self.lanes else queues, reader)

    def _ship(self, args: Any, ctx: JobContext) -> Any:
        self.saw.append((ctx.entity, ctx.sequence, ctx.previous_sequence, ctx.generation))
        return self._run(args, ctx)


class _Noting:
    """Queues that note what is sent."""

    def __init__(self, queues: Any, sent: list[str]) -> None:
        self._queues = queues
        self._sent = sent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queues, name)

    def send(self, lane: str, sends: Any) -> Any:
        if lane == LANE:
            self._sent += [send.envelope.encode() for send in sends]
        return self._queues.send(lane, sends)
