"""A few jobs of every sort that fail, kill, hang and wait, from submits, bulks and plain messages."""

from __future__ import annotations

from tests.simulation.asking import EVERY_CONDUCT, WELL, sometime, soon, want
from tests.simulation.setting import Setting
from tests.simulation.world import World


def prepare(world: World) -> int:
    """Ask for one to five jobs."""
    rng, number = world.rng, 0
    trouble_ms = rng.choice((60_000, 300_000, 900_000))
    while number < rng.randint(1, 3):
        number += _ask(world, number)
    if rng.random() < 0.1:
        world.submitters.send_rubbish(soon(world))
    if rng.random() < 0.3:
        end = rng.choice((world.operators.cancel, world.operators.cancel, world.operators.kill))
        end(rng.choice((soon(world), sometime(world, trouble_ms))))
    return trouble_ms


def _ask(world: World, number: int) -> int:
    rng = world.rng
    via = rng.choice(("submit", "submit", "bulk", "message"))
    count = 3 if via == "bulk" else 1
    keyed = rng.random() < 0.3
    delay_s = rng.choice((0, 0, 0, 30)) if via != "message" else 0
    wanted = [
        want(
            world,
            number + i,
            rng.choice(EVERY_CONDUCT),
            via=via,
            key=f"key-{number + i}" if keyed else None,
            delay_s=delay_s,
        )
        for i in range(count)
    ]
    world.submitters.start(wanted, soon(world))
    if keyed and rng.random() < 0.5:
        # Somebody else has the same idea.
        world.submitters.start(wanted, soon(world))
    elif keyed and via == "submit":
        # Somebody has another idea, and the same key.
        rival = want(world, number + 1, WELL, key=wanted[0].key, tenant=wanted[0].tenant, kind=wanted[0].kind)
        world.submitters.start([rival], soon(world))
        return 2
    return count


SETTING = Setting(
    "basic",
    "retry, timeout, poison, plain messages, keys and bulks: jobs that fail, kill their process, hang and wait",
    prepare,
)
