"""All programs of one stack, put together on the ports in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any, Final

from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.domain.sizing import LaneSizing, size_lane
from tidemill.service.answering import Answerer
from tidemill.service.auditing import Auditor
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.client import JobClient
from tidemill.service.composing import Composer
from tidemill.service.counting import Counting
from tidemill.service.deadletters import DeadLetterDesk, Tools
from tidemill.service.errands import Errands
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.janitor import Janitor
from tidemill.service.leftovers import Leftovers
from tidemill.service.listing import Listing
from tidemill.service.relay import Relay
from tidemill.service.releasing import Releaser
from tidemill.service.reviving import Reviver
from tidemill.service.saga_cancelling import SagaCanceller
from tidemill.service.sagas import SagaDesk
from tidemill.service.schedule_runs import ScheduleRuns
from tidemill.service.schedules import Schedules
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.service.tick_sweep import TickSweep
from tidemill.service.tick_withdrawal import Withdrawing
from tidemill.service.transacting import Commit
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.batches import MemoryBatches
from tidemill.testing.clock import FrozenClock
from tidemill.testing.endpoints import MemoryEndpoints
from tidemill.testing.executions import MemoryMachines, MemoryTokens
from tidemill.testing.faults import Process
from tidemill.testing.inline import InlineInterrupter
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.outbox import MemoryBus, MemoryOutbox
from tidemill.testing.queue import MemoryQueues
from tidemill.testing.schedules import MemorySchedules
from tidemill.testing.store import MemoryStore
from tidemill.testing.subscribing import tell_subscribers
from tidemill.testing.tampering import Tampering
from tidemill.testing.waits import API_URL, MemoryWaits

# Whose facts are published here.
STACK: Final = "testing"
# Verbs that other ports have too: a fault tells them apart.
_OF_SAGAS: Final = {
    "start": "start_saga",
    "look": "look_at_saga",
    "history": "history_of_saga",
    "left": "left_of_saga",
}
_OF_ENDPOINTS: Final = {verb: f"{verb}_endpoint" for verb in ("find", "create", "change", "delete")}


@dataclass
class MemoryStack:
    """One stack's table, queues and programs.

    Arguments:
        registry: the jobs that are run. `random`: the only chance there is.
        tampering: what stands between each kind of process and the ports.
        code: the version of the code, as a deployment would name it.
    """

    registry: JobRegistry
    clock: FrozenClock
    random: Random
    telemetry: Telemetry
    loop: EventLoopThread
    tampering: Callable[[Process], Tampering]
    code: str = ""
    store: MemoryStore = field(default_factory=MemoryStore)
    memory: MemoryOfJobs = field(init=False)
    waits: MemoryWaits = field(init=False)
    payloads: MemoryPayloads = field(default_factory=MemoryPayloads)
    order: MemoryOrder = field(default_factory=MemoryOrder)
    batches: MemoryBatches = field(default_factory=MemoryBatches)
    trail: MemoryTrail = field(default_factory=MemoryTrail)
    schedules: MemorySchedules = field(default_factory=MemorySchedules)
    tokens: MemoryTokens = field(default_factory=MemoryTokens)
    endpoints: MemoryEndpoints = field(default_factory=MemoryEndpoints)
    machines: MemoryMachines = field(init=False)
    outbox: MemoryOutbox = field(init=False)
    bus: MemoryBus = field(init=False)

    def __post_init__(self) -> None:
        self.waits = MemoryWaits(self.store)
        self.outbox = MemoryOutbox(self.store.outbox)
        self.memory = MemoryOfJobs(self.store.memories, clock=self.clock)
        self.lanes = tuple(self.registry.lanes)
        self.sizing = {lane.name: self._size(lane.name) for lane in self.registry.lanes.values()}
        longest = max(sizing.visibility_timeout for sizing in self.sizing.values())
        fifo = [lane.name for lane in self.registry.lanes.values() if lane.fifo]
        self.queues = MemoryQueues(self.clock, self.lanes, visibility=longest, fifo=fifo)
        self.machines = MemoryMachines(self.registry.sagas, self.clock, self.queues.put)
        self.bus = MemoryBus(partial(tell_subscribers, self.registry, self.queues.put))

    def client(self) -> JobClient:
        """Submits and looks after jobs."""
        ports = self.tampering(Process.CLIENT)
        return JobClient(
            self._submitter(ports),
            self._store(ports),
            ports.port(self.store),
            self.clock,
            schedules=self._schedules(ports),
            batch_store=ports.port(self.batches),
            answerer=self._answerer(ports),
            commit=self._commit(ports),
            errands=self._errands(ports) if self.registry.sagas else None,
            endpoints=ports.port(self.endpoints, **_OF_ENDPOINTS),
        )

    def relay(self) -> Relay:
        """Sends what was committed."""
        return self._relay(self.tampering(Process.RELAY), self.telemetry)

    def leftovers(self) -> Leftovers:
        """The janitor's look at the outbox."""
        ports = self.tampering(Process.JANITOR)
        return Leftovers(self._outbox(ports), self._relay(ports, self.telemetry), self.clock, self.telemetry)

    def listing(self) -> Listing:
        """Lists jobs."""
        return Listing(self.tampering(Process.CLIENT).port(self.store), self.clock, list_index=True)

    def desk(self) -> DeadLetterDesk:
        """The DLQ desk."""
        ports = self.tampering(Process.DESK)
        reader, dlqs = ports.port(self.store), ports.port(self.queues, move="dlq_move")
        tools = Tools(
            self.registry,
            ports.port(self.payloads),
            ports.port(self.memory).look,
            self.trail,
            lambda: "tester",
            self._sleep,
        )
        store, queues = self._store(ports), ports.port(self.queues)
        return DeadLetterDesk(store, reader, queues, dlqs, self.lanes, self.clock, self.random, tools)

    def janitor(self) -> Janitor:
        """The minute's duties."""
        ports = self.tampering(Process.JANITOR)
        reader, dlqs = ports.port(self.store), ports.port(self.queues, move="dlq_move")
        return Janitor(
            self.registry,
            self._store(ports),
            reader,
            ports.port(self.queues),
            dlqs,
            self.lanes,
            self.clock,
            self.random,
            self.telemetry,
            self._errands(ports),
            STACK,
        )

    def ticks(self) -> TickSweep:
        """The minute's first duty."""
        ports = self.tampering(Process.JANITOR)
        rows, store = self._rows(ports), ports.port(self.store)
        submitter, withdrawing = self._submitter(ports), self._withdrawing(ports)
        return TickSweep(self.registry, rows, submitter, store, withdrawing, self.clock, self.telemetry)

    def sagas(self) -> SagaDesk:
        """Starts sagas and looks after them."""
        ports = self.tampering(Process.CLIENT)
        store = ports.port(self.store)
        canceller = SagaCanceller(self._store(ports), self._errands(ports), self.clock)
        executions = ports.port(self.machines, **_OF_SAGAS)
        return SagaDesk(self.registry, executions, store, canceller, self.desk(), self.clock, self.random)

    def batch_watch(self) -> BatchWatch:
        """The janitor's look at batches."""
        ports = self.tampering(Process.JANITOR)
        store = ports.port(self.store)
        return BatchWatch(ports.port(self.batches), store, self._progress(ports), self.clock, self.telemetry)

    def worker(self, lane: str) -> Executor:
        """The engine of one lane."""
        ports = self.tampering(Process.WORKER)
        store, reader, queue = self._store(ports), ports.port(self.store), ports.port(self.queues)
        errands = self._errands(ports) if self.registry.sagas else None
        intake = Intake(self.registry, self._submitter(ports), store, reader, lane, self.clock, self.telemetry, errands)
        around = Surroundings(
            self.registry,
            store,
            ports.port(self.memory),
            ports.port(self.payloads),
            self.clock,
            self.telemetry,
            lambda receipt, wait_s: queue.hide(lane, [(receipt, wait_s)]),
            self.loop,
            self.code,
            InlineInterrupter,
            order=ports.port(self.order),
            errands=errands,
            waits=ports.port(self.waits),
            api_url=API_URL,
            owed=(Counting(self._progress(ports), self.telemetry),),
            stack=STACK,
        )
        return Executor(around, queue, intake, lane, self.random, sleep=self._sleep)

    def _outbox(self, ports: Tampering) -> Any:
        return ports.port(self.outbox, find="find_outbound", page="outbox_page")

    def _relay(self, ports: Tampering, telemetry: Telemetry | None) -> Relay:
        return Relay(self._outbox(ports), self.lanes, ports.port(self.bus), self._submitter(ports), telemetry)

    def _commit(self, ports: Tampering) -> Commit | None:
        if not self.registry.has_outbox:
            return None
        composer = Composer(self.registry, ports.port(self.payloads), self.clock, self.random, STACK)
        return Commit(self._outbox(ports), composer, self._relay(ports, None))

    def _schedules(self, ports: Tampering) -> Schedules:
        auditor = Auditor(self.trail, self.clock, self.random, lambda: "tester")
        runs = ScheduleRuns(self._submitter(ports), ports.port(self.store), auditor)
        rows = self._rows(ports)
        return Schedules(self.registry, rows, self._withdrawing(ports), runs, self.clock, lambda: "tester")

    def _rows(self, ports: Tampering) -> Any:
        # The table's verbs are those of jobs: a fault tells the two apart.
        verbs = {"find": "find_schedules", "due": "due_schedules", "move": "move_schedule", "record": "record_schedule"}
        return ports.port(self.schedules, **verbs)

    def _withdrawing(self, ports: Tampering) -> Withdrawing:
        return Withdrawing(self._rows(ports), self._store(ports), ports.port(self.store), self.clock)

    def _store(self, ports: Tampering) -> Any:
        """The jobs table, written: with webhooks, by whoever tells of ends."""
        table = ports.port(self.store)
        if not self.registry.webhooks:
            return table
        from tidemill.service.webhook_notices import NotifyingStore

        reviver = Reviver(table, table, ports.port(self.queues), self.clock, self.random)
        return NotifyingStore(table, self.clock, self.random, reviver.revive)

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    def _errands(self, ports: Tampering) -> Errands:
        store = ports.port(self.store)
        tokens = ports.port(self.tokens, keep="keep_token", find="find_token")
        machines = ports.port(self.machines)
        return Errands(store, ports.port(self.payloads), tokens, machines, self.clock, self.telemetry)

    def _answerer(self, ports: Tampering) -> Answerer:
        store = ports.port(self.store)
        return Answerer(
            self.registry,
            store,
            ports.port(self.waits),
            ports.port(self.memory).look,
            self.trail,
            Reviver(store, store, ports.port(self.queues), self.clock, self.random),
            self.clock,
            self.random,
            lambda: "tester",
        )

    def _progress(self, ports: Tampering) -> BatchProgress:
        batches = ports.port(self.batches)
        return BatchProgress(batches, Releaser(batches, self._submitter(ports)), self.clock)

    def _submitter(self, ports: Tampering) -> Submitter:
        store = ports.port(self.store)
        return Submitter(
            self.registry,
            store,
            store,
            ports.port(self.queues),
            self.clock,
            self.random,
            order=ports.port(self.order),
            payloads=ports.port(self.payloads),
        )

    def _size(self, lane: str) -> LaneSizing:
        return size_lane(self.registry.lanes[lane], self.registry.in_lane(lane))
