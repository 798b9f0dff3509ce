"""Jobs that wait in the table: long delays, long retries, asked-for waits; cancelled, expired and swept meanwhile."""

from __future__ import annotations

from tests.simulation.asking import WELL, sometime, soon, want
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.world import World

_CONDUCTS = (
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 2),
    Behaviour(Conduct.FAILS, 99),
    Behaviour(Conduct.WAITS, 2),
    Behaviour(Conduct.KILLS, 1),
)


def prepare(world: World) -> int:
    """Ask for one to three jobs that wait."""
    rng = world.rng
    trouble_ms = rng.choice((300_000, 2_400_000))
    for number in range(rng.randint(1, 3)):
        delay_s = rng.choice((0, 0, 600, 930, 1_500))
        wanted = want(
            world,
            number,
            rng.choice(_CONDUCTS),
            kind="sim.import",
            key=f"key-{number}" if rng.random() < 0.3 else None,
            delay_s=delay_s,
            expires_s=delay_s + rng.choice((20, 90, 1_200)) if rng.random() < 0.3 else None,
        )
        world.submitters.start([wanted], soon(world))
        if wanted.key is not None and rng.random() < 0.5:
            world.submitters.start([wanted], sometime(world, trouble_ms))
    for _ in range(rng.choice((0, 0, 1, 2))):
        world.operators.cancel(sometime(world, trouble_ms))
    return trouble_ms


SETTING = Setting(
    "parking",
    "waits in the table: delays beyond 15 minutes, long retries, waits asked for; sweep, expiry, cancel",
    prepare,
    quiet_within_ms=4 * 3_600_000,
)
