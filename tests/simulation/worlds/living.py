"""Jobs that last longer than one invocation, say so, hand over, are warned, ended, asked to stop and killed."""

from __future__ import annotations

from tests.simulation.asking import ask_and_meddle, sometime, soon, want
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.lasting import CATCHES, CLEANS, FREEZES, IGNORES, SAYS
from tests.simulation.setting import Setting
from tests.simulation.world import World
from tests.simulation.worlds.steps import audit

# Of each kind: the greatest number of units, and how long one may take so that the job comes to its end.
_LENGTHS = {"sim.trek": (30, (300, 2_000, 4_000)), "sim.tour": (30, (300, 1_500)), "sim.rest": (6, (100, 900))}
_TROUBLE = (
    Conduct.FAILS,
    Conduct.KILLS,
    Conduct.KILLS,
    Conduct.HANGS,
    Conduct.DOZES,
    Conduct.WAITS,
    FREEZES,
    FREEZES,
    IGNORES,
    CATCHES,
)


def prepare(world: World) -> int:
    """Ask for one or two jobs, and mostly end one of them."""
    trouble_ms = ask_and_meddle(world, _ask, _end)
    if world.rng.random() < 0.2:
        world.operators.redrive_at_desk(sometime(world, trouble_ms))
    return trouble_ms


def _end(world: World, trouble_ms: int) -> None:
    end = world.rng.choice((world.operators.cancel, world.operators.cancel, world.operators.kill))
    end(world.rng.choice((sometime(world, 20_000), sometime(world, 60_000), sometime(world, trouble_ms))))


def _ask(world: World, number: int) -> None:
    rng = world.rng
    kind = rng.choice(tuple(_LENGTHS))
    most, paces = _LENGTHS[kind]
    starts = rng.choice((0, 0, 1, 1, 2, 3))
    trouble = [(start + 1, rng.choice((0, 1, 2, 5)), rng.choice(_TROUBLE)) for start in range(starts)]
    wanted = want(
        world,
        number,
        Behaviour(Conduct.FAILS, starts) if starts else Behaviour(),
        kind=kind,
        key=f"key-{number}" if rng.random() < 0.3 else None,
        details={
            "units": rng.randint(1, most),
            "pace_ms": rng.choice(paces),
            "every": 1,
            "says": rng.choice(SAYS),
            "cleans": rng.choice(CLEANS),
            "trouble": trouble,
        },
    )
    world.submitters.start([wanted], soon(world))
    if wanted.key is not None and rng.random() < 0.3:
        world.submitters.start([wanted], sometime(world, 120_000))


SETTING = Setting(
    "living",
    "jobs that last: heartbeats, progress, cursors, hand-overs, timeouts, cancel with clean-up and kill",
    prepare,
    quiet_within_ms=4 * 3_600_000,
    audits=(audit,),
)
