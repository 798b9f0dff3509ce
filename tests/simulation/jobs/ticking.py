"""Jobs that schedules make."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition

# In place of a number: how all jobs of schedules behave.
TICKS = -2


class Tick(JobArgs, kind="sim.tick"):
    """What a schedule gives its jobs. `mark` differs from one set of arguments of a schedule to the next."""

    schedule: str
    owner: str
    mark: int
    secret: str = CANARY


def _tick(args: Tick, ctx: JobContext) -> Any:
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    world.ledger.started_in[name, ctx.generation] += 1
    world.ledger.tell("ticked", args, ctx)
    misbehave(world.behaviours[TICKS].now(world.ledger.started_in[name, ctx.generation]), world, args.secret)
    world.dependency.apply(name, args.mark)
    world.ledger.end(args, ctx)
    return {"mark": args.mark, "secret": args.secret}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    return (job(Tick, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_tick),)
