"""Jobs that die, and operators who redrive them: at the console and at the desk, early, twice, after weeks."""

from __future__ import annotations

from tests.simulation.asking import sometime, soon, want
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.world import World

_CONDUCTS = (
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 2),
    Behaviour(Conduct.FAILS, 4),
    Behaviour(Conduct.KILLS, 3),
    Behaviour(Conduct.MUMBLES, 1),
)


def prepare(world: World) -> int:
    """Ask for one or two jobs that die at first."""
    rng = world.rng
    trouble_ms = rng.choice((120_000, 600_000, 1_800_000))
    for number in range(rng.randint(1, 2)):
        wanted = want(
            world,
            number,
            rng.choice(_CONDUCTS),
            via=rng.choice(("submit", "submit", "message")),
            key=f"key-{number}" if rng.random() < 0.3 else None,
        )
        world.submitters.start([wanted], soon(world))
        if wanted.key is not None and rng.random() < 0.5:
            # A rerun of a dead job by its key, or a repeat of a live one.
            world.submitters.start([wanted], sometime(world, trouble_ms))
    for _ in range(rng.randint(1, 3)):
        redrive = rng.choice(
            (world.operators.redrive_at_console, world.operators.redrive_at_desk, world.operators.redrive_lane)
        )
        redrive(sometime(world, trouble_ms))
    if rng.random() < 0.15:
        world.operators.cancel(sometime(world, trouble_ms))
    return trouble_ms


SETTING = Setting(
    "redrive",
    "dead jobs put back: at the console, at the desk, by their key; early, twice, and after the DLQ's retention",
    prepare,
    share_redriven=1,
)
