"""A job whose end is told to whoever ordered it."""

from tidemill import JobArgs, JobContext, JobRegistry, job


class Deliver(JobArgs, kind="guide.deliver"):
    """Which order is to go out."""

    order: int


@job(Deliver, webhook="orders")
def deliver(args: Deliver, _: JobContext) -> str:
    """Send it off."""
    return f"order {args.order} is on its way"


registry = JobRegistry(deliver, webhooks=["orders"])
