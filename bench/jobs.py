"""A registry of one job that does nothing, for the shipped worker."""

from tidemill import JobArgs, JobContext, JobRegistry, job


class Order(JobArgs, kind="bench.order"):
    """The same arguments as the textbook handler's."""

    order_id: str
    item: str


@job(Order)
def accept_order(args: Order, ctx: JobContext) -> None:
    """Does nothing."""


registry = JobRegistry(accept_order)
