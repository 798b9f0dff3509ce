"""Jobs whose deaths are told: by a worker, by the census, by poison; redriven, and dying again."""

from __future__ import annotations

import json

from tests.simulation.asking import WELL, sometime, soon, want
from tests.simulation.cloud import queue_url
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import CANARY, LANE, Behaviour, Conduct
from tests.simulation.jobs.noticed import NOTICES
from tests.simulation.setting import Setting
from tests.simulation.watchers.deaths import Deaths, audit_deaths
from tests.simulation.world import World

_CONDUCTS = (
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 2),
    Behaviour(Conduct.FAILS, 4),
    Behaviour(Conduct.KILLS, 3),
    Behaviour(Conduct.KILLS, 99),
    Behaviour(Conduct.HANGS, 3),
    WELL,
)
# How those that are told behave.
_TOLD = (WELL, WELL, Behaviour(Conduct.FAILS, 1), Behaviour(Conduct.REFUSES, 99), Behaviour(Conduct.KILLS, 3))


def prepare(world: World) -> int:
    """Ask for one or two jobs that die at first, most of them of a kind whose death is told."""
    rng = world.rng
    trouble_ms = rng.choice((120_000, 600_000, 1_800_000))
    world.part(Deaths)
    world.behaviours[NOTICES] = rng.choice(_TOLD)
    for number in range(rng.randint(1, 2)):
        wanted = want(
            world,
            number,
            rng.choice(_CONDUCTS),
            kind=rng.choice(("sim.risk", "sim.risk", "sim.risk", "sim.charge")),
            via=rng.choice(("submit", "submit", "message")),
            key=f"key-{number}" if rng.random() < 0.3 else None,
        )
        world.submitters.start([wanted], soon(world))
        if wanted.key is not None and rng.random() < 0.5:
            # A rerun of a dead job by its key: the next generation may die, too.
            world.submitters.start([wanted], sometime(world, trouble_ms))
    if rng.random() < 0.15:
        send_bad(world, soon(world))
    for _ in range(rng.choice((0, 1, 1, 2))):
        redrive = rng.choice((world.operators.redrive_at_console, world.operators.redrive_at_desk))
        redrive(sometime(world, trouble_ms))
    if rng.random() < 0.15:
        end = rng.choice((world.operators.cancel, world.operators.kill))
        end(sometime(world, trouble_ms))
    return trouble_ms


def send_bad(world: World, at_ms: int) -> None:
    """Somebody sends a message of such a kind that is refused: no job, and so no death to tell of."""
    body = json.dumps({"kind": "sim.risk", "args": {"number": CANARY}})

    def send() -> None:
        world.deployment.program.clients.sqs.send_message(QueueUrl=queue_url(LANE), MessageBody=body)

    world.later(at_ms, lambda: world.start("bad", send, role="client"))


SETTING = Setting(
    "notices",
    "jobs whose deaths are told to another job: by a worker, by the census, by poison, again after a redrive",
    prepare,
    certain=(Fault.PARTIAL, Fault.INVOKE_THROTTLED),
    share_redriven=0.6,
    audits=(audit_deaths,),
)
