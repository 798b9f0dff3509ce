"""A dependency that is down for minutes or hours, in each of the ways that show it; nothing else is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.asking import WELL, soon, want
from tests.simulation.dependency import SIGNS
from tests.simulation.faults import HARMLESS
from tests.simulation.setting import Setting
from tests.simulation.watchers.invariants import State, Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

_MINUTE_MS = 60_000
# A policy whose `cap` is 40 s has used up its hundred deferrals after 33 to 66 minutes, the default after days.
_SHORT, _LONG = (5, 30), (5, 5, 5, 30, 30, 120, 360)


def prepare(world: World) -> int:
    """Ask for one to four jobs before or during the outage."""
    rng = world.rng
    lasts_ms = rng.choice(_LONG) * _MINUTE_MS
    begins_ms = rng.choice((0, 50, 3_000))
    world.dependency.sign = rng.choice(SIGNS)
    kinds = ("sim.invoice", "sim.import")
    if lasts_ms <= max(_SHORT) * _MINUTE_MS:
        kinds = ("sim.invoice", "sim.import", "sim.charge", "sim.notify")
    for number in range(rng.randint(1, 4)):
        at_ms = rng.choice((soon(world), world.scheduler.now_ms + rng.randrange(lasts_ms)))
        via = rng.choice(("submit", "submit", "message"))
        world.submitters.start([want(world, number, WELL, kind=rng.choice(kinds), via=via)], at_ms)
    world.scheduler.after(begins_ms, lambda: _turn(world, down=True))
    world.scheduler.after(begins_ms + lasts_ms, lambda: _turn(world, down=False))
    return begins_ms + lasts_ms


def _turn(world: World, *, down: bool) -> None:
    world.tell("the dependency is", "down" if down else "back")
    world.dependency.is_down = down


def nobody_suffers(world: World) -> None:
    """Every job succeeded, no attempt was spent on the outage, and no DLQ holds anything."""
    for job, item in world.cloud.records().items():
        state = State.of(item)
        if state.state != "succeeded":
            raise Violation("I14", f"only a dependency was down, and {job} is {state}: {state.reason}")
        if state.attempt != 1:
            raise Violation("I14", f"only a dependency was down, and {job} has spent {state.attempt} attempts")
    for message in world.cloud.buried():
        raise Violation("I14", f"only a dependency was down, and a DLQ holds message {message.id}")


SETTING = Setting(
    "outage",
    "a dependency is down for 5 minutes to 6 hours and shows it in one of four ways; nothing else is wrong",
    prepare,
    kinds=HARMLESS,
    quiet_within_ms=4 * 3_600_000,
    most_calls=3_000,
    audits=(nobody_suffers,),
)
