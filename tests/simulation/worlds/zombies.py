"""Workers that are frozen for longer than their lease, wake up, and go on as if nothing had been."""

from __future__ import annotations

from tests.simulation.asking import WELL, soon, want
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.world import World

_CONDUCTS = (WELL, Behaviour(Conduct.FAILS, 1), Behaviour(Conduct.FAILS, 2), Behaviour(Conduct.FAILS, 3))


def prepare(world: World) -> int:
    """Ask for one or two jobs."""
    for number in range(world.rng.randint(1, 2)):
        world.submitters.start([want(world, number, world.rng.choice(_CONDUCTS))], soon(world))
    return 900_000


SETTING = Setting(
    "zombies",
    "workers that are frozen beyond their lease and go on, and SQS taking receipts that are not the last",
    prepare,
    kinds=(
        Fault.PAUSE_BEFORE,
        Fault.PAUSE_AFTER,
        Fault.OLD_RECEIPTS,
        Fault.DUPLICATE,
        Fault.DELETE_LOST,
        Fault.CLOCK_SKEW,
        Fault.ACK_LOST,
        Fault.CRASH_AFTER,
    ),
    certain=(Fault.PAUSE_AFTER, Fault.OLD_RECEIPTS),
)
