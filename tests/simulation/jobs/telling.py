"""Jobs that publish facts and commit other jobs with their own success, and announce their ends."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tests.simulation.jobs.ordinary import Charge
from tidemill import JobArgs, JobContext, State, job
from tidemill.domain.definition import JobDefinition
from tidemill.events import Event

KIND = "sim.tell"


class Told(Event, type="sim.told"):
    """A job of this number said so, in this place."""

    number: int
    place: int
    secret: str = CANARY


class Tell(JobArgs, kind=KIND):
    """A job that tells something. `facts`: how many. `children`: the numbers of the jobs that it commits."""

    number: int
    owner: str
    facts: int = 1
    children: tuple[int, ...] = ()
    late: bool = False
    secret: str = CANARY


def _tell(args: Tell, ctx: JobContext) -> Any:
    world = stage.playing()
    conduct = world.behaviours[args.number].now(world.ledger.start(args, ctx))
    if not args.late:
        misbehave(conduct, world)
    for place in range(args.facts):
        ctx.publish(Told(number=args.number, place=place), subject=f"number/{args.number}", sequence=place)
    for number in args.children:
        ctx.submit(Charge(number=number, owner=ctx.tenant))
    world.dependency.apply(f"{ctx.tenant}#{ctx.job_id}", args.number)
    if args.late:
        # What it has told by now must be told by nobody, unless another attempt succeeds.
        misbehave(conduct, world)
    world.ledger.end(args, ctx)
    return {"number": args.number, "secret": args.secret}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    ends = (State.SUCCEEDED, State.DEAD)
    return (job(Tell, lane=LANE, retry=RETRY, timeout=TIMEOUT, announces=ends)(_tell),)
