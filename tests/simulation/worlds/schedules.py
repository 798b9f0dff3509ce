"""Schedules: made, changed, paused, resumed and deleted while sweeps run, late, twice and dying between two calls."""

from __future__ import annotations

from tests.simulation.asking import WELL, sometime, soon
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.ticking import TICKS
from tests.simulation.planners import Planners
from tests.simulation.setting import Setting
from tests.simulation.watchers.ticks import Ticks, audit_ticks
from tests.simulation.world import World

_CONDUCTS = (WELL, WELL, WELL, Behaviour(Conduct.FAILS, 2), Behaviour(Conduct.WAITS, 2), Behaviour(Conduct.KILLS, 1))
# How long the schedules go on when nothing fails any more.
_CALM_MS = 240_000


def prepare(world: World) -> int:
    """Make one or two schedules, change them a few times, and end them once all is well again."""
    rng = world.rng
    trouble_ms = rng.choice((240_000, 480_000, 900_000))
    planners = world.part(Planners)
    world.part(Ticks).well_from_ms = world.scheduler.now_ms + trouble_ms + _CALM_MS - 30_000
    world.behaviours[TICKS] = rng.choice(_CONDUCTS)
    for number in range(rng.choice((1, 1, 2))):
        name = f"s{number}"
        planners.create(name, soon(world))
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            planners.meddle(name, sometime(world, trouble_ms))
        if rng.random() < 0.2:
            planners.create(name, sometime(world, trouble_ms))
        if rng.random() < 0.1:
            planners.trigger(name, sometime(world, trouble_ms))
        planners.delete(name, world.scheduler.now_ms + trouble_ms + _CALM_MS)
    return trouble_ms


SETTING = Setting(
    "schedules",
    "schedules that are made, changed, paused and deleted at run time, while sweeps are late, doubled, lost and dying",
    prepare,
    certain=(Fault.TICK_LOST, Fault.TICK_TWICE),
    share_redriven=0.1,
    most_calls=6_000,
    audits=(audit_ticks,),
)
