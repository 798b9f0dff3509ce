"""What must hold of the ticks that EventBridge Scheduler sends (I15): each has one job, which runs for nobody again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.watchers.invariants import Violation, is_refusal
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.world import World


class Fires:
    """The book of the schedule. `due`: its ticks by their times, Unix milliseconds; `jobs`: who ran for each."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.due: dict[int, str] = {}
        self.jobs: dict[int, str] = {}
        world.ledger.watchers.append(self.hear)

    def hear(self, what: str, _: Any, ctx: JobContext, __: Any) -> None:
        """The schedule's job runs."""
        if what != "fired":
            return
        job, at = f"{ctx.tenant}#{ctx.job_id}", ctx.scheduled_at_ms
        if at not in self.due:
            raise Violation("I15", f"{job} runs for a tick at {at}, and there was none")
        first = self.jobs.setdefault(at, job)
        if first != job:
            raise Violation("I15", f"the tick {self.due[at]} has two jobs: {first} and {job}")
        if ctx.generation > 1:
            raise Violation("I15", f"{job} of {self.due[at]} had ended, and a tick that was sent again ran it anew")


def audit_fires(world: World) -> None:
    """Each tick has a record, and no other one."""
    fires = world.part(Fires)
    records = world.cloud.records()
    jobs = [job for job, item in records.items() if item["kind"]["S"] == "sim.fire"]
    refused = [job for job in jobs if is_refusal(records[job])]
    if refused:
        raise Violation("I15", f"messages of ticks were refused: {refused}")
    if len(jobs) + len(world.records.forgotten) < len(fires.due) or len(jobs) > len(fires.due):
        raise Violation("I15", f"there were {len(fires.due)} ticks, and there are {len(jobs)} jobs")
