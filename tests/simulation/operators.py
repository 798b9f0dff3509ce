"""Those who look after jobs: they cancel, and they redrive what is dead, at any moment and more than once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.watchers.moves import Moves
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, NothingMatchedError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.service.editing import Edit
from tidemill.service.manner import RESUME, Manner, Mode

if TYPE_CHECKING:
    from tests.simulation.world import World

# From now: at once, within a sweep's reach, and beyond it.
_WAITS_MS: Final = (0, 20_000, 70_000, 100_000, 300_000, 1_200_000, 3_600_000)
_MANNERS: Final = (RESUME, RESUME, Manner(Mode.RESTART))


class Operators:
    """Starts a process for each thing that an operator does.

    Attributes:
        acted: how many things were redriven or cancelled.
        answers: what those who ended a job were told: the job, its state and its generation.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.acted = 0
        self.answers: list[tuple[str, str, int]] = []
        self._lanes = list(world.deployment.registry.lanes)
        self._client = world.deployment.program.client
        self._desk = world.deployment.program.desk.acting_as("an operator")

    def cancel(self, at_ms: int) -> None:
        """Somebody cancels one of the jobs that there are."""
        self._at(at_ms, "cancel", self._cancel)

    def kill(self, at_ms: int) -> None:
        """Somebody ends one of the jobs that there are without asking it."""
        self._at(at_ms, "kill", self._kill)

    def move(self, at_ms: int) -> None:
        """Somebody wants one of the jobs that there are at another time."""
        self._at(at_ms, "move", self._move)

    def redrive_at_console(self, at_ms: int) -> None:
        """Somebody presses the button in the SQS console."""
        self._world.later(at_ms, self._move_back)

    def redrive_at_desk(self, at_ms: int) -> None:
        """Somebody redrives one dead job."""
        self._at(at_ms, "desk", lambda: self._redrive(None))

    def edit_at_desk(self, at_ms: int) -> None:
        """Somebody lets one dead job run again with arguments that they looked over, and found to be right."""
        self._at(at_ms, "desk", lambda: self._redrive(None, is_edit=True))

    def redrive_lane(self, at_ms: int) -> None:
        """Somebody redrives a whole lane."""
        self._at(at_ms, "desk", self._redrive_lane)

    def redrive_job(self, at_ms: int, job: str) -> None:
        """Somebody redrives this job, and repeats the call until it is answered."""
        self._at(at_ms, "desk", lambda: self._redrive(job))

    def _at(self, at_ms: int, name: str, main: object) -> None:
        world = self._world
        self.acted += 1
        world.later(at_ms, lambda: world.start(name, main, role="operator"))

    def _cancel(self) -> None:
        self._end(self._client.cancel)

    def _kill(self) -> None:
        self._end(self._client.kill)

    def _move(self) -> None:
        world, job = self._world, self._any("scheduled") or self._any("queued")
        if job is None:
            return
        tenant, _, job_id = job.partition("#")
        due_ms = world.scheduler.now_ms + world.rng.choice(_WAITS_MS)
        move = world.part(Moves).begin(job, due_ms)
        try:
            moved = self._client.move(job_id, to=datetime.fromtimestamp(due_ms / 1000, UTC), tenant=tenant)
        except (InputError, JobNotFoundError, JobStateError) as error:
            world.part(Moves).refuse(move)
            world.tell("not moved", job, error.code)
        except UnavailableError as error:
            world.tell("moved, maybe", job, error.cause)
        else:
            world.part(Moves).accept(move, moved.generation)
            world.tell("moved", job, str(moved.state), due_ms)

    def _end(self, end: Callable[[str, str], Any]) -> None:
        job = self._any("")
        for _ in range(20):
            if job is not None:
                break
            self._world.scheduler.sleep(self._world.rng.choice((1, 3, 5, 100)))
            job = self._any("")
        else:
            return
        tenant, _, job_id = job.partition("#")
        try:
            ended = end(job_id, tenant)
        except (JobNotFoundError, JobStateError, UnavailableError) as error:
            self._world.tell("not cancelled", job, error.code)
            return
        self.answers.append((job, str(ended.state), ended.generation))
        self._world.tell("ended", job, str(ended.state))

    def _move_back(self) -> None:
        self.acted += 1
        self._world.tell("console redrive")
        for lane in self._lanes:
            self._world.cloud.move_back(lane)
        self._world.poke()

    def _redrive(self, job: str | None, *, is_edit: bool = False) -> None:
        chosen = job or self._any("dead")
        if chosen is None:
            return
        tenant, _, job_id = chosen.partition("#")
        manner = self._world.rng.choice(_MANNERS)
        for _ in range(4):
            try:
                self._world.memories.asks(manner.forget)
                ref = JobRef(tenant, job_id)
                redriven = self._desk.edit(ref, Edit({}), manner) if is_edit else self._desk.redrive(ref, manner)
            except UnavailableError:
                self._world.scheduler.sleep(2_000)
                continue
            except (JobNotFoundError, JobStateError) as error:
                self._world.tell("not redriven", chosen, error.code)
                return
            self._world.tell("redriven", chosen, redriven.via)
            return

    def _redrive_lane(self) -> None:
        try:
            events = list(self._desk.redrive_lanes(self._lanes))
        except (UnavailableError, NothingMatchedError):
            return
        self._world.tell("lanes redriven", events)

    def _any(self, state: str) -> str | None:
        """An operator looks at the true table: what they read may be old by the time they act."""
        records = self._world.cloud.records()
        there = [job for job, item in records.items() if item["state"]["S"].startswith(state)]
        return self._world.rng.choice(there) if there else None
