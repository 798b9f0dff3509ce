"""What becomes of an order: discs and money move, or nothing does."""

from pydantic import Field

from orders.jobs import (
    charge_customer,
    notify_customer,
    refund_customer,
    reserve_discs,
    return_discs,
    ship_order,
)
from tidemill import JobArgs, minutes
from tidemill.sagas import Saga, arguments, step


class PlaceOrder(JobArgs):
    """A customer's order."""

    order: str = Field(min_length=1, max_length=64)
    customer: int = Field(ge=1)
    discs: int = Field(ge=1)
    cents: int = Field(ge=0)


given = arguments(PlaceOrder)
reserve = step("reserve", reserve_discs, compensate=return_discs, timeout=minutes(3))
charge = step("charge", charge_customer, compensate=refund_customer, timeout=minutes(3))
# What the carrier has is not called back: from here the order is carried to its end.
ship = step(
    "ship",
    ship_order,
    args={"order": given.order, "discs": given.discs, "reservation": reserve.result.account},
    pivot=True,
    timeout=minutes(3),
)
notify = step(
    "notify",
    notify_customer,
    args={"order": given.order, "customer": given.customer, "parcel": ship.result.number},
    timeout=minutes(3),
)
place_order = Saga("orders.place", PlaceOrder, steps=[reserve, charge, ship, notify])
