"""The composition root: from the env contract to a working program, once per container.

What a worker never asks for is imported where it is built, because every import is paid at each cold start.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import SystemRandom
from typing import TYPE_CHECKING

from tidemill.aws.clients import Clients
from tidemill.domain.errors import InputError
from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.event_program import EventProgram
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.counting import Counting
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.releasing import Releaser
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.settings import RuntimeSettings

if TYPE_CHECKING:
    from tidemill.domain.ports.webhooks import WebhookSender
    from tidemill.service.answering import Answerer
    from tidemill.service.batch_watch import BatchWatch
    from tidemill.service.cancelling import CancelDesk
    from tidemill.service.client import JobClient
    from tidemill.service.deadletters import DeadLetterDesk
    from tidemill.service.errands import Errands
    from tidemill.service.janitor import Janitor
    from tidemill.service.leftovers import Leftovers
    from tidemill.service.listing import Listing
    from tidemill.service.operating import Operator
    from tidemill.service.relay import Relay
    from tidemill.service.sagas import SagaDesk
    from tidemill.service.schedules import Schedules
    from tidemill.service.tick_sweep import TickSweep
    from tidemill.service.tick_withdrawal import Withdrawing
    from tidemill.service.transacting import Commit


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class Program(EventProgram):
    """Everything one process needs, built when first asked for."""

    @classmethod
    def from_env(cls, registry: JobRegistry, environ: Mapping[str, str] | None = None) -> Program:
        """Build from the env contract.

        Raises:
            SettingsError: a variable is missing or ill-formed.
        """
        settings = RuntimeSettings.from_env(os.environ if environ is None else environ)
        return cls(registry, settings, Clients(), SystemClock(), SystemRandom())

    @cached_property
    def submitter(self) -> Submitter:
        """Accepts jobs."""
        ports = (self.registry, self.store, self.reader, self.queue, self.clock, self.random)
        return Submitter(*ports, payloads=self.payloads, order=self.order)

    @cached_property
    def client(self) -> JobClient:
        """Submits and looks after jobs."""
        from tidemill.service.client import JobClient

        return JobClient(
            self.submitter,
            self.store,
            self.reader,
            self.clock,
            schedules=self.schedules,
            batch_store=self.batches,
            answerer=self.answerer,
            commit=self._commit,
            errands=self.errands(None),
            endpoints=self.endpoints,
        )

    @property
    def _commit(self) -> Commit | None:
        if not self._has_outbox:
            return None
        from tidemill.service.composing import Composer
        from tidemill.service.transacting import Commit

        composer = Composer(self.registry, self.payloads, self.clock, self.random, self.settings.stack)
        return Commit(self.outbox, composer, self.relay(None))

    @property
    def _has_outbox(self) -> bool:
        # The command line knows the stack, and no registry.
        return self.registry.has_outbox or self.settings.outbox

    def relay(self, telemetry: Telemetry | None) -> Relay:
        """Sends what was committed."""
        from tidemill.service.relay import Relay

        return Relay(self.outbox, self._lanes, self.bus, self.submitter, telemetry)

    def leftovers(self, telemetry: Telemetry) -> Leftovers | None:
        """The janitor's look at the outbox, where the program has one."""
        if not self._has_outbox:
            return None
        from tidemill.service.leftovers import Leftovers

        return Leftovers(self.outbox, self.relay(telemetry), self.clock, telemetry)

    @cached_property
    def schedules(self) -> Schedules:
        """Makes and changes schedules."""
        from tidemill.aws.actor import AwsActor
        from tidemill.service.auditing import Auditor
        from tidemill.service.schedule_runs import ScheduleRuns
        from tidemill.service.schedules import Schedules

        actor = AwsActor(self.clients)
        auditor = Auditor(self.audit, self.clock, self.random, actor)
        runs = ScheduleRuns(self.submitter, self.reader, auditor)
        return Schedules(self.registry, self.schedule_rows, self._withdrawing, runs, self.clock, actor)

    @cached_property
    def answerer(self) -> Answerer:
        """Gives answers to jobs."""
        from tidemill.aws.actor import AwsActor
        from tidemill.service.answering import Answerer
        from tidemill.service.reviving import Reviver

        return Answerer(
            self.registry,
            self.reader,
            self.waits,
            self.memory.look,
            self.audit,
            Reviver(self.store, self.reader, self.queue, self.clock, self.random),
            self.clock,
            self.random,
            AwsActor(self.clients),
        )

    @cached_property
    def listing(self) -> Listing:
        """Lists jobs."""
        from tidemill.service.listing import Listing

        return Listing(self.reader, self.clock, self.settings.list_index)

    @cached_property
    def cancel_desk(self) -> CancelDesk:
        """Cancels what a query finds."""
        from tidemill.service.cancelling import CancelDesk

        return CancelDesk(self.operator, self.listing)

    @cached_property
    def operator(self) -> Operator:
        """Cancels, kills and moves jobs in the name of whose credentials these are."""
        from tidemill.aws.actor import AwsActor
        from tidemill.service.operating import Operator

        return Operator(self.client, AwsActor(self.clients))

    @cached_property
    def desk(self) -> DeadLetterDesk:
        """The DLQ desk."""
        from tidemill.aws.actor import AwsActor
        from tidemill.service.deadletters import DeadLetterDesk, Tools

        tools = Tools(self.registry, self.payloads, self.memory.look, self.audit, AwsActor(self.clients), time.sleep)
        return DeadLetterDesk(
            self.store, self.reader, self.queue, self.dead_letters, self._lanes, self.clock, self.random, tools
        )

    def errands(self, telemetry: Telemetry | None) -> Errands | None:
        """What jobs owe to sagas, where the program has some."""
        if not self.registry.sagas:
            return None
        from tidemill.aws.reports import StepFunctionsReports
        from tidemill.aws.tokens import DynamoTaskTokens
        from tidemill.service.errands import Errands

        tokens = DynamoTaskTokens(self.clients.dynamodb, self.settings.table)
        reports = StepFunctionsReports(self.clients)
        return Errands(self.reader, self.payloads, tokens, reports, self.clock, telemetry)

    @cached_property
    def sagas(self) -> SagaDesk:
        """Starts sagas and looks after them.

        Raises:
            InputError: the program has none.
        """
        from tidemill.aws.executions import StepFunctionsExecutions
        from tidemill.service.saga_cancelling import SagaCanceller
        from tidemill.service.sagas import SagaDesk

        errands = self.errands(None)
        if errands is None:
            raise InputError.at("saga", "the registry has no sagas. Fix: JobRegistry(..., sagas=[...])", "unknown_saga")
        executions = StepFunctionsExecutions(self.clients, self.settings.sagas)
        canceller = SagaCanceller(self.store, errands, self.clock)
        return SagaDesk(self.registry, executions, self.reader, canceller, self.desk, self.clock, self.random)

    def executor(self, telemetry: Telemetry, sender: WebhookSender | None = None) -> Executor:
        """The engine of this worker's lane. `sender`: of webhooks, where it is not the safe one."""
        lane = self.settings.lane
        errands = self.errands(telemetry)
        registry = self._manned(telemetry, sender) if self.registry.webhooks else self.registry
        intake = Intake(registry, self.submitter, self.store, self.reader, lane, self.clock, telemetry, errands)
        around = Surroundings(
            registry,
            self.store,
            self.memory,
            self.payloads,
            self.clock,
            telemetry,
            lambda receipt, wait_s: self.queue.hide(lane, [(receipt, wait_s)]),
            EventLoopThread(),
            self.settings.code_version,
            order=self.order,
            errands=errands,
            waits=self.waits,
            api_url=self.settings.api_url,
            owed=(Counting(self._progress, telemetry),),
            stack=self.settings.stack,
        )
        return Executor(around, self.queue, intake, lane, self.random, sleep=time.sleep)

    def janitor(self, telemetry: Telemetry) -> Janitor:
        """The minute's duties."""
        from tidemill.service.janitor import Janitor

        return Janitor(
            self.registry,
            self.store,
            self.reader,
            self.queue,
            self.dead_letters,
            self._lanes,
            self.clock,
            self.random,
            telemetry,
            self.errands(telemetry),
            self.settings.stack,
        )

    def ticks(self, telemetry: Telemetry) -> TickSweep:
        """Makes the jobs of schedules."""
        from tidemill.service.tick_sweep import TickSweep

        rows = self.schedule_rows
        return TickSweep(self.registry, rows, self.submitter, self.reader, self._withdrawing, self.clock, telemetry)

    def _manned(self, telemetry: Telemetry, sender: WebhookSender | None) -> JobRegistry:
        """The registry as the worker of webhooks runs with it; every other lane's does without."""
        from tidemill.domain.lane import WEBHOOK_LANE

        if self.settings.lane != WEBHOOK_LANE:
            return self.registry
        from tidemill.outside.https import SafeSender
        from tidemill.service.delivering import Deliverer, manned

        return manned(self.registry, Deliverer(self.endpoints, sender or SafeSender(), self.clock, telemetry))

    @cached_property
    def _withdrawing(self) -> Withdrawing:
        from tidemill.service.tick_withdrawal import Withdrawing

        return Withdrawing(self.schedule_rows, self.store, self.reader, self.clock)

    def batch_watch(self, telemetry: Telemetry) -> BatchWatch:
        """The janitor's look at batches."""
        from tidemill.service.batch_watch import BatchWatch

        return BatchWatch(self.batches, self.reader, self._progress, self.clock, telemetry)

    @property
    def _progress(self) -> BatchProgress:
        return BatchProgress(self.batches, Releaser(self.batches, self.submitter), self.clock)
