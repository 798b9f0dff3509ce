"""Nothing fails: jobs that are well, in any order, and now and then a message that comes twice."""

from __future__ import annotations

from tests.simulation.asking import WELL, soon, want
from tests.simulation.faults import HARMLESS, Fault
from tests.simulation.setting import Setting
from tests.simulation.world import World


def prepare(world: World) -> int:
    """Ask for one to four jobs."""
    rng = world.rng
    count = rng.randint(1, 4)
    via = "bulk" if count > 2 else rng.choice(("submit", "submit", "message"))
    wanted = [want(world, number, WELL, via=via) for number in range(count)]
    if via == "bulk":
        world.submitters.start(wanted, soon(world))
    else:
        for one in wanted:
            world.submitters.start([one], soon(world))
    return 120_000


SETTING = Setting(
    "calm",
    "nothing fails: jobs that are well, in any order, and now and then a message that comes twice",
    prepare,
    kinds=HARMLESS,
    certain=(Fault.DUPLICATE,),
)
