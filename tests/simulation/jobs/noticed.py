"""Jobs whose deaths are told to another job, and the job that is told."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import DeathNotice, JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition

# In place of a number: how all that are told behave.
NOTICES = -1


class Risk(JobArgs, kind="sim.risk"):
    """A job whose death matters to somebody."""

    number: int
    owner: str
    secret: str = CANARY


class RiskDied(DeathNotice, kind="sim.risk_died"):
    """Tells of it."""


def _risk(args: Risk, ctx: JobContext) -> Any:
    world = stage.playing()
    started = world.ledger.start(args, ctx)
    misbehave(world.behaviours[args.number].now(started), world)
    world.dependency.apply(f"{ctx.tenant}#{ctx.job_id}", args.number)
    world.ledger.end(args, ctx)
    return {"number": args.number, "secret": args.secret}


def _risk_died(args: RiskDied, ctx: JobContext) -> None:
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    world.ledger.started_in[name, ctx.generation] += 1
    world.ledger.tell("told", args, ctx)
    misbehave(world.behaviours[NOTICES].now(world.ledger.started_in[name, ctx.generation]), world)
    world.dependency.apply(name, args.job_id)
    world.ledger.end(args, ctx)


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    return (
        job(Risk, lane=LANE, retry=RETRY, timeout=TIMEOUT, on_dead=RiskDied)(_risk),
        job(RiskDied, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_risk_died),
    )
