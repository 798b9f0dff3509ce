"""Signs of life: who runs a job, what it was asked and what it says of itself, watched from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item
from tests.simulation.watchers.invariants import FINAL, State, Violation, is_refusal

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

# Two machines' clocks may disagree by so much before a lease is taken over (`tidemill.domain.limits.CLOCK_SKEW`).
_SKEW_MS = 30_000
# A job looks after five seconds at the latest (`limits.PULSE`); the rest is for calls that are slow.
_HEARS_WITHIN_MS = 5_000 + 3_000
# What belongs to a record that is over, and to nobody any more.
_ENDED = ("state", "result", "progress", "claimable_at", "attempt", "fence", "finished_at")


class Signs:
    """Watches the records of a world's jobs (`tenant#id`), with what the jobs say themselves.

    Attributes:
        running: the process in which each job runs. `killed_at`: when each job was killed.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.running: dict[str, Process] = {}
        self.killed_at: dict[str, int] = {}
        # The fence of the attempt whose sign of life was answered with the wish that it stop.
        self._told: dict[str, int] = {}
        self._claims: dict[tuple[str, Process | None], int] = {}
        self._heard: set[tuple[str, int]] = set()
        self._cleaned: set[tuple[str, int]] = set()

    # --- what the world tells -----------------------------------------------------------------------

    def look(self, job: str, before: Item | None, after: Item) -> None:
        """Check one change of a STATE item."""
        current = self._world.scheduler.current
        writer = current.host if current else None
        is_claim = after["state"]["S"] == "running" and (before is None or after["fence"] != before["fence"])
        if is_claim:
            self._claimed(job, before, after, writer)
        if before is not None:
            self._changed(job, before, after, writer, is_claim=is_claim)
        self._note_kill(job, after)

    # --- what jobs tell -----------------------------------------------------------------------------

    def begins(self, job: str) -> None:
        """The job runs in the process that calls this."""
        self.running[job] = self._world.scheduler.running().host

    def ends(self, job: str) -> None:
        """It does not any more."""
        if self.running.get(job) is self._world.scheduler.running().host:
            del self.running[job]

    def knows(self, job: str) -> bool:
        """Whether the worker that runs the job in this process knows that it is to stop."""
        process = self._world.scheduler.running().host
        fence = self._claims.get((job, process))
        return fence is not None and self._told.get(job) == fence and process not in self._world.calls.hit

    def looked(self, job: str, *, knew: bool) -> None:
        """The job looked, and was not told to stop; `knew`: what its worker knew before."""
        if knew:
            raise Violation("I4", f"{job} was asked to stop, its worker knows it, and it was not told")

    def heard(self, job: str, generation: int) -> None:
        """The job was told to stop, and has something to clean up."""
        self._heard.add((job, generation))

    def cleaned(self, job: str, generation: int) -> None:
        """It did."""
        self._cleaned.add((job, generation))

    def told_twice(self, job: str) -> None:
        """The job was told to stop, and a step of its clean-up was told so again."""
        raise Violation("I8", f"{job} was asked to stop, and can't clean up with a step")

    def acts(self, job: str) -> None:
        """A step of the job begins, or its cursor is recorded."""
        killed_at = self.killed_at.get(job)
        process = self._world.scheduler.running().host
        if killed_at is None or process in self._world.calls.hit or process.held_until:
            return
        if self._world.scheduler.now_ms > killed_at + _HEARS_WITHIN_MS:
            raise Violation("I4", f"{job} was killed, and its worker goes on")

    # --- inside -------------------------------------------------------------------------------------

    def _claimed(self, job: str, before: Item | None, after: Item, writer: Process | None) -> None:
        self._claims[job, writer] = int(after["fence"]["N"])
        if "progress" in after:
            raise Violation("I5", f"{job} shows the progress of an older attempt: {after['progress']['S']}")
        holder = self.running.get(job)
        if before is None or before["state"]["S"] != "running" or holder is None or holder is writer:
            return
        excused = holder.dead or holder.ended or holder.held_until or holder in self._world.calls.hit
        clocks = (writer.skew_ms if writer else 0) - holder.skew_ms
        if not excused and clocks <= _SKEW_MS:
            raise Violation("I5", f"{job} was claimed while {holder.name} lives and runs it")

    def _changed(self, job: str, before: Item, after: Item, writer: Process | None, *, is_claim: bool) -> None:
        if before["state"]["S"] in FINAL and before["generation"] == after["generation"]:
            self._final_stays(job, before, after)
        if after.get("progress") != before.get("progress") and "progress" in after:
            self._says(job, after, writer)
        if before["state"]["S"] != "running" or is_claim:
            return
        is_told = after["state"]["S"] == "running" and "cancel" in before
        if is_told and writer is not None and writer.role.startswith("worker"):
            self._told[job] = int(after["fence"]["N"])
        if after.get("reason", {}).get("S") == "handed_over":
            self._hand_over_is_free(job, before, after)

    def _note_kill(self, job: str, after: Item) -> None:
        if after["state"]["S"] != "cancelled":
            self.killed_at.pop(job, None)
        elif after.get("reason", {}).get("S") == "killed":
            self.killed_at.setdefault(job, self._world.scheduler.now_ms)

    def _says(self, job: str, after: Item, writer: Process | None) -> None:
        fence = self._claims.get((job, writer))
        if fence != int(after["fence"]["N"]) or f'"f{fence}"' not in after["progress"]["S"]:
            raise Violation("I5", f"{job} shows the progress of another attempt: {after['progress']['S']}, {fence}")

    def _final_stays(self, job: str, before: Item, after: Item) -> None:
        changed = [name for name in _ENDED if before.get(name) != after.get(name)]
        is_closing = changed == ["fence"] and State.of(after).is_closed and not State.of(before).is_closed
        if changed and "due_pk" not in before and not is_refusal(before) and not is_closing:
            raise Violation("I4", f"{job} is over and was written all the same: {changed}")

    def _hand_over_is_free(self, job: str, before: Item, after: Item) -> None:
        is_concluded = after["concluded"] != before["concluded"]
        if is_concluded and int(after["attempt"]["N"]) != int(before["attempt"]["N"]) - 1:
            raise Violation("I14", f"{job} was handed over and its attempt was not given back: {_tries(before, after)}")

    def audit(self) -> None:
        """Who was told that a job is cancelled finds it so; a job that heard it ends so once it has cleaned up."""
        records = self._world.cloud.records()
        at_once = {
            (job, generation) for job, state, generation in self._world.operators.answers if state == "cancelled"
        }
        for job, generation in sorted(self._heard - self._cleaned - at_once):
            item = records.get(job)
            if item is not None and item["state"]["S"] == "cancelled" and int(item["generation"]["N"]) == generation:
                raise Violation("I8", f"{job} was told to stop, and is cancelled without its clean-up")
        for job, state, generation in self._world.operators.answers:
            item = records.get(job)
            if state != "cancelled" or item is None or int(item["generation"]["N"]) != generation:
                continue
            if item["state"]["S"] != "cancelled":
                raise Violation("I4", f"{job} was said to be cancelled in g{generation} and is {item['state']['S']}")


def _tries(*items: Any) -> str:
    return " -> ".join(f"{item['state']['S']} a{item['attempt']['N']}" for item in items)
