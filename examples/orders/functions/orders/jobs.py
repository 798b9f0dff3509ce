"""What is done for an order, and what undoes it: ordinary jobs, each a posting in the books under the order's name.

The order's name and the step's make the posting's name, so that a job that runs twice posts once. A job that undoes
reads from the books whether there is anything to undo.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from orders.books import Posting, books
from orders.sales import OrderShipped
from orders.trouble import meet
from tidemill import JobArgs, JobContext, Retry, job, seconds

SHELF, SHOP = "discs: shelf", "cents: shop"
_RETRY = Retry(max_attempts=3, delays=(seconds(1),))
# Undoing is never given up lightly.
_PATIENT = Retry(max_attempts=10, delays=(seconds(1), seconds(2), seconds(5)))


class OfOrder(JobArgs):
    """Which order it is about."""

    order: str = Field(min_length=1, max_length=64)


class ReserveDiscs(OfOrder, kind="orders.reserve_discs"):
    """Take discs from the shelf for an order."""

    discs: int = Field(ge=1)


class ReturnDiscs(OfOrder, kind="orders.return_discs"):
    """Put them back."""


class ChargeCustomer(OfOrder, kind="orders.charge_customer"):
    """Take the customer's money."""

    customer: int = Field(ge=1)
    cents: int = Field(ge=0)


class RefundCustomer(OfOrder, kind="orders.refund_customer"):
    """Give it back."""


class ShipOrder(OfOrder, kind="orders.ship_order"):
    """Give what was reserved to the carrier."""

    discs: int = Field(ge=1)
    reservation: str


class NotifyCustomer(OfOrder, kind="orders.notify_customer"):
    """Tell the customer."""

    customer: int
    parcel: str


class Reservation(BaseModel):
    """Where the reserved discs are."""

    account: str


class Charge(BaseModel):
    """What was paid."""

    receipt: str


class Parcel(BaseModel):
    """What the carrier has."""

    number: str


@job(ReserveDiscs, retry=_RETRY, timeout=seconds(20))
def reserve_discs(args: ReserveDiscs, _: JobContext) -> Reservation:
    """Move the discs from the shelf to the order, if there are so many."""
    account = f"discs: reserved for {args.order}"
    _do(args.order, "reserve", Posting(f"{args.order}#reserve", SHELF, account, args.discs, covered=True))
    return Reservation(account=account)


@job(ReturnDiscs, retry=_PATIENT, timeout=seconds(20))
def return_discs(args: ReturnDiscs, _: JobContext) -> None:
    """Move them back, if they were ever moved."""
    _undo(args.order, "return", f"{args.order}#reserve")


@job(ChargeCustomer, retry=_RETRY, timeout=seconds(20))
def charge_customer(args: ChargeCustomer, _: JobContext) -> Charge:
    """Move the money from the customer to the shop."""
    name = f"{args.order}#charge"
    _do(args.order, "charge", Posting(name, f"cents: customer {args.customer}", SHOP, args.cents))
    return Charge(receipt=name)


@job(RefundCustomer, retry=_PATIENT, timeout=seconds(20))
def refund_customer(args: RefundCustomer, _: JobContext) -> None:
    """Move it back, if it was ever moved."""
    _undo(args.order, "refund", f"{args.order}#charge")


@job(ShipOrder, retry=_RETRY, timeout=seconds(20))
def ship_order(args: ShipOrder, context: JobContext) -> Parcel:
    """Move the reserved discs to the carrier, and let whoever cares hear of it once that is certain."""
    name = f"{args.order}#ship"
    _do(args.order, "ship", Posting(name, args.reservation, "discs: carrier", args.discs, covered=True))
    context.publish(OrderShipped(order=args.order, discs=args.discs), subject=f"order/{args.order}")
    return Parcel(number=name)


@job(NotifyCustomer, retry=_PATIENT, timeout=seconds(20))
def notify_customer(args: NotifyCustomer, _: JobContext) -> None:
    """Count the letter that says so."""
    name = f"{args.order}#notify"
    _do(args.order, "notify", Posting(name, "letters: sent", f"letters: customer {args.customer}", 1))


def _do(order: str, step: str, posting: Posting) -> None:
    meet(books(), order, step, after=False)
    books().post(posting)
    meet(books(), order, step, after=True)


def _undo(order: str, step: str, name: str) -> None:
    meet(books(), order, step, after=False)
    books().undo(name)
    meet(books(), order, step, after=True)
