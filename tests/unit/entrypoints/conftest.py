"""One worker in this process, with real threads and real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from tests.builders import Greet, Telemetry
from tidemill import JobArgs, JobRegistry, job, seconds
from tidemill.domain import limits
from tidemill.domain.context import JobContext
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery
from tidemill.entrypoints import crew
from tidemill.entrypoints.batch import JobBatchProcessor
from tidemill.entrypoints.crew import ThreadCrew
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.submission import Submission
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.store import MemoryStore
from tidemill.testing.waits import MemoryWaits

CONCURRENCY = 2
# A definition takes whole seconds; a test has less time.
TIMEOUT = seconds(0.6)
GRACE = seconds(0.3)
PLENTY = seconds(5)
RECORDING_MS = int(limits.RECORDING_TIME.total_seconds() * 1000)
Behaviour = Callable[[JobContext], Any]


class Later(JobArgs, kind="test.async"):
    name: str = "ada"


class WallClock:
    """The time of this machine."""

    def now_ms(self) -> int:
        return int(time.time() * 1000)


class Worker:
    """A lane with one worker, whose jobs do what the test says under their names.

    Attributes:
        does: what the job of a name does; one that is not here returns its name.
        let_go: what a job waits for that is to be stuck until the test ends.
        ran, threads: the jobs that were started, and the threads they were started in.
    """

    def __init__(self, *, timeout: timedelta = TIMEOUT, soft: timedelta | None = None) -> None:
        self.let_go = threading.Event()
        self.does: dict[str, Behaviour] = {"stuck": self.wait_in_c}
        self.ran: list[str] = []
        self.threads: list[threading.Thread] = []
        self.clock, self.store, self.telemetry = WallClock(), MemoryStore(), Telemetry()
        self.definitions = [job(Greet)(self._run), job(Later)(self._run_async)]
        for definition in self.definitions:
            object.__setattr__(definition, "timeout", timeout)
            object.__setattr__(definition, "soft_timeout", soft)
        registry = JobRegistry(*self.definitions)
        self.queues = MemoryQueues(self.clock, tuple(registry.lanes))
        random = Random(5)  # noqa: S311 - chance that repeats
        ports = (registry, self.store, self.store, self.queues, self.clock, random)
        self.order, self.payloads, self.memory = MemoryOrder(), MemoryPayloads(), MemoryOfJobs(self.store.memories)
        self.submitter = Submitter(*ports, order=self.order, payloads=self.payloads)
        intake = Intake(registry, self.submitter, self.store, self.store, "default", self.clock, self.telemetry)
        around = Surroundings(
            registry,
            self.store,
            self.memory,
            self.payloads,
            self.clock,
            self.telemetry,
            lambda receipt, wait_s: self.queues.hide("default", [(receipt, wait_s)]),
            EventLoopThread(),
            order=self.order,
            waits=MemoryWaits(self.store),
        )
        self.executor = Executor(around, self.queues, intake, "default", random, sleep=time.sleep)
        self.processor = JobBatchProcessor(self.executor, ThreadCrew(CONCURRENCY, self.clock))

    def submit(self, *jobs: str | JobArgs) -> list[str]:
        """Submit jobs, `def` ones by their names alone; answers their ids."""
        asked = [Submission(Greet(name=one) if isinstance(one, str) else one) for one in jobs]
        return [receipt.job_id for receipt in self.submitter.submit(asked)]

    def invoke(self, left: timedelta = PLENTY) -> list[str]:
        """One invocation that has so much time for its jobs; answers the messages that stay."""
        left_ms = int(left.total_seconds() * 1000) + RECORDING_MS
        context = SimpleNamespace(aws_request_id="request", get_remaining_time_in_millis=lambda: left_ms)
        records = [a_record(delivery) for delivery in self.queues.receive("default", 10)]
        answer = self.processor.run({"Records": records}, context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def record(self, job_id: str) -> Job:
        return next(record for record in self.store.jobs.values() if record.ref.id == job_id)

    def states(self) -> dict[str, State]:
        return {record.ref.id: record.state for record in self.store.jobs.values()}

    def wait_in_c(self, _: JobContext) -> None:
        """A call in C, which no exception reaches."""
        self.let_go.wait(30)

    def join(self) -> None:
        """Let what is stuck go, and wait for its threads."""
        self.let_go.set()
        for thread in self.threads:
            if thread not in self.processor._crew._threads._threads:
                thread.join(5)
                assert not thread.is_alive()

    def _run(self, args: Greet | Later, context: JobContext) -> Any:
        self.ran.append(args.name)
        self.threads.append(threading.current_thread())
        return self.does.get(args.name, lambda _: args.name)(context)

    async def _run_async(self, args: Later, context: JobContext) -> Any:
        self.ran.append(args.name)
        answer = self.does.get(args.name, lambda _: args.name)(context)
        return await answer if hasattr(answer, "__await__") else answer


def a_record(delivery: Delivery) -> dict[str, Any]:
    """The delivery as Lambda hands it over."""
    return {
        "messageId": delivery.message_id,
        "receiptHandle": delivery.receipt,
        "body": delivery.body,
        "attributes": {
            "SentTimestamp": str(delivery.sent_at),
            "ApproximateReceiveCount": str(delivery.receives),
        },
    }


@pytest.fixture
def make_worker(monkeypatch):
    """Makes workers whose stuck jobs end with the test."""
    monkeypatch.setattr(limits, "HARD_GRACE", GRACE)
    monkeypatch.setattr(crew, "LOOK_AGAIN", seconds(0.02))
    made: list[Worker] = []

    def make(**options: Any) -> Worker:
        made.append(Worker(**options))
        return made[-1]

    yield make
    for worker in made:
        worker.let_go.set()


@pytest.fixture
def worker(make_worker):
    return make_worker()
