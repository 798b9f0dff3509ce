"""A lane in memory: submits, workers and waits, without AWS and without waiting."""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

from tidemill import JobClient, JobRegistry, seconds
from tidemill.domain.duration import milliseconds
from tidemill.domain.sizing import size_lane
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.janitor import Janitor
from tidemill.service.submitter import Submitter
from tidemill.testing.clock import FrozenClock
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.store import MemoryStore


class Silent:
    """No metrics and no logs."""

    def count(self, name: str, value: int = 1) -> None:
        """Nothing."""

    def note(self, event: str, **fields: object) -> None:
        """Nothing."""

    alert = note


@dataclass
class MemoryLane:
    """The jobs of `registry` in one lane. `client` submits and looks; `work` and `wait` let things happen."""

    registry: JobRegistry
    lane: str = "default"
    clock: FrozenClock = field(default_factory=FrozenClock)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        """Put the programs together, as a stack does."""
        chance, silent, lanes = Random(1), Silent(), tuple(self.registry.lanes)  # noqa: S311 - chance that repeats
        store = self.store
        queues = self.queues = MemoryQueues(self.clock, lanes)
        submitter = Submitter(self.registry, store, store, queues, self.clock, chance)
        self.client = JobClient(submitter, store, store, self.clock)
        intake = Intake(self.registry, submitter, store, self.lane, self.clock, silent)
        self.worker = Executor(self.registry, store, queues, intake, self.lane, self.clock, chance, silent)
        self.janitor = Janitor(self.registry, store, store, queues, queues, lanes, self.clock, chance, silent)

    def work(self) -> int:
        """One invocation of the worker with what is visible; answers how many messages it was given."""
        deliveries = self.queues.receive(self.lane)
        timeout = size_lane(self.registry.lanes[self.lane], self.registry.in_lane(self.lane)).function_timeout
        batch = self.worker.begin(deliveries, "request", self.clock.now_ms() + milliseconds(timeout))
        for delivery in deliveries:
            batch.perform(delivery.message_id)
        staying = self.worker.finish(batch)
        for delivery in deliveries:
            if delivery.message_id not in staying:
                self.queues.delete(self.lane, delivery.receipt)
        return len(deliveries)

    def wait(self, span: timedelta) -> None:
        """Let time go by, a second at a time: the janitor's minute, and the worker whenever there is work."""
        end = self.clock.now_ms() + milliseconds(span)
        while self.clock.now_ms() < end:
            self.clock.advance(seconds(1))
            if self.clock.now_ms() // 1000 % 60 == 0:
                self.janitor.sweep()
            self.work()
