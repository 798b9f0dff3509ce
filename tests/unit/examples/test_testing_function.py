"""The function alone."""

import pytest

from examples.guide.approving import SENT, Decision, Release, release
from examples.guide.testing_orders import PlaceOrder, letters, place_order
from tidemill import days, seconds
from tidemill.testing import Awaiting, context

ORDER = PlaceOrder(order="7", cents=100)


def test_it_charges_and_confirms():
    ctx = context(place_order, tenant="acme")

    assert place_order(ORDER, ctx).startswith("receipt")
    assert ctx.calls.steps == ["charge", "confirm"]


def test_it_does_not_charge_again():
    ctx = context(place_order, attempt=2, remembered={"charge": "receipt 1"})

    assert place_order(ORDER, ctx) == "receipt 1"
    assert ctx.calls.steps == ["confirm"]


def test_it_notices_that_the_bank_is_slow(monkeypatch):
    ctx = context(place_order)
    monkeypatch.setattr("examples.guide.testing_orders.charge", lambda key, cents: ctx.clock.advance(seconds(30)))
    letters.clear()

    with pytest.raises(Exception, match="soft timeout"):
        place_order(ORDER, ctx)
    assert letters == []


def test_it_ships_what_was_approved():
    ctx = context(release, answers={"approval": Decision(granted=True)})

    assert release(Release(order=7, cents=95_000), ctx) == "shipped order 7"


def test_it_waits_and_after_three_days_it_keeps_the_order():
    ctx = context(release)
    with pytest.raises(Awaiting):
        release(Release(order=7, cents=95_000), ctx)
    assert SENT[-1].startswith("https://api.example.org/answers/")

    ctx.clock.advance(days(3))
    assert release(Release(order=7, cents=95_000), ctx.next_attempt()) == "nobody answered: kept"
