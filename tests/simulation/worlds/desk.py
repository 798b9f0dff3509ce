"""Dead jobs, and operators at the desk: they redrive, edit, purge and look, by id and by filter, twice and at once."""

from __future__ import annotations

from tests.simulation.asking import WELL, sometime, soon, want
from tests.simulation.clerks import Clerks
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.world import World

_CONDUCTS = (
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 2),
    Behaviour(Conduct.REFUSES, 3),
    Behaviour(Conduct.FAILS, 4),
    Behaviour(Conduct.KILLS, 3),
    Behaviour(Conduct.KILLS, 4),
    Behaviour(Conduct.MUMBLES, 1),
    WELL,
)


def prepare(world: World) -> int:
    """Ask for one to three jobs that die at first, and let operators come."""
    rng = world.rng
    trouble_ms = rng.choice((120_000, 600_000, 1_200_000))
    clerks = world.part(Clerks)
    for number in range(rng.randint(1, 3)):
        wanted = want(
            world,
            number,
            rng.choice(_CONDUCTS),
            kind=rng.choice(("sim.mend", "sim.mend", "sim.charge")),
            via=rng.choice(("submit", "submit", "message")),
            key=f"key-{number}" if rng.random() < 0.2 else None,
        )
        world.submitters.start([wanted], soon(world))
        if wanted.key is not None and rng.random() < 0.5:
            world.submitters.start([wanted], sometime(world, trouble_ms))
    for _ in range(rng.randint(1, 4)):
        _act(world, clerks, sometime(world, trouble_ms))
    if rng.random() < 0.2:
        world.operators.redrive_at_console(sometime(world, trouble_ms))
    if rng.random() < 0.05:
        world.submitters.send_rubbish(soon(world))
    return trouble_ms


def _act(world: World, clerks: Clerks, at_ms: int) -> None:
    match world.rng.randrange(12):
        case 0 | 1:
            clerks.redrive(at_ms, times=world.rng.choice((1, 2)))
        case 2 | 3 | 4:
            clerks.edit(at_ms, times=world.rng.choice((1, 1, 2)))
        case 5 | 6:
            clerks.redrive_many(at_ms)
        case 7:
            clerks.redrive_in_two_calls(at_ms)
        case 8:
            clerks.redrive_lane(at_ms)
        case 9 | 10:
            clerks.purge(at_ms)
        case _:
            clerks.look(at_ms)
    if world.rng.random() < 0.3:
        # Somebody else, at the same moment.
        world.rng.choice((clerks.redrive, clerks.edit, clerks.purge, clerks.redrive_lane))(at_ms)


SETTING = Setting(
    "desk",
    "operators at the desk: redrive in every manner, edit, purge, canary, rate and dry run; twice, at once, crashing",
    prepare,
    certain=(Fault.CRASH_AFTER, Fault.INVOKE_THROTTLED),
    share_redriven=0.7,
)
