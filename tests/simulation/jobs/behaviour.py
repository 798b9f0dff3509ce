"""How a job behaves: what the schedule decides of it, and every sort of job makes of it what it can."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tidemill import PermanentError, RateLimitedError, Retry, TransientError, minutes, seconds

# Stands in arguments and results, and must never stand in a log, a metric, or the record of an error.
CANARY = "canary-9c41f7"
LANE = "work"
RETRY = Retry(max_attempts=4, base=seconds(2), cap=seconds(40))
# Waits that leave the queue for the table.
PATIENT = Retry(max_attempts=3, delays=(seconds(90), minutes(20)))
TIMEOUT = seconds(45)


class Conduct(StrEnum):
    """How a job behaves, the first few times it is started or always."""

    WELL = "well"
    FAILS = "fails"
    REFUSES = "refuses for good"
    KILLS = "kills its process"
    HANGS = "hangs where nothing can interrupt it"
    DOZES = "hangs where its timeout can end it"
    WAITS = "asks to wait"
    MUMBLES = "returns what is no JSON"
    BOASTS = "returns much"
    BLABS = "fails, and says what it was given"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`conduct` for the first `times` starts; well from then on."""

    conduct: Conduct = Conduct.WELL
    times: int = 0

    @property
    def is_curable(self) -> bool:
        """Whether the job succeeds if it is only tried often enough."""
        return self.times < 99

    def now(self, started: int) -> Conduct:
        """What start number `started` (from 1) does."""
        return self.conduct if started <= self.times else Conduct.WELL


def misbehave(conduct: Conduct, world: Any, secret: str = CANARY) -> None:
    """What goes wrong before a job has had an effect."""
    match conduct:
        case Conduct.KILLS:
            world.scheduler.crash()
        case Conduct.HANGS:
            world.scheduler.sleep(world.rng.choice((50_000, 300_000)))
        case Conduct.DOZES:
            for _ in range(100):
                world.scheduler.sleep(1_000)
        case _:
            _raise(conduct, world, secret)


def _raise(conduct: Conduct, world: Any, secret: str) -> None:
    match conduct:
        case Conduct.FAILS:
            raise TransientError("not today")
        case Conduct.REFUSES:
            raise PermanentError("never")
        case Conduct.BLABS:
            raise TransientError(f"the service refuses {secret!r} of {{'secret': {secret!r}}}")
        case Conduct.WAITS:
            raise RateLimitedError(retry_after=seconds(world.rng.choice((1, 20, 90))))
        case _:
            pass
