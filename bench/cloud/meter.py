"""What was consumed, by who counts it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Meter:
    """Billed units since the start.

    Attributes:
        table_units: write units of tables. `index_units`: those of their indexes.
        read_units: of tables.
        sqs_requests: one for each started 64 KB of a request; by operation.
        invocations: of functions.
        calls: API calls made by handlers and clients, by operation; not what the poller does.
    """

    table_units: float = 0
    index_units: float = 0
    read_units: float = 0
    sqs_requests: Counter[str] = field(default_factory=Counter)
    invocations: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def write_units(self) -> float:
        """Of tables and indexes."""
        return self.table_units + self.index_units
