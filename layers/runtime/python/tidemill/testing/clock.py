"""A clock that moves only when told to."""

from __future__ import annotations

from datetime import timedelta

from tidemill.domain.duration import milliseconds


class FrozenClock:
    """Starts at `now_ms` and stays there until `advance`."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        """Unix milliseconds."""
        return self._now_ms

    def advance(self, span: timedelta) -> None:
        """Move forward by `span`."""
        self._now_ms += milliseconds(span)
