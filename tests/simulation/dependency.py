"""The service that jobs call: it applies each idempotency key once, and is down, slow or wrong at times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World


class DependencyDownError(ConnectionError):
    """Nothing answers."""


@dataclass(frozen=True, slots=True)
class Response:
    """As much of an HTTP response as says that it is not now."""

    status_code: int
    headers: Mapping[str, str]


class AnsweredError(Exception):
    """An HTTP client's error."""

    def __init__(self, status_code: int, **headers: str) -> None:
        super().__init__(f"answered {status_code}")
        self.response = Response(status_code, {name.replace("_", "-"): value for name, value in headers.items()})


# How a service that is down shows it.
SIGNS: tuple[Callable[[], Exception], ...] = (
    lambda: DependencyDownError("connection refused"),
    lambda: AnsweredError(503),
    lambda: AnsweredError(503, Retry_After="240"),
    lambda: AnsweredError(429, Retry_After="240"),
)


class Dependency:
    """A ledger of effects.

    Attributes:
        applied: the effects: by idempotency key what was applied under it, once.
        asked: how often each key was asked for.
        jobs: those that had an effect, as `tenant#id`.
        is_down: it serves nobody. `sign`: how it shows that.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.applied: dict[str, object] = {}
        self.asked: Counter[str] = Counter()
        self.jobs: dict[str, None] = {}
        # Are told of each effect at its very moment, repeated ones too: the job and what.
        self.watchers: list[Callable[[str, object], None]] = []
        self.is_down = False
        self.sign = SIGNS[0]

    def apply(self, job: str, what: object, key: str | None = None) -> object:
        """Apply `what` for `job` (`tenant#id`) under `key`, or answer what was applied under it before.

        A job with one effect needs no key but its own name.
        """
        key = key or job
        world = self._world
        world.scheduler.sleep(world.rng.choice((1, 3, 40)))
        if self.is_down or world.faults.strikes(Fault.DEPENDENCY_DOWN):
            world.tell("dependency", "down", key)
            raise self.sign()
        if world.faults.strikes(Fault.DEPENDENCY_SLOW):
            world.strike(Fault.DEPENDENCY_SLOW)
            world.scheduler.sleep(world.rng.choice((1_000, 30_000, 70_000)))
        self.asked[key] += 1
        self.jobs[job] = None
        first = self.applied.setdefault(key, what)
        for watcher in self.watchers:
            watcher(job, what)
        world.tell("dependency", "applied", key)
        if world.faults.strikes(Fault.DEPENDENCY_WRONG):
            world.strike(Fault.DEPENDENCY_WRONG)
            raise TimeoutError("the answer was lost")
        world.scheduler.sleep(world.rng.choice((1, 1, 20)))
        return first
