"""What the engine tells its operators, kept for the test."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

_LOGGER: Final = logging.getLogger("tidemill.testing")


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the log, at `at` (Unix milliseconds)."""

    at: int
    event: str
    fields: dict[str, Any]

    def __str__(self) -> str:
        said = " ".join(f"{name}={value}" for name, value in self.fields.items() if value is not None)
        return f"{self.event} {said}".rstrip()


@dataclass
class MemoryTelemetry:
    """A `Telemetry` that keeps everything, and hands it on to the logger `tidemill.testing`.

    Attributes:
        counts: metrics by name. `lines`: log lines in their order. `alerts`: those of them that want somebody.
    """

    now_ms: Any
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[Said] = field(default_factory=list)
    alerts: list[Said] = field(default_factory=list)

    def count(self, name: str, value: int = 1) -> None:
        """See Telemetry."""
        self.counts[name] += value

    def note(self, event: str, **fields: object) -> None:
        """See Telemetry."""
        said = Said(self.now_ms(), event, fields)
        self.lines.append(said)
        _LOGGER.info("%s", said)

    def alert(self, event: str, **fields: object) -> None:
        """See Telemetry."""
        self.note(event, **fields)
        self.alerts.append(self.lines[-1])
