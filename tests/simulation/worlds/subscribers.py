"""Facts on a bus, and two kinds that hear of them: facts come late, twice, in another order, and again in a replay."""

from __future__ import annotations

import uuid

from tests.simulation.asking import TENANTS, WELL, sometime, soon
from tests.simulation.eventbridge import Rules
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.hearing import FACTS, FOLLOW, HEAR, Moved
from tests.simulation.setting import Setting
from tests.simulation.watchers.hearings import audit_hearings
from tests.simulation.world import World
from tidemill.domain.fact import Fact, data_of

_CONDUCTS = (
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 99),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.WAITS, 1),
)


def prepare(world: World) -> int:
    """Publish one to three facts of one or two subjects, and sometimes replay them."""
    rng = world.rng
    trouble_ms = rng.choice((240_000, 900_000))
    world.behaviours[FACTS] = rng.choice(_CONDUCTS)
    rules = world.part(Rules)
    subjects = ("thing/1", "thing/2")[: rng.choice((1, 1, 1, 2))]
    for number in range(rng.choice((1, 2, 2, 3))):
        event = Moved(place=number, beside="x" * rng.randrange(20))
        at_ms = soon(world)
        fact = Fact(
            id=str(uuid.UUID(int=rng.getrandbits(128), version=4)),
            type=Moved.event_type,
            data=data_of(event),
            tenant=rng.choice(TENANTS) if rng.random() < 0.1 else TENANTS[0],
            at=at_ms,
            correlation_id=f"story-{number}",
            subject=rng.choice(subjects),
            sequence=number + 1,
        )
        rules.publish(at_ms, fact)
    if rng.random() < 0.3:
        kinds = rng.choice(((HEAR,), (FOLLOW,), (HEAR, FOLLOW)))
        at_ms = sometime(world, trouble_ms)
        world.later(at_ms, lambda: rules.replay(at_ms, kinds, "again"))
    return trouble_ms


SETTING = Setting(
    "subscribers",
    "facts that the rules of a bus send late, twice, in another order, by way of the DLQ, and again in a replay, to "
    "a kind of a lane without order and one of a lane in order",
    prepare,
    certain=(Fault.PARTIAL,),
    share_redriven=0.0,
    quiet_within_ms=4 * 3_600_000,
    most_calls=8_000,
    audits=(audit_hearings,),
    has_subscribers=True,
)
