"""What the rivals have to do: a few orders, what befalls each, and what goes wrong around them.

Drawn from a chance of its own, so that every rival gets the same orders at the same moments.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.simulation.faults import EVERYWHERE, HARMLESS, Fault

_MINUTE_MS = 60_000


class Mishap(StrEnum):
    """What an order's own code does wrong, the first few times it is started."""

    NONE = "none"
    FAILS = "fails before its effect"
    FAILS_AFTER = "fails after its effect"
    KILLS = "kills its process before its effect"
    KILLS_AFTER = "kills its process after its effect"
    HANGS = "hangs for five minutes"
    BUG = "fails until the code is mended"


@dataclass(frozen=True, slots=True)
class Order:
    """One thing to do.

    Arguments:
        number: in its schedule. `at_ms`: when it is submitted, from the beginning.
        times: how often its mishap happens.
    """

    number: int
    order_id: str
    at_ms: int
    mishap: Mishap = Mishap.NONE
    times: int = 0

    @property
    def is_healthy(self) -> bool:
        """Whether its own code never fails."""
        return self.mishap is Mishap.NONE


@dataclass(frozen=True, slots=True)
class Programme:
    """Of one schedule: `orders`, how long the trouble lasts, and when the dependency is down, in milliseconds."""

    orders: tuple[Order, ...]
    trouble_ms: int
    down_at_ms: int = 0
    down_for_ms: int = 0


@dataclass(frozen=True, slots=True)
class Bout:
    """A sort of schedule: `kinds` of faults may happen, the `certain` ones are on in all that are not calm."""

    name: str
    about: str
    draw: Callable[[Random], Programme]
    kinds: tuple[Fault, ...]
    certain: tuple[Fault, ...] = ()


def _orders(rng: Random, count: int, mishaps: tuple[Mishap, ...]) -> tuple[Order, ...]:
    return tuple(_order(rng, number, rng.choice(mishaps)) for number in range(count))


def _order(rng: Random, number: int, mishap: Mishap) -> Order:
    at_ms = rng.choice((0, 1, 5, 100, 3_000, 60_000))
    times = {Mishap.NONE: 0, Mishap.FAILS: rng.randint(1, 2)}.get(mishap, 1)
    return Order(number, f"order-{rng.getrandbits(48):012x}", at_ms, mishap, times)


def _faults(rng: Random) -> Programme:
    return Programme(_orders(rng, rng.randint(1, 4), (Mishap.NONE,)), rng.choice((5, 15)) * _MINUTE_MS)


def _mishaps(rng: Random) -> Programme:
    mishaps = tuple(mishap for mishap in Mishap if mishap is not Mishap.BUG)
    return Programme(_orders(rng, rng.randint(2, 5), (Mishap.NONE, *mishaps)), 15 * _MINUTE_MS)


def _bugs(rng: Random) -> Programme:
    return Programme(_orders(rng, rng.randint(1, 3), (Mishap.BUG, Mishap.BUG, Mishap.NONE)), 30 * _MINUTE_MS)


def _outage(rng: Random) -> Programme:
    """The dependency is down, and nothing else is wrong."""
    lasts = rng.choice((5, 30, 120, 360)) * _MINUTE_MS
    begins = rng.choice((0, 0, 50, 3_000))
    return Programme(_orders(rng, rng.randint(2, 5), (Mishap.NONE,)), begins + lasts, begins, lasts)


# Old code beside new, and weeks that pass, are about one program's own later versions.
_ALL = tuple(kind for kind in EVERYWHERE if kind not in {Fault.OLD_CODE, Fault.WEEKS})
_FROZEN = (
    Fault.PAUSE_BEFORE,
    Fault.PAUSE_AFTER,
    Fault.OLD_RECEIPTS,
    Fault.DUPLICATE,
    Fault.LATE_DUPLICATE,
    Fault.DELETE_LOST,
    Fault.CLOCK_SKEW,
    Fault.ACK_LOST,
    Fault.CRASH_AFTER,
    Fault.DEPENDENCY_SLOW,
)

BOUTS: dict[str, Bout] = {
    bout.name: bout
    for bout in (
        Bout("faults", "orders that are well; every kind of fault", _faults, _ALL),
        Bout("mishaps", "orders that fail, kill their process and hang; every kind of fault", _mishaps, _ALL),
        Bout("frozen", "workers and answers that are held up for minutes", _faults, _FROZEN, (Fault.PAUSE_AFTER,)),
        Bout("bugs", "orders that fail until the code is mended, then the redrive", _bugs, _ALL),
        Bout("outage", "the dependency is down for 5 minutes to 6 hours, and nothing else is wrong", _outage, HARMLESS),
    )
}
