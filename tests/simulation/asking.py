"""Pieces that worlds are put together from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.watchers.ledger import Wanted

if TYPE_CHECKING:
    from tests.simulation.world import World

TENANTS = ("acme", "bolt")
WELL = Behaviour()
EVERY_CONDUCT = (
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 2),
    Behaviour(Conduct.FAILS, 99),
    Behaviour(Conduct.REFUSES, 99),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.KILLS, 99),
    Behaviour(Conduct.HANGS, 1),
    Behaviour(Conduct.DOZES, 1),
    Behaviour(Conduct.WAITS, 2),
    Behaviour(Conduct.MUMBLES, 99),
    Behaviour(Conduct.BOASTS, 99),
    Behaviour(Conduct.BLABS, 2),
    Behaviour(Conduct.BLABS, 99),
)


def want(world: World, number: int, behaviour: Behaviour, **how: Any) -> Wanted:
    """A job that behaves so."""
    world.behaviours[number] = behaviour
    how.setdefault("kind", world.rng.choice(("sim.charge", "sim.notify")))
    how.setdefault("tenant", world.rng.choice(TENANTS))
    return Wanted(number=number, behaviour=behaviour, **how)


def soon(world: World) -> int:
    """A moment within the first minute; often the same as others'."""
    return world.scheduler.now_ms + world.rng.choice((0, 1, 5, 100, 3_000, 60_000))


def sometime(world: World, within_ms: int) -> int:
    """A moment within the trouble."""
    return world.scheduler.now_ms + world.rng.randrange(within_ms)


def ask_and_meddle(world: World, ask: Callable[[World, int], None], meddle: Callable[[World, int], None]) -> int:
    """Ask for one or two jobs by their numbers, and let somebody meddle up to twice within the trouble.

    Answers how long the trouble lasts, in milliseconds.
    """
    rng = world.rng
    trouble_ms = rng.choice((60_000, 300_000, 900_000))
    for number in range(rng.randint(1, 2)):
        ask(world, number)
    for _ in range(rng.choice((0, 1, 1, 2))):
        meddle(world, trouble_ms)
    return trouble_ms
