"""A few short stories, each told without chance but for what takes how long: what faults are enumerated in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.asking import WELL, want
from tests.simulation.clerks import Clerks
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.large import filled
from tests.simulation.jobs.noticed import NOTICES
from tests.simulation.setting import Setting
from tests.simulation.stage import LARGE_BYTES
from tests.simulation.watchers.deaths import Deaths
from tests.simulation.watchers.depot import Depot, audit_depot
from tests.simulation.watchers.order import Line, audit_line

if TYPE_CHECKING:
    from tests.simulation.world import World

_TROUBLE_MS = 1_800_000


@dataclass(frozen=True, slots=True)
class Flow:
    """One short story, told without chance but for what takes how long."""

    name: str
    begin: Callable[[World], None]
    audits: tuple[Callable[[World], None], ...] = ()

    def setting(self, *, ends_at_rest: bool = False) -> Setting:
        """As a world; its trouble ends once all is at rest, or after half an hour."""

        def prepare(world: World) -> int:
            self.begin(world)
            return _TROUBLE_MS

        return Setting(
            self.name,
            "",
            prepare,
            share_redriven=1,
            quiet_within_ms=4 * 3_600_000,
            ends_at_rest=ends_at_rest,
            audits=self.audits,
        )


def jobs(count: int = 1, behaviour: Behaviour = WELL, **how: Any) -> Callable[[World], None]:
    """Somebody asks for jobs of one sort at once."""

    def begin(world: World) -> None:
        wanted = [want(world, i, behaviour, **{"kind": "sim.charge", "tenant": "acme", **how}) for i in range(count)]
        world.submitters.start(wanted, world.scheduler.now_ms)

    return begin


def _twice(world: World) -> None:
    wanted = want(world, 0, WELL, kind="sim.charge", tenant="acme", key="key")
    world.submitters.start([wanted], world.scheduler.now_ms)
    world.submitters.start([wanted], world.scheduler.now_ms + 3)


def _cancelled(world: World) -> None:
    jobs(delay_s=600)(world)
    world.operators.cancel(world.scheduler.now_ms + 1_000)


def _redriven(world: World) -> None:
    jobs(behaviour=Behaviour(Conduct.REFUSES, 1))(world)
    world.operators.redrive_at_desk(world.scheduler.now_ms + 10_000)


_TWO_STEPS = {"plan": ["key", "free large"], "trouble": []}
# The second of three units ends where little is left of the 20 s that one attempt may take.
_HANDED_OVER = {
    "units": 3,
    "pace_ms": 9_000,
    "every": 1,
    "says": "progress",
    "cleans": "nothing",
    "trouble": [],
}


def _in_order(world: World) -> None:
    world.part(Line)
    for number, behaviour in enumerate((Behaviour(Conduct.FAILS, 1), WELL)):
        wanted = want(world, number, behaviour, kind="sim.transfer", tenant="acme", entity="order")
        world.submitters.start([wanted], world.scheduler.now_ms + 1_000 * number)


def _in_bulk(world: World) -> None:
    world.part(Line)
    jobs(2, kind="sim.transfer", entity="order", via="bulk")(world)


def _stored(world: World) -> None:
    world.part(Depot)
    size = LARGE_BYTES + 300
    details = {"text": filled("acme/text", size), "answer": size, "draft": size}
    jobs(kind="sim.archive", details=details)(world)


def _restarted(world: World) -> None:
    jobs(behaviour=Behaviour(Conduct.REFUSES, 1), kind="sim.mend")(world)
    world.part(Clerks).restart(world.scheduler.now_ms + 10_000)


def _noticed(world: World) -> None:
    world.part(Deaths)
    world.behaviours[NOTICES] = WELL
    jobs(behaviour=Behaviour(Conduct.REFUSES, 1), kind="sim.risk")(world)


FLOWS = (
    Flow("succeeds", jobs()),
    Flow("is retried", jobs(behaviour=Behaviour(Conduct.FAILS, 1))),
    Flow("kills its worker", jobs(behaviour=Behaviour(Conduct.KILLS, 1))),
    Flow("batch of three", jobs(3, via="bulk")),
    Flow("plain message", jobs(via="message")),
    Flow("key twice", _twice),
    Flow("parked", jobs(kind="sim.import", delay_s=930)),
    Flow("cancelled", _cancelled),
    Flow("dies and is redriven", _redriven),
    Flow("two steps", jobs(kind="sim.order", details=_TWO_STEPS)),
    Flow("handed over", jobs(kind="sim.tour", details=_HANDED_OVER)),
    Flow("two in order", _in_order, (audit_line,)),
    Flow("two in order at once", _in_bulk, (audit_line,)),
    Flow("one large job", _stored, (audit_depot,)),
    Flow("dies and is restarted", _restarted),
    Flow("dies and is told of", _noticed),
)
