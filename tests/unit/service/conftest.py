"""A whole Tidemill in memory, driven step by step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.answering import an_answerer
from tests.builders import NOW, Greet, Telemetry
from tests.schedules import schedules_of
from tidemill import JobArgs, JobRegistry, PermanentError, Retry, job, minutes, seconds
from tidemill.domain.context import JobContext
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Send
from tidemill.service.batch import Batch
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.client import JobClient
from tidemill.service.counting import Counting
from tidemill.service.deadletters import DeadLetterDesk, Tools
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.janitor import Janitor
from tidemill.service.listing import Listing
from tidemill.service.releasing import Releaser
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.service.tick_sweep import TickSweep
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.batches import MemoryBatches
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.schedules import MemorySchedules
from tidemill.testing.store import MemoryStore
from tidemill.testing.waits import MemoryWaits

FUNCTION_TIMEOUT = seconds(75)
Behaviour = Callable[[Any, JobContext], Any]


class ReturnOld(JobArgs, kind="test.return"):
    x: int = 0


class RefuseOld(JobArgs, kind="test.refuse"):
    x: int = 0


class Later(JobArgs, kind="test.async"):
    x: int = 0


class Slow(JobArgs, kind="test.slow"):
    x: int = 0


class World:
    """Queues, table, clock and programs of one stack.

    Arguments:
        greeting: options of the definition that most tests use.

    Attributes:
        batch: the last one that was begun.
        does: what the job's function does on each run, in this order; after that it just returns.
        runs: (job id, generation, attempt) of every run.
    """

    def __init__(self, **greeting: Any) -> None:
        self.clock = FrozenClock(NOW)
        self.random = Random(5)  # noqa: S311 - chance that repeats
        self.telemetry = Telemetry()
        self.store = MemoryStore()
        self.trail = MemoryTrail()
        self.memory = MemoryOfJobs(self.store.memories, clock=self.clock)
        self.payloads = MemoryPayloads()
        self.order = MemoryOrder()
        self.waits = MemoryWaits(self.store)
        self.batches = MemoryBatches()
        self.does: list[Behaviour] = []
        self.runs: list[tuple[str, int, int]] = []
        self.registry = JobRegistry(
            job(Greet, **{"retry": Retry(max_attempts=3, delays=[seconds(10)]), **greeting})(self._run),
            job(ReturnOld, on_final="return")(self._run),
            job(RefuseOld, on_final="refuse")(self._run),
            job(Later, lane="critical")(self._run_later),
            job(Slow, lane="bulk", timeout=minutes(10))(self._run),
        )
        self.lanes = tuple(self.registry.lanes)
        self.queues = MemoryQueues(self.clock, self.lanes)
        self.loop = EventLoopThread()
        self.code = ""
        self.invocations = 0
        self.build(self.store, self.queues)

    def build(self, store: Any, queues: Any, reader: Any = None) -> None:
        """Make every program anew on these ports."""
        reader = reader or store
        self.ports = (store, queues, reader)
        ports_of_submits = {"order": self.order, "payloads": self.payloads}
        self.submitter = Submitter(self.registry, store, reader, queues, self.clock, self.random, **ports_of_submits)
        self.rows = getattr(self, "rows", None) or MemorySchedules()
        self.schedules = schedules_of(self.submitter, self.rows, self.trail)
        answerer = an_answerer(
            self.registry, store, queues, self.clock, waits=self.waits, recall=self.memory.look, trail=self.trail
        )
        self.client = JobClient(
            self.submitter,
            store,
            reader,
            self.clock,
            schedules=self.schedules,
            batch_store=self.batches,
            answerer=answerer,
        )
        self.ticks = TickSweep(
            self.registry, self.rows, self.submitter, reader, self.schedules.withdrawing, self.clock, self.telemetry
        )
        self.progress = BatchProgress(self.batches, Releaser(self.batches, self.submitter), self.clock)
        self.batch_watch = BatchWatch(self.batches, reader, self.progress, self.clock, self.telemetry)
        common = (self.lanes, self.clock, self.random)
        tools = Tools(self.registry, self.payloads, self.memory.look, self.trail, lambda: "ada", self.sleep)
        self.desk = DeadLetterDesk(store, reader, queues, queues, *common, tools)
        self.janitor = Janitor(self.registry, store, reader, queues, queues, *common, self.telemetry)
        self.listing = Listing(reader, self.clock, list_index=True)

    def executor(self, lane: str = "default") -> Executor:
        store, queues, reader = self.ports
        intake = Intake(self.registry, self.submitter, store, reader, lane, self.clock, self.telemetry)
        return Executor(self.around(lane), queues, intake, lane, self.random, sleep=self.sleep)

    def around(self, lane: str = "default") -> Surroundings:
        """What the lane's jobs run with, on the ports of now."""
        store, queues, _ = self.ports
        return Surroundings(
            self.registry,
            store,
            self.memory,
            self.payloads,
            self.clock,
            self.telemetry,
            lambda receipt, wait_s: queues.hide(lane, [(receipt, wait_s)]),
            self.loop,
            self.code,
            order=self.order,
            waits=self.waits,
            owed=(Counting(self.progress, self.telemetry),),
        )

    def sleep(self, seconds_: float) -> None:
        self.clock.advance(timedelta(seconds=seconds_))

    # --- what happens ----------------------------------------------------------------------------

    def submit(self, args: JobArgs | None = None, **options: Any) -> Job:
        return self.client.submit(args or Greet(), **options).job

    def begin(
        self, deliveries: list[Delivery], lane: str = "default", within: timedelta = FUNCTION_TIMEOUT
    ) -> tuple[Executor, Batch]:
        self.invocations += 1
        executor = self.executor(lane)
        deadline = self.clock.now_ms() + milliseconds(within)
        self.batch = executor.begin(deliveries, f"request-{self.invocations}", deadline)
        return executor, self.batch

    def work(
        self, deliveries: list[Delivery], lane: str = "default", within: timedelta = FUNCTION_TIMEOUT
    ) -> list[str]:
        """One invocation from begin to finish; answers the messages that stay."""
        executor, batch = self.begin(deliveries, lane, within)
        for message_id in batch.together:
            batch.perform(message_id)
        alone = executor.isolate(batch)
        if alone is not None:
            batch.perform(alone)
        staying = executor.finish(batch)
        self.delete(deliveries, staying, lane)
        return staying

    def delete(self, deliveries: list[Delivery], staying: list[str], lane: str = "default") -> None:
        done = [delivery.receipt for delivery in deliveries if delivery.message_id not in staying]
        self.queues.delete(lane, done)

    def invoke(self, lane: str = "default", limit: int = 10) -> list[Delivery]:
        """What Lambda's poller does: receive, run, delete what was done."""
        deliveries = self.queues.receive(lane, limit)
        if deliveries:
            self.work(deliveries, lane)
        return deliveries

    def crash(self, lane: str = "default") -> None:
        """A worker claims what there is and is never heard of again."""
        self.begin(self.queues.receive(lane), lane)
        self.clock.advance(FUNCTION_TIMEOUT + minutes(1))

    def settle(self, lane: str = "default", patience: int = 120) -> None:
        """Let time go by, with its sweeps and censuses, until every queue is empty."""
        for _ in range(patience):
            self.invoke(lane)
            self.janitor.sweep()
            self.janitor.census()
            self.batch_watch.look()
            if not self.queues.count(lane) and not self.pending():
                return
            self.clock.advance(seconds(30))
        raise AssertionError(f"never quiet: {self.pending()} pending, {self.queues.count(lane)} messages")

    def kill(self, **options: Any) -> Job:
        """Submit a job that dies and bring its message into the DLQ."""
        submitted = self.submit(**options)
        self.does.append(raising(PERMANENT))
        for _ in range(MAX_RECEIVES + 1):
            self.invoke()
        return self.job(submitted.ref)

    def send(self, envelope: Envelope, lane: str = "default") -> None:
        self.queues.send(lane, [Send(envelope)])

    # --- what is to be seen ----------------------------------------------------------------------

    def job(self, ref: JobRef | Job) -> Job:
        return self.store.jobs[ref.ref if isinstance(ref, Job) else ref]

    def state(self, ref: JobRef | Job) -> State:
        return self.job(ref).state

    def pending(self) -> list[Job]:
        return [job for job in self.store.jobs.values() if not job.state.is_final]

    def bodies(self, lane: str = "default") -> list[str]:
        return [message.body for message in self.queues._queues[lane].messages]

    def _run(self, args: Any, ctx: JobContext) -> Any:
        self.runs.append((ctx.job_id, ctx.generation, ctx.attempt))
        behaviour = self.does.pop(0) if self.does else (lambda args, ctx: None)
        return behaviour(args, ctx)

    async def _run_later(self, args: Any, ctx: JobContext) -> Any:
        outcome = self._run(args, ctx)
        return await outcome if hasattr(outcome, "__await__") else outcome


PERMANENT = "permanent"


def raising(error: Any) -> Behaviour:
    """A job that raises `error`; PERMANENT for one that can't succeed."""

    def behaviour(args: Any, ctx: JobContext) -> Any:
        raise PermanentError("no") if error is PERMANENT else error

    return behaviour


def returning(value: Any) -> Behaviour:
    return lambda args, ctx: value


def then(*behaviours: Behaviour) -> Behaviour:
    """A job that does one thing after the other and returns what they returned."""
    return lambda args, ctx: [behaviour(args, ctx) for behaviour in behaviours]


def step(name: str, function: Callable[..., Any], *values: Any, **named: Any) -> Behaviour:
    """A job of one step, or a part of one of several."""
    return lambda args, ctx: ctx.step(name, function, *values, **named)


class Effects:
    """What happened outside, in order. Calling it is an effect that answers its value."""

    def __init__(self) -> None:
        self.done: list[Any] = []

    def __call__(self, value: Any) -> Any:
        self.done.append(value)
        return value


@pytest.fixture
def effects() -> Effects:
    return Effects()


@pytest.fixture
def world() -> World:
    return World()
