"""An event store and its read models in memory, for tests of what is decided and projected."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from tidemill.domain.names import DEFAULT_TENANT
from tidemill.domain.projection import Projection
from tidemill.domain.stream import Stream
from tidemill.service.projecting import Projector
from tidemill.service.read_models import ReadModels
from tidemill.service.rebuilding import Rebuilder
from tidemill.service.streams import Streams
from tidemill.testing.clock import FrozenClock
from tidemill.testing.events import MemoryEvents
from tidemill.testing.lines import MemoryLines
from tidemill.testing.telemetry import MemoryTelemetry


class EventHarness:
    """Streams and read models with nothing around them: the real code on stores in memory, and a clock of the test's.

        tide = EventHarness(balances)
        tide.streams.change(account, "7", deposit(500))
        tide.project()
        assert tide.read_models.get(balances, "7").shown.cents == 500

    Arguments:
        projections: whose read models are kept.
        now_ms: where the clock begins, Unix milliseconds.

    Attributes:
        streams, read_models: as programs use them. `rebuilder`: as operators do.
        store, lines: what they keep; a test that plays somebody with access to the tables writes there.
        telemetry: what operators were told: `counts`, `alerts`.
    """

    def __init__(self, *projections: Projection[Any], now_ms: int = 1_800_000_000_000, seed: int = 0) -> None:
        self.clock = FrozenClock(now_ms)
        self.store, self.lines = MemoryEvents(), MemoryLines()
        self.telemetry = MemoryTelemetry(self.clock.now_ms)
        self.streams = Streams(self.store, self.clock, Random(seed))  # noqa: S311 - ids of a test
        self.read_models = ReadModels(self.lines)
        self.projector = Projector(self.store, self.lines, {one.name: one for one in projections}, self.telemetry)
        self.rebuilder = Rebuilder(self.store, self.lines, self.projector)

    def project(self, *, batch: int = 1_000) -> None:
        """Hand every fact to the projector, as the stream of the table would."""
        cursor: str | None = None
        while True:
            page = self.store.scan(batch, cursor)
            self.projector.take(page.recorded)
            if (cursor := page.cursor) is None:
                return

    def rebuild(self, projection: Projection[Any]) -> None:
        """Rebuild a read model from nothing, and let queries read it."""
        self.fill(projection)
        self.rebuilder.switch(projection.name)

    def fill(self, projection: Projection[Any]) -> None:
        """Fill the next edition of a read model, and leave it at that: `rebuilder.differing` compares it."""
        edition = self.rebuilder.begin(projection.name)
        cursor: str | None = None
        while True:
            if (cursor := self.rebuilder.fill(projection.name, edition, cursor).cursor) is None:
                return

    def happened(self, stream: Stream[Any], key: str, *, tenant: str = DEFAULT_TENANT) -> Sequence[Any]:
        """The events of a stream, in order."""
        return [stream.event_of(one.fact) for one in self.streams.facts(stream, key, tenant=tenant)]
