"""Jobs of one entity after the other: they fail, wait, kill their process and die, and nobody overtakes them."""

from __future__ import annotations

from tests.simulation.asking import TENANTS, WELL, sometime, soon, want
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.watchers.order import Line, audit_line
from tests.simulation.world import World

_CONDUCTS = (
    WELL,
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 4),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.KILLS, 3),
    Behaviour(Conduct.DOZES, 1),
    Behaviour(Conduct.WAITS, 1),
    Behaviour(Conduct.WAITS, 2),
)
# More would wait for a free worker.
_ENTITIES = ((TENANTS[0], "order-1"), (TENANTS[0], "order-2"), (TENANTS[1], "order-1"))


def prepare(world: World) -> int:
    """Ask for two to five jobs of one to three entities."""
    rng, number = world.rng, 0
    world.part(Line)
    trouble_ms = rng.choice((60_000, 300_000, 900_000))
    entities = rng.sample(_ENTITIES, rng.choice((1, 1, 1, 2, 3)))
    # By all submits of one entity, or by none.
    numbered = [rng.random() < 0.3 for _ in entities]
    while number < rng.choice((2, 2, 3)):
        which = rng.randrange(len(entities))
        number += _ask(world, number, *entities[which], own=numbered[which])
    for _ in range(rng.choice((0, 0, 0, 1, 2))):
        act = rng.choice(
            (
                world.operators.cancel,
                world.operators.kill,
                world.operators.redrive_at_console,
                world.operators.redrive_at_desk,
                world.operators.redrive_lane,
            )
        )
        act(sometime(world, trouble_ms))
    return trouble_ms


def _ask(world: World, number: int, tenant: str, entity: str, *, own: bool) -> int:
    rng = world.rng
    via = rng.choice(("submit", "submit", "bulk", "bulk", "message"))
    count = rng.choice((2, 2, 3)) if via == "bulk" else 1
    keyed = rng.random() < 0.3
    wanted = [
        want(
            world,
            number + i,
            rng.choice(_CONDUCTS),
            kind="sim.transfer",
            tenant=tenant,
            via=via,
            key=f"key-{number + i}" if keyed else None,
            entity=entity,
            sequence=100 + number + i if own else None,
        )
        for i in range(count)
    ]
    at_ms = soon(world)
    world.submitters.start(wanted, at_ms)
    if keyed and rng.random() < 0.5:
        # Somebody else has the same idea, or it is a rerun of what died.
        world.submitters.start(wanted, at_ms + rng.choice((0, 100, 5_000, 60_000, 300_000)))
    return count


SETTING = Setting(
    "fifo",
    "a lane in order: jobs of one entity that fail, wait, kill their worker, die, are cancelled and put back",
    prepare,
    certain=(Fault.PARTIAL,),
    share_redriven=0.6,
    quiet_within_ms=4 * 3_600_000,
    audits=(audit_line,),
)
