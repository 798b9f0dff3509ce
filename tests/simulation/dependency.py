"""The service that jobs call: it applies each idempotency key once, and is down, slow or wrong at times."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World


class DependencyDownError(ConnectionError):
    """Nothing answers."""


class Dependency:
    """A ledger of effects.

    Attributes:
        applied: the effects: by idempotency key what was applied under it, once.
        asked: how often each key was asked for.
        jobs: those that had an effect, as `tenant#id`.
        is_down: nothing answers.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.applied: dict[str, object] = {}
        self.asked: Counter[str] = Counter()
        self.jobs: dict[str, None] = {}
        self.is_down = False

    def apply(self, job: str, what: object, key: str | None = None) -> object:
        """Apply `what` for `job` (`tenant#id`) under `key`, or answer what was applied under it before.

        A job with one effect needs no key but its own name.
        """
        key = key or job
        world = self._world
        world.scheduler.sleep(world.rng.choice((1, 3, 40)))
        if self.is_down or world.faults.strikes(Fault.DEPENDENCY_DOWN):
            world.tell("dependency", "down", key)
            raise DependencyDownError("connection refused")
        if world.faults.strikes(Fault.DEPENDENCY_SLOW):
            world.strike(Fault.DEPENDENCY_SLOW)
            world.scheduler.sleep(world.rng.choice((1_000, 30_000, 70_000)))
        self.asked[key] += 1
        self.jobs[job] = None
        first = self.applied.setdefault(key, what)
        world.tell("dependency", "applied", key)
        if world.faults.strikes(Fault.DEPENDENCY_WRONG):
            world.strike(Fault.DEPENDENCY_WRONG)
            raise TimeoutError("the answer was lost")
        world.scheduler.sleep(world.rng.choice((1, 1, 20)))
        return first
