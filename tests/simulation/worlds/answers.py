"""Jobs that wait for answers: given early, late, twice, by programs and with tokens, while everything fails."""

from __future__ import annotations

from tests.simulation.answerers import Answerers
from tests.simulation.asking import WELL, sometime, soon, want
from tests.simulation.jobs.answered import KIND, LASTS_S, NAMES
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.watchers.answers import Answers, audit_answers
from tests.simulation.world import World

_CONDUCTS = (
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 3),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 2),
    Behaviour(Conduct.FAILS, 99),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.KILLS, 2),
    Behaviour(Conduct.HANGS, 1),
    Behaviour(Conduct.WAITS, 2),
)
_TIMEOUTS_S = (20, 90, 240, 600, 3_600)


def prepare(world: World) -> int:
    """Ask for one or two jobs that wait, and let people answer, cancel and redrive them."""
    rng, answerers = world.rng, world.part(Answerers)
    trouble_ms = rng.choice((120_000, 600_000, 1_500_000))
    answerers.share = rng.choice((0.3, 1.0, 1.2))
    for number in range(rng.choice((1, 1, 2))):
        _ask(world, number)
        for _ in range(rng.choice((0, 0, 1, 2))):
            at_ms = soon(world) if rng.random() < 0.5 else sometime(world, trouble_ms)
            answerers.early(number, rng.choice(NAMES), at_ms, times=rng.choice((1, 1, 2)))
    if rng.random() < 0.3:
        end = rng.choice((world.operators.cancel, world.operators.cancel, world.operators.kill))
        end(sometime(world, trouble_ms))
    for _ in range(rng.choice((0, 0, 1, 2))):
        world.operators.redrive_at_desk(sometime(world, trouble_ms))
    return trouble_ms


def _ask(world: World, number: int) -> None:
    rng, waits = world.rng, []
    for name in rng.sample(NAMES, rng.choice((1, 1, 2))):
        timeout_s = rng.choice(_TIMEOUTS_S)
        remind_s = rng.choice(([], [], [timeout_s // 3], [timeout_s // 4, timeout_s // 2]))
        waits.append((name, timeout_s, remind_s))
        world.part(Answers).timeouts[number, name] = timeout_s * 1_000
    wanted = want(
        world,
        number,
        rng.choice(_CONDUCTS),
        kind=KIND,
        key=f"key-{number}" if rng.random() < 0.3 else None,
        details={
            "waits": waits,
            "stumbles": rng.randint(0, len(waits)),
            "busy_s": rng.choice((0, 0, 3, 20)),
            "catches": rng.random() < 0.7,
            "lasts_s": rng.choice((0, *LASTS_S)),
        },
    )
    world.submitters.start([wanted], soon(world))
    if wanted.key is not None and rng.random() < 0.5:
        world.submitters.start([wanted], soon(world))


SETTING = Setting(
    "answers",
    "jobs that wait for answers: given early, late, twice, by programs and with tokens, while workers and sweeps fail",
    prepare,
    share_redriven=0.5,
    quiet_within_ms=4 * 3_600_000,
    audits=(audit_answers,),
)
