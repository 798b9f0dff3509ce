"""A saga as users write them, and one with branches."""

from dataclasses import replace

from pydantic import BaseModel

from tidemill import JobArgs, JobRegistry, Retry, hours, job, minutes
from tidemill.sagas import Saga, arguments, parallel, step, undo

LONG = Retry(max_attempts=25)


class OrderArgs(JobArgs):
    order_id: str
    cents: int
    gift: bool = False


class Reserve(JobArgs, kind="stock.reserve"):
    order_id: str


class Release(JobArgs, kind="stock.release"):
    order_id: str


class Wrap(JobArgs, kind="gift.wrap"):
    order_id: str


class Unwrap(JobArgs, kind="gift.unwrap"):
    order_id: str


class Unpack(JobArgs, kind="gift.unpack"):
    shelf: str


class Check(JobArgs, kind="fraud.check"):
    cents: int


class Charge(JobArgs, kind="card.charge"):
    cents: int
    shelf: str


class Ship(JobArgs, kind="parcel.ship"):
    order_id: str
    charge: str


class Reserved(BaseModel):
    shelf: str
    count: int


class Charged(BaseModel):
    charge: str


@job(Reserve)
def reserve_stock(args, ctx) -> Reserved:
    return Reserved(shelf="a1", count=1)


@job(Release, retry=LONG)
def release_stock(args, ctx):
    pass


@job(Wrap)
def wrap_up(args, ctx):
    pass


@job(Unwrap, retry=LONG)
def unwrap(args, ctx):
    pass


@job(Unpack, retry=LONG)
def unpack(args, ctx):
    pass


@job(Check)
def check_fraud(args, ctx):
    pass


@job(Charge)
def charge_card(args, ctx) -> Charged:
    return Charged(charge="ch_1")


@job(Ship)
def ship_parcel(args, ctx):
    pass


JOBS = (reserve_stock, release_stock, wrap_up, unwrap, unpack, check_fraud, charge_card, ship_parcel)

given = arguments(OrderArgs)
reserve = step("reserve", reserve_stock, compensate=release_stock, timeout=minutes(10))
wrap = step("wrap", wrap_up, compensate=undo(unwrap), when=given.gift.is_(True), timeout=minutes(10))
charge = step(
    "charge",
    charge_card,
    args={"cents": given.cents, "shelf": reserve.result.shelf},
    pivot=True,
    timeout=minutes(5),
)
ship = step("ship", ship_parcel, args={"order_id": given.order_id, "charge": charge.result.charge}, timeout=hours(12))
notify = step("notify", check_fraud, timeout=minutes(1))

place_order = Saga("orders.place", OrderArgs, steps=[reserve, wrap, charge, ship])
four_steps = Saga("orders.four", OrderArgs, steps=[reserve, step("wrap", wrap_up, timeout=minutes(1)), charge, ship])
in_branches = Saga(
    "orders.branches",
    OrderArgs,
    steps=[
        parallel("before", reserve, [wrap, step("check", check_fraud, timeout=minutes(1))]),
        charge,
        parallel("after", ship, notify),
    ],
)
no_pivot = Saga("orders.loose", OrderArgs, steps=[reserve, wrap, step("check", check_fraud, timeout=minutes(1))])
on_shelf = {"shelf": reserve.result.shelf}
packing = step("wrap", wrap_up, compensate=undo(unpack, args=on_shelf), timeout=minutes(10))
referring = Saga(
    "orders.referring",
    OrderArgs,
    steps=[
        parallel("before", [reserve, packing], step("check", check_fraud, timeout=minutes(1))),
        step("notify", check_fraud, timeout=minutes(1)),
    ],
)
gift = given.gift.is_(True)
left_out = Saga(
    "orders.left-out",
    OrderArgs,
    steps=[replace(reserve, when=gift), replace(packing, when=gift), step("check", check_fraud, timeout=minutes(1))],
)
small = Saga("orders.small", OrderArgs, steps=[parallel("before", reserve, wrap), charge])
SAGAS = (place_order, four_steps, in_branches, no_pivot, referring, left_out)
registry = JobRegistry(*JOBS, sagas=SAGAS)
