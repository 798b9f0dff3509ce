"""Jobs of the usual sort: one effect each, as a function, as a coroutine, and with long waits."""

from __future__ import annotations

from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, PATIENT, RETRY, TIMEOUT, Conduct, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition


class Charge(JobArgs, kind="sim.charge"):
    """A job of the usual sort."""

    number: int
    owner: str
    secret: str = CANARY


class Notify(JobArgs, kind="sim.notify"):
    """A coroutine."""

    number: int
    owner: str
    secret: str = CANARY


class Import(JobArgs, kind="sim.import"):
    """A job whose waits are long."""

    number: int
    owner: str
    secret: str = CANARY


class Invoice(JobArgs, kind="sim.invoice"):
    """A job with every setting as it comes."""

    number: int
    owner: str
    secret: str = CANARY


class NewCharge(JobArgs, kind="sim.charge"):
    """What the next version makes of `Charge`: a field more."""

    number: int
    owner: str
    secret: str = CANARY
    channel: str = "post"


def _run(args: Any, ctx: JobContext) -> Any:
    world = stage.playing()
    started = world.ledger.start(args, ctx)
    conduct = world.behaviours[args.number].now(started)
    misbehave(conduct, world, args.secret)
    world.dependency.apply(f"{ctx.tenant}#{ctx.job_id}", args.number)
    world.ledger.end(args, ctx)
    match conduct:
        case Conduct.MUMBLES:
            return object()
        case Conduct.BOASTS:
            return {"number": args.number, "secret": args.secret, "much": "x" * 3_000}
        case _:
            return {"number": args.number, "secret": args.secret}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """As one version of the code declares them."""
    charge = NewCharge if version == "new" else Charge

    async def notify(args: Notify, ctx: JobContext) -> Any:
        return _run(args, ctx)

    return (
        job(charge, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_run),
        job(Notify, lane=LANE, retry=RETRY, timeout=TIMEOUT)(notify),
        job(Import, lane=LANE, retry=PATIENT, timeout=TIMEOUT)(_run),
        job(Invoice, lane=LANE)(_run),
    )
