"""What goes wrong for a while and then stops: rights that are missing, an event source that is off, an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

_LASTS_MS = (2_000, 30_000, 120_000, 600_000)


def brew(world: World, trouble_ms: int) -> None:
    """Choose when what goes wrong during the trouble."""
    if world.faults.is_on(Fault.ACCESS_DENIED):
        _at(world, trouble_ms, lambda: _deny(world))
    if world.faults.is_on(Fault.SOURCE_DISABLED):
        _at(world, trouble_ms, lambda: _disable(world))
    if world.faults.is_on(Fault.DEPENDENCY_DOWN):
        _at(world, trouble_ms, lambda: _outage(world))


def _at(world: World, trouble_ms: int, begin: object) -> None:
    world.scheduler.after(world.rng.randrange(trouble_ms), begin)  # type: ignore[arg-type]


def _deny(world: World) -> None:
    if not world.is_healed:
        world.deny(world.rng.choice(("dynamodb", "sqs")), world.scheduler.now_ms + world.rng.choice(_LASTS_MS))


def _disable(world: World) -> None:
    if world.is_healed:
        return
    world.strike(Fault.SOURCE_DISABLED)
    world.enable_sources(enabled=False)
    world.scheduler.after(world.rng.choice(_LASTS_MS), lambda: world.enable_sources(enabled=True))


def _outage(world: World) -> None:
    if world.is_healed:
        return
    world.strike(Fault.DEPENDENCY_DOWN)
    world.dependency.is_down = True

    def end() -> None:
        world.dependency.is_down = False

    world.scheduler.after(world.rng.choice(_LASTS_MS), end)
