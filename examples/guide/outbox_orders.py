"""A shop whose orders, jobs and facts commit together, or not at all."""

from __future__ import annotations

from typing import Any

from tidemill import JobArgs, JobClient, JobContext, JobRegistry, State, Submission, job
from tidemill.events import Event, Publication


class OrderPlaced(Event, type="shop.order-placed"):
    """A customer has placed an order."""

    order: str
    cents: int


class OrderPacked(Event, type="shop.order-packed"):
    """Its parcel is ready."""

    order: str


class Pack(JobArgs, kind="shop.pack"):
    """An order that is to be packed."""

    order: str


class Ship(JobArgs, kind="shop.ship"):
    """A parcel that is to be handed to the carrier."""

    order: str


def place_order(client: JobClient, dynamodb: Any, order: str, cents: int) -> str:
    """Write the order, submit the job that packs it, and publish the fact: one transaction, all or nothing."""
    items = client.transact_items(
        Submission(Pack(order=order), key=f"pack:{order}"),
        Publication(OrderPlaced(order=order, cents=cents), subject=f"order/{order}", sequence=1),
    )
    row = {"pk": {"S": f"order#{order}"}, "cents": {"N": str(cents)}}
    new = {"TableName": "shop", "Item": row, "ConditionExpression": "attribute_not_exists(pk)"}
    dynamodb.transact_write_items(TransactItems=[{"Put": new}, *items])
    return items.ids[0]


@job(Pack, announces=(State.DEAD,))
def pack(args: Pack, ctx: JobContext) -> None:
    """Pack the parcel. What it tells is told if, and once, this attempt is its success."""
    ctx.step("label", print_label, args.order)
    ctx.publish(OrderPacked(order=args.order), subject=f"order/{args.order}", sequence=2)
    ctx.submit(Ship(order=args.order))


@job(Ship)
def ship(args: Ship, _: JobContext) -> str:
    """Hand it to the carrier."""
    return f"{args.order} is on its way"


def print_label(order: str) -> str:
    """In earnest: a printer."""
    return f"label of {order}"


registry = JobRegistry(pack, ship, events=[OrderPlaced, OrderPacked])
