"""One fact, two jobs that hear of it: neither knows of the other, and the shop knows of none."""

from tidemill import DEFAULT_LANES, JobArgs, JobContext, JobRegistry, Lane, job
from tidemill.events import Event, on


class OrderPlaced(Event, type="guide.order-placed"):
    """A customer has ordered."""

    order: str
    email: str
    cents: int


class PlaceOrder(JobArgs, kind="guide.place-order"):
    """What was ordered."""

    order: str
    email: str
    cents: int


@job(PlaceOrder)
def place_order(args: PlaceOrder, ctx: JobContext) -> None:
    """The fact is published if this job succeeds, and only then."""
    ctx.publish(OrderPlaced(order=args.order, email=args.email, cents=args.cents))


class SendReceipt(JobArgs, kind="guide.send-receipt"):
    """Two fields of the event; the rest is nothing to a receipt."""

    order: str
    email: str


@on(OrderPlaced)
@job(SendReceipt)
def send_receipt(args: SendReceipt, _: JobContext) -> str:
    """One receipt for each order, though the fact may come twice."""
    return f"to {args.email}: thank you for order {args.order}"


class CountSale(JobArgs, kind="guide.count-sale"):
    """What was sold."""

    cents: int


@on(OrderPlaced)
@job(CountSale)
def count_sale(args: CountSale, ctx: JobContext) -> str:
    """Which fact it was stands in the context; a job that was submitted as such has heard of none."""
    return f"{args.cents} cents, fact {ctx.heard.id if ctx.heard else 'none'}"


class StockChanged(Event, type="guide.stock-changed"):
    """So many are left of an article. Its subject is the article, its sequence the article's version."""

    left: int


class ShowStock(JobArgs, kind="guide.show-stock"):
    """What the shop window says."""

    left: int


@on(StockChanged)
@job(ShowStock, lane="articles")
def show_stock(args: ShowStock, ctx: JobContext) -> str:
    """In a lane in order, the facts of one subject come one after the other, and those that are overtaken say so."""
    if ctx.is_stale:
        return "a later one is shown already"
    return f"{ctx.entity}: {args.left} left"


registry = JobRegistry(
    place_order,
    send_receipt,
    count_sale,
    show_stock,
    lanes=(*DEFAULT_LANES, Lane("articles", fifo=True)),
    events=[OrderPlaced, StockChanged],
)
