"""What others do once an order is on its way: they hear of it, and neither the order nor its saga knows of them."""

from pydantic import Field

from orders.books import Posting, books
from tidemill import JobArgs, JobContext, job, seconds
from tidemill.events import Event, on


class OrderShipped(Event, type="orders.order_shipped"):
    """The carrier has the discs."""

    order: str = Field(min_length=1, max_length=64)
    discs: int = Field(ge=1)


class CountSale(JobArgs, kind="orders.count_sale"):
    """So many discs were sold."""

    order: str = Field(min_length=1, max_length=64)
    discs: int = Field(ge=1)


class ThankCustomer(JobArgs, kind="orders.thank_customer"):
    """Whose order it was, the books know."""

    order: str = Field(min_length=1, max_length=64)


@on(OrderShipped)
@job(CountSale, timeout=seconds(20))
def count_sale(args: CountSale, _: JobContext) -> None:
    """Count the discs, once for each order."""
    books().post(Posting(f"{args.order}#sale", "sales: open", "sales: counted", args.discs))


@on(OrderShipped)
@job(ThankCustomer, timeout=seconds(20))
def thank_customer(args: ThankCustomer, _: JobContext) -> None:
    """Count the card that says so, once for each order."""
    books().post(Posting(f"{args.order}#thanks", "cards: written", "cards: sent", 1))
