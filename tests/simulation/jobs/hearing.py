"""Jobs that hear of facts: in a lane without order, and in one that keeps it."""

from __future__ import annotations

from typing import Any, Final

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, LINE, RETRY, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition
from tidemill.events import Event, on

# In place of a number: how all jobs behave that hear.
FACTS: Final = -3
HEAR, FOLLOW = "sim.hear", "sim.follow"
KINDS: Final = (HEAR, FOLLOW)


class Moved(Event, type="sim.moved"):
    """Something is at another place. `beside`: what no subscriber wants."""

    place: int
    beside: str
    secret: str = CANARY


class Hear(JobArgs, kind=HEAR):
    """Where it is."""

    place: int
    secret: str = CANARY


class Follow(JobArgs, kind=FOLLOW):
    """The same, for whom the order matters."""

    place: int
    secret: str = CANARY


def _run(args: Hear | Follow, ctx: JobContext) -> Any:
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    world.ledger.started_in[name, ctx.generation] += 1
    world.ledger.tell("heard", args, ctx)
    misbehave(world.behaviours[FACTS].now(world.ledger.started_in[name, ctx.generation]), world, args.secret)
    world.dependency.apply(name, args.place)
    world.ledger.end(args, ctx)
    return {"place": args.place, "secret": args.secret}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    kinds = ((Hear, LANE), (Follow, LINE))
    return tuple(on(Moved)(job(args, lane=lane, retry=RETRY, timeout=TIMEOUT)(_run)) for args, lane in kinds)
