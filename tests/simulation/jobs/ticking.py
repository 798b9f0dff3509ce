"""Jobs that schedules make."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import Every, JobArgs, JobContext, Schedule, job, minutes
from tidemill.domain.definition import JobDefinition

# In place of a number: how all jobs of schedules behave.
TICKS = -2
# The schedule that the code declares.
FIRES = "sim.fires"


class Tick(JobArgs, kind="sim.tick"):
    """What a schedule gives its jobs. `mark` differs from one set of arguments of a schedule to the next."""

    schedule: str
    owner: str
    mark: int
    secret: str = CANARY


class Fire(JobArgs, kind="sim.fire"):
    """What the code's schedule gives its jobs. `mark` tells one deployment's from another's."""

    mark: int
    secret: str = CANARY


def _tick(args: Tick, ctx: JobContext) -> Any:
    return _run("ticked", args, ctx)


def _fire(args: Fire, ctx: JobContext) -> Any:
    return _run("fired", args, ctx)


def _run(what: str, args: Tick | Fire, ctx: JobContext) -> Any:
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    world.ledger.started_in[name, ctx.generation] += 1
    world.ledger.tell(what, args, ctx)
    misbehave(world.behaviours[TICKS].now(world.ledger.started_in[name, ctx.generation]), world, args.secret)
    world.dependency.apply(name, args.mark)
    world.ledger.end(args, ctx)
    return {"mark": args.mark, "secret": args.secret}


def declared(mark: int) -> tuple[JobDefinition[Any, Any], Schedule]:
    """The job whose schedule is in the code, and the schedule as one deployment has it."""
    schedule = Schedule(Every(minutes(1)), Fire(mark=mark), name=FIRES, tenant="acme")
    definition = job(Fire, lane=LANE, retry=RETRY, timeout=TIMEOUT, schedule=schedule)(_fire)
    return definition, definition.schedules[0]


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The schedule of the code has other arguments in each version; the rest is the same."""
    fire, _ = declared(1 if version == "old" else 2)
    return job(Tick, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_tick), fire
