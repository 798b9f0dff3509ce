"""Jobs of a lane that keeps the order of each entity."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LINE, RETRY, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition


class Transfer(JobArgs, kind="sim.transfer"):
    """One change of an account, which must not overtake the one before it."""

    number: int
    owner: str
    secret: str = CANARY


def _run(args: Transfer, ctx: JobContext) -> Any:
    world = stage.playing()
    started = world.ledger.start(args, ctx)
    misbehave(world.behaviours[args.number].now(started), world)
    world.dependency.apply(f"{ctx.tenant}#{ctx.job_id}", args.number)
    world.ledger.end(args, ctx)
    return {"number": args.number, "secret": args.secret}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """As one version of the code declares them."""
    return (job(Transfer, lane=LINE, retry=RETRY, timeout=TIMEOUT)(_run),)
