"""How many schedules each world gets: as much time for each, so a dear one gets fewer.

python -m tests.simulation.shares

measures what a seed of each world costs, and says which shares follow.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Final

from tests.simulation.schedule import Seed, Stage, opened
from tests.simulation.worlds import WORLDS

_WHOLE: Final = 1_000
# Of each thousand. What they follow from is a figure of one machine; their proportions are about the same on others.
SHARES: Final[Mapping[str, int]] = {
    "basic": 67,
    "calm": 130,
    "outage": 8,
    "parking": 44,
    "poison": 42,
    "redrive": 40,
    "steps": 43,
    "living": 78,
    "zombies": 84,
    "fifo": 57,
    "large": 60,
    "desk": 33,
    "notices": 32,
    "moving": 37,
    "batches": 22,
    "schedules": 18,
    "fires": 42,
    "answers": 33,
    "sagas": 30,
    "outbox": 31,
    "subscribers": 26,
    "versions": 43,
}
# For all worlds together about a minute of CPU time.
_MEASURED_SEEDS: Final = 40


def share_of(world: str, count: int) -> int:
    """How many of `count` schedules are the world's; rounded up, so that all together are at least `count`."""
    return -(-count * SHARES[world] // _WHOLE)


def _cost_ms(stage: Stage, world: str) -> float:
    """The CPU time of one seed, in milliseconds; the first one is played before, to warm up."""
    stage.play(Seed(world, 0))
    started = time.process_time()
    for number in range(1, _MEASURED_SEEDS + 1):
        stage.play(Seed(world, number))
    return (time.process_time() - started) * 1_000 / _MEASURED_SEEDS


def main() -> None:
    """The program."""
    with opened() as stage:
        costs = {world: _cost_ms(stage, world) for world in WORLDS}
    whole = sum(1 / cost for cost in costs.values())
    for world, cost in costs.items():
        sys.stdout.write(f"{world}: {cost:.0f} ms, {_WHOLE / cost / whole:.0f} of {_WHOLE}; has {SHARES[world]}\n")


if __name__ == "__main__":
    main()
