"""How discs come onto the shelf: a batch of deliveries, and one job that knows when all are in."""

from pydantic import Field

from orders.books import Posting, books
from orders.jobs import SHELF
from tidemill import JobArgs, JobContext, job, seconds
from tidemill.batches import BatchEnded


class Deliver(JobArgs, kind="orders.deliver"):
    """Discs that the supplier brings."""

    delivery: str = Field(min_length=1, max_length=64)
    discs: int = Field(ge=1)


class ShelfFilled(BatchEnded, kind="orders.shelf_filled"):
    """Told when all deliveries of a batch are in."""


@job(Deliver, timeout=seconds(20))
def deliver(args: Deliver, _: JobContext) -> int:
    """Put them onto the shelf, once for each delivery."""
    books().post(Posting(f"{args.delivery}#deliver", "discs: supplier", SHELF, args.discs))
    return args.discs


@job(ShelfFilled, timeout=seconds(20))
def open_the_shop(args: ShelfFilled, _: JobContext) -> str:
    """Say how many deliveries came."""
    return f"{args.succeeded} of {args.total} deliveries"
