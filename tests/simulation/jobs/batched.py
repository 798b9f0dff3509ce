"""The jobs that run when a batch is over, and are told how it went."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import JobContext, job
from tidemill.batches import BatchEnded
from tidemill.domain.definition import JobDefinition

# In place of a number: how all callbacks behave.
CALLBACKS = -2


class Tallied(BatchEnded, kind="sim.tallied"):
    """Told of the end of a batch; `which` of its callbacks this is."""

    flock: int
    which: str
    secret: str = CANARY


def _tallied(args: Tallied, ctx: JobContext) -> None:
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    world.ledger.started_in[name, ctx.generation] += 1
    world.ledger.tell("tallied", args, ctx)
    misbehave(world.behaviours[CALLBACKS].now(world.ledger.started_in[name, ctx.generation]), world)
    world.dependency.apply(name, args.flock)
    world.ledger.end(args, ctx)


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    return (job(Tallied, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_tallied),)
