"""Clocks that move only when told to."""

from __future__ import annotations

from datetime import timedelta
from typing import Protocol

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


class Alarm(Protocol):
    """Somebody who has to act at certain times."""

    def next_at(self) -> int | None:
        """When it has to act next, Unix milliseconds; None for never."""

    def ring(self) -> None:
        """The clock stands at a time at which somebody has to act."""


class VirtualClock(FrozenClock):
    """Moves only when told to, and stops on its way at every time at which one of its alarms has to act."""

    def __init__(self, now_ms: int = 1_800_000_000_000) -> None:
        super().__init__(now_ms)
        self._alarms: tuple[Alarm, ...] = ()

    def wake(self, *alarms: Alarm) -> None:
        """Ring these at every stop, in this order."""
        self._alarms = alarms

    def next_stop(self) -> int | None:
        """When the first of the alarms has to act, Unix milliseconds; None if none has to."""
        times = [alarm.next_at() for alarm in self._alarms]
        return min((at for at in times if at is not None and at > self._now_ms), default=None)

    def advance(self, span: timedelta) -> None:
        """Move forward by `span`. Whatever an alarm raises comes out here, and the clock stays where that was."""
        self.move_to(self._now_ms + milliseconds(span))

    def move_to(self, end_ms: int) -> None:
        """Move forward to `end_ms` (Unix milliseconds); nothing happens if that is over."""
        while self._now_ms < end_ms:
            stop = self.next_stop()
            self._now_ms = end_ms if stop is None else min(stop, end_ms)
            for alarm in self._alarms:
                alarm.ring()
