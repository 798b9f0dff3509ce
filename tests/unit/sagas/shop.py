"""A shop with a ledger: the jobs of the orders' saga, which do and undo what can be counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.unit.sagas import orders
from tests.unit.sagas.orders import (
    LONG,
    Charge,
    Charged,
    Check,
    OrderArgs,
    Release,
    Reserve,
    Reserved,
    Ship,
    Unwrap,
    Wrap,
    given,
)
from tidemill import JobRegistry, PermanentError, Retry, hours, job, minutes, seconds
from tidemill.sagas import Saga, parallel, step
from tidemill.testing import Harness

ONCE = Retry(max_attempts=1)


@dataclass
class Shop:
    """What was done and not undone, by step. `troubles`: what happens in a step instead, after its effect or before."""

    ledger: Counter[str] = field(default_factory=Counter)
    calls: list[str] = field(default_factory=list)
    before: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    after: dict[str, Callable[[Any], None]] = field(default_factory=dict)
    undone: dict[str, Any] = field(default_factory=dict)

    def do(self, step: str, ctx: Any) -> None:
        """One effect, which knows its idempotency key."""
        self.before.get(step, _nothing)(ctx)
        self.calls.append(step)
        # The same step of the same saga again is no second effect.
        self.ledger[step] = 1
        self.after.get(step, _nothing)(ctx)

    def undo(self, step: str, ctx: Any) -> None:
        self.before.get(f"undo {step}", _nothing)(ctx)
        self.calls.append(f"undo {step}")
        self.undone[step] = ctx.undoes
        self.ledger[step] = 0
        self.after.get(f"undo {step}", _nothing)(ctx)

    @property
    def applied(self) -> set[str]:
        return {step for step, count in self.ledger.items() if count}


def fails(ctx: Any) -> None:
    raise PermanentError("it can't be done")


def _nothing(_: Any) -> None:
    pass


def open_shop() -> tuple[Shop, JobRegistry]:
    """A shop and its program: the saga `orders.place` in a row, `orders.branches` with steps beside each other.

    `orders.loose` has no pivot.
    """
    shop = Shop()

    @job(Reserve, retry=ONCE, timeout=minutes(1))
    def reserve_stock(args: Reserve, ctx: Any) -> Reserved:
        shop.do("reserve", ctx)
        return Reserved(shelf=f"shelf of {args.order_id}", count=1)

    @job(Release, retry=LONG)
    def release_stock(args: Release, ctx: Any) -> None:
        shop.undo("reserve", ctx)

    @job(Wrap, retry=ONCE)
    def wrap_up(args: Wrap, ctx: Any) -> None:
        shop.do("wrap", ctx)

    @job(Unwrap, retry=LONG)
    def unwrap(args: Unwrap, ctx: Any) -> None:
        shop.undo("wrap", ctx)

    @job(Check, retry=ONCE)
    def check_fraud(args: Check, ctx: Any) -> None:
        shop.calls.append("check")
        shop.before.get("check", _nothing)(ctx)

    @job(Charge, retry=ONCE)
    def charge_card(args: Charge, ctx: Any) -> Charged:
        assert args.shelf == "shelf of o1"
        shop.do("charge", ctx)
        return Charged(charge="ch_1")

    @job(Ship, retry=ONCE)
    def ship_parcel(args: Ship, ctx: Any) -> None:
        assert args.charge == "ch_1"
        shop.do("ship", ctx)

    reserve = step("reserve", reserve_stock, compensate=release_stock, timeout=minutes(10))
    wrap = step("wrap", wrap_up, compensate=unwrap, when=given.gift.is_(True), timeout=minutes(10))
    check = step("check", check_fraud, timeout=minutes(10))
    charged = {"cents": given.cents, "shelf": reserve.result.shelf}
    charge = step("charge", charge_card, args=charged, pivot=True, timeout=minutes(5))
    shipped = {"order_id": given.order_id, "charge": charge.result.charge}
    ship = step("ship", ship_parcel, args=shipped, timeout=hours(12))
    sagas = [
        Saga("orders.place", OrderArgs, steps=[reserve, wrap, charge, ship]),
        Saga("orders.hasty", OrderArgs, steps=[reserve, replace(wrap, timeout=seconds(5)), charge, ship]),
        Saga("orders.patient", OrderArgs, steps=[replace(reserve, timeout=hours(12)), charge, ship]),
        Saga("orders.branches", OrderArgs, steps=[parallel("before", reserve, [wrap, check]), charge, ship]),
        Saga("orders.loose", OrderArgs, steps=[reserve, check]),
    ]
    jobs = (reserve_stock, release_stock, wrap_up, unwrap, check_fraud, charge_card, ship_parcel)
    return shop, JobRegistry(*jobs, sagas=sagas)


def start(tide: Harness, name: str = "orders.place", **options: Any) -> str:
    """A saga that has begun; its id."""
    args = orders.OrderArgs(order_id="o1", cents=5, gift=True)
    return tide.sagas.start(name, args, **options).saga_id
