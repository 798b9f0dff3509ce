"""Those who make and change schedules, each in a process of its own, and again until they are answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from tests.simulation.jobs.ticking import Tick
from tests.simulation.watchers.ticks import Ticks
from tidemill import minutes
from tidemill.domain.cron import Cron, Every, Timing
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.schedule_row import ScheduleRow

if TYPE_CHECKING:
    from tests.simulation.world import World

TRIES: Final = 6
_TENANT: Final = "acme"
_IDS: Final = UUID(int=0)
_POLICIES: Final = (
    {},
    {},
    {"overlap": "skip"},
    {"overlap": "queue_one"},
    {"missed": "skip"},
    {"missed": "run_all", "missed_limit": 3},
)


class Planners:
    """Starts a process for each thing that is wanted of a schedule."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._schedules = world.deployment.program.client.schedules.acting_as("a planner")
        self._ticks = world.part(Ticks)

    def create(self, name: str, at_ms: int) -> None:
        """Somebody makes a schedule."""
        policy: Any = self._world.rng.choice(_POLICIES)
        args, timing = self._args(name), self._timing()
        self._at(at_ms, name, "create", lambda: self._schedules.create(name, args, timing, tenant=_TENANT, **policy))

    def meddle(self, name: str, at_ms: int) -> None:
        """Somebody changes it."""
        schedules, rng = self._schedules, self._world.rng
        args, timing, policy = self._args(name), self._timing(), rng.choice(_POLICIES[1:])
        verbs: dict[str, Callable[[], ScheduleRow]] = {
            "arguments": lambda: schedules.change(name, tenant=_TENANT, args=args),
            "times": lambda: schedules.change(name, tenant=_TENANT, timing=timing, args=args),
            "policy": lambda: schedules.change(name, tenant=_TENANT, args=args, **policy),
            "pause": lambda: schedules.pause(name, tenant=_TENANT),
            "resume": lambda: schedules.resume(name, tenant=_TENANT),
            "revert": lambda: schedules.revert(name, 1, tenant=_TENANT),
            "delete": lambda: schedules.delete(name, tenant=_TENANT),
        }
        verb = rng.choice(("arguments", "arguments", "times", "policy", "pause", "resume", "revert", "delete"))
        self._at(at_ms, name, verb, verbs[verb])

    def trigger(self, name: str, at_ms: int) -> None:
        """Somebody wants a job of it now: one, however often they ask."""
        job_id = str(uuid5(_IDS, f"{name} {at_ms}"))
        self._ticks.triggered.add(f"{_TENANT}#{job_id}")
        self._at(at_ms, name, "trigger", lambda: self._schedules.trigger(name, tenant=_TENANT, job_id=job_id))

    def delete(self, name: str, at_ms: int) -> None:
        """Somebody ends it."""
        self._at(at_ms, name, "delete", lambda: self._schedules.delete(name, tenant=_TENANT))

    def _at(self, at_ms: int, name: str, verb: str, call: Callable[[], Any]) -> None:
        def main() -> None:
            self._insist(name, verb, call)

        self._world.later(at_ms, lambda: self._world.start(f"{verb}-{name}", main, role="client"))

    def _insist(self, name: str, verb: str, call: Callable[[], Any]) -> None:
        for _ in range(TRIES):
            try:
                answer = call()
            except UnavailableError:
                self._world.scheduler.sleep(self._world.rng.choice((500, 2_000, 30_000)))
                continue
            except TidemillError as error:
                self._world.tell("refused", verb, error.code)
                return
            if isinstance(answer, ScheduleRow):
                self._ticks.answered(f"{_TENANT}/{name}", answer.version)
            return

    def _args(self, name: str) -> Tick:
        return Tick(schedule=name, owner=_TENANT, mark=self._world.next_number())

    def _timing(self) -> Timing:
        rng = self._world.rng
        count = rng.choice((1, 1, 2, 5))
        return Every(minutes(count)) if rng.random() < 0.5 else Cron(f"*/{count} * * * *")
