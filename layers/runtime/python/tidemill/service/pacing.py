"""Not too fast: so many jobs a second, in steps small enough to be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tidemill.domain.errors import InputError
from tidemill.domain.ports import Clock

# Five calls of ten messages: a progress bar that moves, and a pause that is felt.
MAX_STEP: Final = 50


def check_rate(rate: float | None, least: float = 0) -> float | None:
    """Return `rate` if it can be one: jobs a second, above 0 and at most 1,000; None for as fast as it goes.

    Arguments:
        least: the smallest that the caller can keep.

    Raises:
        InputError: it can't.
    """
    if rate is not None and not (0 < rate <= 1_000 and rate >= least):
        low = f"at least {least:g}" if least else "above 0"
        raise InputError.at("rate", f"must be {low} and at most 1000 jobs a second, not {rate:g}", "range")
    return rate


@dataclass(slots=True)
class Pace:
    """Lets so many be done that it is never more than `rate` a second and one step.

    A pause, however long, is no credit: after it comes one step, as at the beginning.

    Arguments:
        sleep: waits so many seconds.
    """

    rate: float | None
    clock: Clock
    sleep: Callable[[float], None]
    _due_ms: float = 0

    @property
    def at_once(self) -> int:
        """How many one step is at the most."""
        return MAX_STEP if self.rate is None else min(MAX_STEP, max(1, int(self.rate)))

    def wait_s(self) -> float:
        """In how many seconds the next step may be made."""
        return max(self._due_ms - self.clock.now_ms(), 0) / 1000

    def after_another(self) -> Pace:
        """Begin as if another had just made a step, which is waited for: several calls keep one rate so."""
        if self.rate is not None:
            self._due_ms = self.clock.now_ms() + self.at_once * 1000 / self.rate
        return self

    def step(self, left: int) -> int:
        """Wait until more may be done; answers how many, at most `left`."""
        wait_s = self.wait_s()
        if wait_s > 0:
            self.sleep(wait_s)
        self._due_ms = max(self._due_ms, self.clock.now_ms())
        return min(left, self.at_once)

    def passed(self, count: int) -> None:
        """So many were done."""
        if self.rate is not None:
            self._due_ms += count * 1000 / self.rate
