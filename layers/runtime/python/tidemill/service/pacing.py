"""Not too fast: so many jobs a second, in steps small enough to be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tidemill.domain.errors import InputError
from tidemill.domain.ports import Clock

# Five calls of ten messages: a progress bar that moves, and a pause that is felt.
MAX_STEP: Final = 50


def check_rate(rate: float | None) -> float | None:
    """Return `rate` if it can be one: jobs a second, above 0 and at most 1,000; None for as fast as it goes.

    Raises:
        InputError: it can't.
    """
    if rate is not None and not 0 < rate <= 1_000:
        raise InputError.at("rate", f"must be above 0 and at most 1000 jobs a second, not {rate:g}", "range")
    return rate


@dataclass(slots=True)
class Pace:
    """Counts what was done since it was made, and waits so that it is never more than `rate` a second.

    Arguments:
        sleep: waits so many seconds.
    """

    rate: float | None
    clock: Clock
    sleep: Callable[[float], None]
    _begun: int | None = None
    _done: int = 0

    def step(self, left: int) -> int:
        """Wait until more may be done; answers how many, at most `left`."""
        now = self.clock.now_ms()
        if self._begun is None:
            self._begun = now
        if self.rate is None:
            return min(left, MAX_STEP)
        wait_ms = self._done * 1000 / self.rate - (now - self._begun)
        if wait_ms > 0:
            self.sleep(wait_ms / 1000)
        return min(left, MAX_STEP, max(1, int(self.rate)))

    def passed(self, count: int) -> None:
        """So many were done."""
        self._done += count
