"""A job whose arguments changed their meaning from one version of the code to the next, and not their shape."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, PATIENT, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition
from tidemill.versions import upcasts

KIND = "sim.price"
# How much of a euro one of `amount` is not, by version.
UNITS = {1: 1, 2: 100}


class Price(JobArgs, kind=KIND):
    """An amount in euros."""

    unit: ClassVar[int] = UNITS[1]

    number: int
    owner: str
    amount: int
    secret: str = CANARY


class PriceInCents(JobArgs, kind=KIND, version=2):
    """An amount in cents. No reader can tell by its shape."""

    unit: ClassVar[int] = UNITS[2]

    number: int
    owner: str
    amount: int
    secret: str = CANARY

    @upcasts(1)
    @staticmethod
    def _in_cents(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "amount": document["amount"] * 100}


def _run(args: Any, ctx: JobContext) -> Any:
    world = stage.playing()
    started = world.ledger.start(args, ctx)
    misbehave(world.behaviours[args.number].now(started), world, args.secret)
    world.dependency.apply(f"{ctx.tenant}#{ctx.job_id}", args.number)
    world.ledger.end(args, ctx)
    return {"number": args.number}


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """As one version of the code declares it."""
    args_type: type[Any] = PriceInCents if version == "new" else Price
    return (job(args_type, lane=LANE, retry=PATIENT, timeout=TIMEOUT)(_run),)
