"""The ports of one deployed stack, each built when first asked for.

What a worker never asks for is imported where it is built, because every import is paid at each cold start.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from tidemill.aws.batches import DynamoBatches
from tidemill.aws.clients import Clients
from tidemill.aws.queue import SqsJobQueue
from tidemill.aws.reader import DynamoJobReader
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.errors import SettingsError
from tidemill.domain.lane import WEBHOOK_LANE
from tidemill.domain.ports import Clock, JobStore
from tidemill.domain.registry import JobRegistry
from tidemill.settings import PREFIX, RuntimeSettings

if TYPE_CHECKING:
    from tidemill.aws.audit import DynamoAuditTrail
    from tidemill.aws.bus import EventBridgeBus
    from tidemill.aws.dead_letters import SqsDeadLetters
    from tidemill.aws.endpoints import DynamoEndpoints
    from tidemill.aws.events import DynamoEvents
    from tidemill.aws.lines import DynamoLines
    from tidemill.aws.memory import DynamoJobMemory
    from tidemill.aws.order import DynamoEntityOrder
    from tidemill.aws.outbox import DynamoOutbox
    from tidemill.aws.payloads import S3Payloads
    from tidemill.aws.schedules import DynamoSchedules
    from tidemill.aws.waits import DynamoJobWaits


@dataclass(frozen=True)
class Adapters:
    """Tables, queues and objects of one stack."""

    registry: JobRegistry
    settings: RuntimeSettings
    clients: Clients
    clock: Clock
    random: Random

    @cached_property
    def store(self) -> JobStore:
        """The jobs table, written."""
        store = DynamoJobStore(self.clients.dynamodb, self.settings.table, list_index=self.settings.list_index)
        # The command line knows no kinds, and cancels jobs all the same.
        if WEBHOOK_LANE not in self.settings.lanes:
            return store
        from tidemill.service.reviving import Reviver
        from tidemill.service.webhook_notices import NotifyingStore

        reviver = Reviver(store, self.reader, self.queue, self.clock, self.random)
        return NotifyingStore(store, self.clock, self.random, reviver.revive)

    @cached_property
    def endpoints(self) -> DynamoEndpoints:
        """Where webhooks go."""
        from tidemill.aws.endpoints import DynamoEndpoints

        return DynamoEndpoints(self.clients.dynamodb, self.settings.table)

    @cached_property
    def reader(self) -> DynamoJobReader:
        """The jobs table, read."""
        return DynamoJobReader(self.clients.dynamodb, self.settings.table)

    @cached_property
    def queue(self) -> SqsJobQueue:
        """The lanes' queues."""
        return SqsJobQueue(self.clients.sqs, self._urls)

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        """The lanes' DLQs."""
        from tidemill.aws.dead_letters import SqsDeadLetters

        dlqs = {name: lane.dlq_url for name, lane in self.settings.lanes.items()}
        return SqsDeadLetters(self.clients.sqs, self._urls, dlqs)

    @cached_property
    def audit(self) -> DynamoAuditTrail:
        """Who did what at the desk."""
        from tidemill.aws.audit import DynamoAuditTrail

        return DynamoAuditTrail(self.clients.dynamodb, self.settings.table)

    @cached_property
    def memory(self) -> DynamoJobMemory:
        """What jobs remember."""
        from tidemill.aws.memory import DynamoJobMemory

        return DynamoJobMemory(self.clients.dynamodb, self.settings.table)

    @cached_property
    def order(self) -> DynamoEntityOrder:
        """The numbers of FIFO lanes' entities."""
        from tidemill.aws.order import DynamoEntityOrder

        return DynamoEntityOrder(self.clients.dynamodb, self.settings.table)

    @cached_property
    def waits(self) -> DynamoJobWaits:
        """What jobs wait for."""
        from tidemill.aws.waits import DynamoJobWaits

        return DynamoJobWaits(self.clients.dynamodb, self.settings.table)

    @cached_property
    def batches(self) -> DynamoBatches:
        """The batches of the jobs table."""
        return DynamoBatches(self.clients.dynamodb, self.settings.table)

    @cached_property
    def payloads(self) -> S3Payloads:
        """Large arguments and results."""
        from tidemill.aws.payloads import S3Payloads

        return S3Payloads(self.clients, self.settings.payload_bucket, self.clock.now_ms)

    @cached_property
    def schedule_rows(self) -> DynamoSchedules:
        """The rows of schedules."""
        from tidemill.aws.schedules import DynamoSchedules

        return DynamoSchedules(self.clients.dynamodb, self.settings.table)

    @cached_property
    def outbox(self) -> DynamoOutbox:
        """What was committed and is not sent yet."""
        from tidemill.aws.outbox import DynamoOutbox

        return DynamoOutbox(self.clients.dynamodb, self.settings.table)

    @cached_property
    def bus(self) -> EventBridgeBus | None:
        """Where facts are published; None where the program has no events, or this function is not told."""
        from tidemill.aws.bus import EventBridgeBus

        settings = self.settings
        return EventBridgeBus(self.clients, settings.bus, settings.stack) if settings.bus else None

    @cached_property
    def events(self) -> DynamoEvents:
        """The event store.

        Raises:
            SettingsError: the stack has none.
        """
        from tidemill.aws.events import DynamoEvents

        if not self.settings.events_table:
            raise SettingsError(f"{PREFIX}EVENTS_TABLE", "is empty: the registry declares no streams")
        return DynamoEvents(self.clients.dynamodb, self.settings.events_table)

    @cached_property
    def lines(self) -> DynamoLines:
        """The read models.

        Raises:
            SettingsError: the stack has none.
        """
        from tidemill.aws.lines import DynamoLines

        if not self.settings.lines_table:
            raise SettingsError(f"{PREFIX}LINES_TABLE", "is empty: the registry declares no projections")
        return DynamoLines(self.clients.dynamodb, self.settings.lines_table)

    @property
    def _urls(self) -> dict[str, str]:
        return {name: lane.queue_url for name, lane in self.settings.lanes.items()}

    @property
    def _lanes(self) -> tuple[str, ...]:
        return tuple(self.settings.lanes)
