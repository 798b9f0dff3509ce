"""A shop that publishes and commits: the jobs of the tests of the outbox."""

from tidemill import JobArgs, JobRegistry, Lane, State, TransientError, job, minutes
from tidemill.domain.lane import DEFAULT_LANES
from tidemill.events import Event


class OrderPlaced(Event, type="order.placed"):
    order: str


class OrderLost(Event, type="order.lost"):
    order: str


class Place(JobArgs, kind="orders.place"):
    order: str
    fails: int = 0
    how: str = "well"


class Pack(JobArgs, kind="orders.pack"):
    order: str


class Post(JobArgs, kind="orders.post"):
    order: str


HOW = {}


@job(Place, timeout=minutes(5), announces=(State.SUCCEEDED, State.DEAD))
def place(args, ctx):
    ctx.publish(OrderPlaced(order=args.order), subject=f"order/{args.order}", sequence=7)
    ctx.submit(Pack(order=args.order))
    HOW.get(args.how, lambda *_: None)(args, ctx)
    if ctx.attempt <= args.fails:
        raise TransientError("not yet")


@job(Pack)
def pack(args, ctx):
    return args.order


@job(Post, lane="orders")
def post(args, ctx):
    return args.order


REGISTRY = JobRegistry(place, pack, post, lanes=(*DEFAULT_LANES, Lane("orders", fifo=True)), events=[OrderPlaced])
