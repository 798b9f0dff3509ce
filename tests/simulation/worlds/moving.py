"""Jobs that wait, in their queue or in the table, and are moved to other times; cancelled and swept meanwhile."""

from __future__ import annotations

from tests.simulation.asking import sometime
from tests.simulation.setting import Setting
from tests.simulation.watchers.moves import Moves
from tests.simulation.world import World
from tests.simulation.worlds import parking


def prepare(world: World) -> int:
    """Ask for jobs that wait, and let people change their minds."""
    world.records.on_claim.append(world.part(Moves).claimed)
    trouble_ms = parking.prepare(world)
    for _ in range(world.rng.choice((1, 2, 4))):
        first = sometime(world, trouble_ms)
        world.operators.move(first)
        if world.rng.random() < 0.5:
            # While the first move's message or sweep is under way.
            world.operators.move(first + world.rng.choice((0, 5, 300, 15_000, 60_000)))
    return trouble_ms


SETTING = Setting(
    "moving",
    "moved to other times: what waits in its queue or in the table; sweep, postponed messages, cancel",
    prepare,
    quiet_within_ms=4 * 3_600_000,
)
