"""Time, telemetry and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tidemill.domain.audit import AuditEntry


class Clock(Protocol):
    """The time, so that tests and proofs own it."""

    def now_ms(self) -> int:
        """Unix milliseconds."""


class Telemetry(Protocol):
    """What the engine tells its operators. No payload ever passes here."""

    def count(self, name: str, value: int = 1) -> None:
        """Add to the metric `name` of this lane."""

    def note(self, event: str, **fields: object) -> None:
        """One structured log line."""

    def alert(self, event: str, **fields: object) -> None:
        """One structured log line at warning level."""


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some entries of one day, newest first, and the cursor of the next ones (None: there are no more)."""

    entries: tuple[AuditEntry, ...]
    cursor: str | None = None


class AuditTrail(Protocol):
    """Who did what at the DLQ desk, kept for 400 days."""

    def write(self, entry: AuditEntry) -> None:
        """Keep the entry; one of the same id is replaced.

        Raises:
            UnavailableError: it is not known to be kept.
        """

    def read(self, day: str, limit: int, cursor: str | None) -> AuditPage:
        """The entries of one UTC day (`2026-11-22`), newest first.

        Raises:
            InputError: the cursor is not one of ours.
        """
