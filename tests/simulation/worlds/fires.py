"""A schedule of the code: Scheduler sends its ticks late, twice and with other arguments, or gives them up."""

from __future__ import annotations

from tests.simulation.asking import WELL, soon
from tests.simulation.eventbridge import Eventbridge
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.ticking import TICKS
from tests.simulation.setting import Setting
from tests.simulation.watchers.fires import audit_fires
from tests.simulation.world import World

_CONDUCTS = (WELL, WELL, Behaviour(Conduct.FAILS, 2), Behaviour(Conduct.FAILS, 99), Behaviour(Conduct.KILLS, 1))


def prepare(world: World) -> int:
    """Let the schedule fire a few times."""
    rng = world.rng
    trouble_ms = rng.choice((240_000, 900_000))
    world.behaviours[TICKS] = rng.choice(_CONDUCTS)
    scheduler = world.part(Eventbridge)
    first = soon(world)
    for number in range(rng.choice((1, 2, 3))):
        at_ms = first + number * 60_000
        world.later(at_ms, lambda at_ms=at_ms: scheduler.fire(at_ms))
    return trouble_ms


SETTING = Setting(
    "fires",
    "a schedule of the code, whose ticks Scheduler sends late, twice, with other arguments, or to its DLQ",
    prepare,
    share_redriven=0.0,
    most_calls=6_000,
    audits=(audit_fires,),
)
