"""Counting write units: against the reference store, whose every write is known."""

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from examples.demo.units import Refusal, count_units
from jobs import registry
from jobs.ping import Ping
from tidemill import Submission
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Answer, Refused
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.store import MemoryStore
from tidemill.testing.waits import MemoryWaits


@dataclass
class Counted(MemoryStore):
    """Counts every write it is asked for, refused ones too."""

    writes: int = 0

    def insert(self, jobs):
        self.writes += len(jobs)
        return super().insert(jobs)

    def claim(self, claims):
        self.writes += len(claims)
        return super().claim(claims)

    def conclude(self, conclusions):
        self.writes += len(conclusions)
        return super().conclude(conclusions)


@dataclass
class Wire:
    """A queue that hands each message straight to `deliver`, or keeps it."""

    deliver: object = None
    bodies: list = field(default_factory=list)

    def send(self, lane, sends):
        self.bodies += [send.envelope.encode() for send in sends]
        if self.deliver:
            self.deliver(self.bodies[-len(sends) :])
        return [None] * len(sends)

    def hide(self, lane, holds):
        pass


class Ear:
    """Telemetry that remembers refused claims."""

    def __init__(self):
        self.refusals = []

    def count(self, name, value=1):
        pass

    def note(self, event, **fields):
        if event == "not_claimed":
            self.refusals.append(Refusal(fields["cause"]))

    alert = note


class Machine:
    def __init__(self):
        self.random = Random(1)  # noqa: S311 - ids that a test can repeat
        self.clock, self.store, self.wire, self.ear = FrozenClock(), Counted(), Wire(), Ear()
        ports = (registry, self.store, self.store, self.wire, self.clock, self.random)
        self.submitter = Submitter(*ports, order=MemoryOrder(), payloads=MemoryPayloads())
        intake = Intake(registry, self.submitter, self.store, self.store, "default", self.clock, self.ear)
        around = Surroundings(
            registry,
            self.store,
            MemoryOfJobs(),
            MemoryPayloads(),
            self.clock,
            self.ear,
            lambda receipt, wait_s: None,
            EventLoopThread(),
            order=MemoryOrder(),
            waits=MemoryWaits(MemoryStore()),
        )
        self.executor = Executor(around, self.wire, intake, "default", self.random, sleep=lambda _: None)

    def work(self, bodies):
        deliveries = [Delivery(f"m{i}", f"r{i}", body, self.clock.now_ms(), 1) for i, body in enumerate(bodies)]
        batch = self.executor.begin(deliveries, "request", self.clock.now_ms() + 75_000)
        for delivery in deliveries:
            batch.perform(delivery.message_id)
        self.executor.finish(batch)

    def submit(self, count):
        return self.submitter.submit([Submission(Ping(message=str(number))) for number in range(count)])

    def counted(self, receipts):
        return count_units(list(self.store.jobs.values()), receipts, self.ear.refusals, list_index=True)


@pytest.fixture
def machine():
    return Machine()


def test_a_job_whose_record_was_there_first_costs_three_and_its_listing(machine):
    receipts = machine.submit(4)
    machine.work(machine.wire.bodies)

    counted = machine.counted(receipts)

    assert (machine.store.writes, counted.mean, counted.problem) == (4 * 3, 4.0, "")


def test_a_worker_that_is_faster_than_the_record_costs_one_more(machine):
    machine.wire.deliver = machine.work
    receipts = machine.submit(4)

    counted = machine.counted(receipts)

    assert (machine.store.writes, counted.overtaken) == (4 * 4, 4)
    assert counted.mean == 5.0


def test_a_second_delivery_costs_one_more(machine):
    receipts = machine.submit(2)
    machine.work(machine.wire.bodies)
    machine.work(machine.wire.bodies[:1])

    counted = machine.counted(receipts)

    assert machine.store.writes == 2 * 3 + 1
    assert counted.mean == 4 + 1 / 2


def test_a_lost_insert_costs_two_more(machine, monkeypatch):
    """The worker finds no record, then the submitter's comes in between."""
    claim = machine.store.claim

    def claim_too_early(claims):
        monkeypatch.setattr(machine.store, "claim", claim)
        answers: list[Answer] = [Refused(None) for _ in claims]
        machine.store.writes += len(claims)
        return answers

    receipts = machine.submit(1)
    monkeypatch.setattr(machine.store, "claim", claim_too_early)
    machine.work(machine.wire.bodies)
    machine.work(machine.wire.bodies)

    counted = machine.counted(receipts)

    assert machine.store.writes == 5
    assert counted.mean == 6.0


def test_a_job_that_took_more_than_its_three_writes_is_a_problem():
    job = Job(
        ref=None, kind="", lane="", state=State.SUCCEEDED, fingerprint="", created_at=0, claimable_at=None, ttl_s=0,
        fence=1, concluded=1,
    )  # fmt: skip

    assert count_units([job], [], [], list_index=False).problem == ""
    assert count_units([replace(job, fence=2)], [], [], list_index=False).problem != ""
    assert count_units([], [], [], list_index=False).problem != ""
    assert count_units([job], [], [Refusal("job_running")] * 3, list_index=False).problem != ""
