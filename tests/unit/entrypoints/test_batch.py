"""The worker's batch on Powertools: what is recorded when a job does not end."""

from __future__ import annotations

import threading
from random import Random
from types import SimpleNamespace

import pytest

from tests.builders import NOW, Greet, Telemetry
from tidemill import JobRegistry, job, seconds
from tidemill.domain import limits
from tidemill.domain.lifecycle import State
from tidemill.entrypoints.batch import JobBatchProcessor
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.submission import Submission
from tidemill.service.submitter import Submitter
from tidemill.testing.clock import FrozenClock
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.store import MemoryStore

CONCURRENCY = 2


class Stuck:
    """A worker whose jobs named `stuck` wait until the test lets them go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.ran: list[str] = []
        self.clock, self.store, self.telemetry = FrozenClock(NOW), MemoryStore(), Telemetry()
        registry = JobRegistry(job(Greet, timeout=seconds(1))(self._run))
        self.queues = MemoryQueues(self.clock, tuple(registry.lanes))
        random = Random(5)  # noqa: S311 - chance that repeats
        self.submitter = Submitter(registry, self.store, self.store, self.queues, self.clock, random)
        intake = Intake(registry, self.submitter, self.store, "default", self.clock, self.telemetry)
        self.executor = Executor(
            registry, self.store, self.queues, intake, "default", self.clock, random, self.telemetry
        )
        self.processor = JobBatchProcessor(self.executor, CONCURRENCY)

    def submit(self, *names: str) -> list[str]:
        receipts = self.submitter.submit([Submission(Greet(name=name)) for name in names])
        return [receipt.job_id for receipt in receipts]

    def invoke(self) -> list[str]:
        """One invocation that has just over the time for recording left; answers the messages that stay."""
        left_ms = int(limits.RECORDING_TIME.total_seconds() * 1000) + 1_500
        context = SimpleNamespace(aws_request_id="request", get_remaining_time_in_millis=lambda: left_ms)
        records = [
            {
                "messageId": delivery.message_id,
                "receiptHandle": delivery.receipt,
                "body": delivery.body,
                "attributes": {
                    "SentTimestamp": str(delivery.sent_at),
                    "ApproximateReceiveCount": str(delivery.receives),
                },
            }
            for delivery in self.queues.receive("default", 10)
        ]
        answer = self.processor.run({"Records": records}, context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def states(self) -> dict[str, State]:
        return {record.ref.id: record.state for record in self.store.jobs.values()}

    def _run(self, args: Greet, _context: object) -> None:
        self.ran.append(args.name)
        if args.name == "stuck":
            self.let_go.wait(30)


@pytest.fixture
def world():
    world = Stuck()
    yield world
    world.let_go.set()


def test_a_job_that_never_ends_costs_its_neighbours_nothing(world):
    first, stuck, last = world.submit("eve", "stuck", "bob")

    staying = world.invoke()

    assert world.states() == {first: State.SUCCEEDED, stuck: State.RUNNING, last: State.SUCCEEDED}
    assert len(staying) == 1
    assert world.telemetry.counts["JobsSucceeded"] == 2


def test_jobs_that_were_not_started_are_given_back_untouched(world):
    stuck_one, stuck_two, waiting = world.submit("stuck", "stuck", "eve")

    staying = world.invoke()

    assert len(staying) == 3
    assert world.states() == {stuck_one: State.RUNNING, stuck_two: State.RUNNING, waiting: State.RETRYING}
    (record,) = (found for found in world.store.jobs.values() if found.ref.id == waiting)
    assert (record.attempt, record.deferrals, record.crashes) == (0, 1, 0)
    assert "eve" not in world.ran


def test_the_next_batch_has_threads_of_its_own(world):
    world.submit("stuck", "stuck", "eve")
    world.invoke()
    first, second = world.submit("ada", "bob")

    world.invoke()

    assert (world.states()[first], world.states()[second]) == (State.SUCCEEDED, State.SUCCEEDED)


def test_a_result_that_comes_after_its_batch_is_not_recorded(world):
    _, stuck = world.submit("eve", "stuck")
    world.invoke()

    world.let_go.set()

    assert world.states()[stuck] is State.RUNNING
