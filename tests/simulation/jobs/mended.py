"""A job that operators mend: one step, one effect, and an argument that an edit changes."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition

KIND = "sim.mend"
STEP = "reserve"
# The colour that every job has at first; each edit gives it one of its own.
GREY = "grey"


class Mend(JobArgs, kind=KIND):
    """A job with a colour."""

    number: int
    owner: str
    secret: str = CANARY
    colour: str = GREY


def _run(args: Mend, ctx: JobContext) -> Any:
    world = stage.playing()
    started = world.ledger.start(args, ctx)
    name = f"{ctx.tenant}#{ctx.job_id}"
    ctx.step(STEP, world.dependency.apply, name, args.number, f"{name}/{ctx.step_key}")
    misbehave(world.behaviours[args.number].now(started), world)
    world.dependency.apply(name, args.number)
    world.ledger.end(args, ctx)
    return {"number": args.number}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    return (job(Mend, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_run),)
