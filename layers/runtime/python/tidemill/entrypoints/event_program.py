"""The part of a program that has to do with the event store; nothing of it is imported where none is declared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tidemill.domain.ports import Telemetry
from tidemill.entrypoints.adapters import Adapters

if TYPE_CHECKING:
    from tidemill.service.auditing import Auditor
    from tidemill.service.projecting import Projector
    from tidemill.service.read_models import ReadModels
    from tidemill.service.rebuilding import Rebuilder
    from tidemill.service.replays import ReplayDesk
    from tidemill.service.streams import Streams


@dataclass(frozen=True)
class EventProgram(Adapters):
    """Streams, read models, and who keeps them together.

    Each raises SettingsError where the stack has none.
    """

    @cached_property
    def streams(self) -> Streams:
        """The event store, as programs use it."""
        from tidemill.service.streams import Streams

        return Streams(self.events, self.clock, self.random)

    @cached_property
    def read_models(self) -> ReadModels:
        """The read models, as programs query them."""
        from tidemill.service.read_models import ReadModels

        return ReadModels(self.lines)

    @cached_property
    def auditor(self) -> Auditor:
        """Writes down what operators do to read models."""
        from tidemill.aws.actor import AwsActor
        from tidemill.service.auditing import Auditor

        return Auditor(self.audit, self.clock, self.random, AwsActor(self.clients))

    @cached_property
    def replays(self) -> ReplayDesk:
        """Lets subscribers hear facts of the bus again."""
        from tidemill.aws.replays import EventBridgeReplays
        from tidemill.service.replays import ReplayDesk

        return ReplayDesk(EventBridgeReplays(self.clients, self.settings.bus), self.auditor, self.clock)

    def projector(self, telemetry: Telemetry) -> Projector:
        """Brings the lines of read models on."""
        from tidemill.service.projecting import Projector

        return Projector(self.events, self.lines, self.registry.projections, telemetry)

    def rebuilder(self, telemetry: Telemetry) -> Rebuilder:
        """Looks after read models."""
        from tidemill.service.rebuilding import Rebuilder

        return Rebuilder(self.events, self.lines, self.projector(telemetry))
