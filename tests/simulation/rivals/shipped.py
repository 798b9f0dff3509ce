"""The same work as a job of Tidemill: one step, its key for the dependency, every setting as it comes."""

from __future__ import annotations

from tests.simulation.jobs.behaviour import LANE, TIMEOUT
from tests.simulation.rivals import work
from tidemill import JobArgs, JobContext, JobRegistry, Lane, job


class Fulfil(JobArgs, kind="shop.fulfil"):
    """An order."""

    order_id: str
    number: int


@job(Fulfil, lane=LANE, timeout=TIMEOUT)
def fulfil(args: Fulfil, ctx: JobContext) -> None:
    """Charge for it and send it."""
    work.begin(args.number)
    ctx.step("charge", work.charge, args.number, ctx.step_key("charge"))
    work.finish(args.number)


registry = JobRegistry(fulfil, lanes=(Lane(LANE, batch_size=10, concurrency=10),))
