"""One job kills its worker, or hangs where nothing can interrupt it, in a batch with others that are well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.asking import WELL, soon, want
from tests.simulation.faults import HARMLESS, Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.watchers.invariants import State, Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

# docs/limits.md, "workers that may die with one job"; written here anew, for the shipped number is what is looked at.
MOST_DEATHS = 3
_POISON = (
    Behaviour(Conduct.KILLS, 99),
    Behaviour(Conduct.KILLS, 99),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.KILLS, MOST_DEATHS),
    Behaviour(Conduct.HANGS, 1),
)


def prepare(world: World) -> int:
    """Ask for three to eight jobs at once, of which one is poison."""
    rng = world.rng
    count = rng.randint(3, 8)
    poison = rng.randrange(count)
    wanted = [
        want(world, number, rng.choice(_POISON) if number == poison else WELL, kind="sim.charge", via="bulk")
        for number in range(count)
    ]
    world.submitters.start(wanted, soon(world))
    return 1_800_000


def the_others_are_well(world: World) -> None:
    """Whatever one job does to its worker, the others succeed, and the killer ends as poison after three deaths."""
    records = world.cloud.records()
    for job, number in world.ledger.accepted.items():
        state, behaviour = State.of(records[job]), world.behaviours[number]
        started = world.ledger.started_in[job, state.generation]
        if behaviour == WELL:
            if state.state != "succeeded":
                raise Violation("I25", f"{job} is well, and {state} because of another job: {state.reason}")
        elif behaviour.conduct is Conduct.KILLS and started > MOST_DEATHS:
            raise Violation("I25", f"{job} killed {started} workers in one generation")
        elif behaviour.times == 99 and state.reason not in ("poison", "crashed"):
            raise Violation("I25", f"{job} kills its worker always, and is {state}: {state.reason}")


SETTING = Setting(
    "poison",
    "one job kills its worker or hangs, in a batch with others that are well",
    prepare,
    kinds=(*HARMLESS, Fault.CLOCK_SKEW),
    share_redriven=0.5,
    audits=(the_others_are_well,),
)
