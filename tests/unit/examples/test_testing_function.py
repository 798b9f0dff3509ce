"""The function alone."""

import pytest

from examples.guide.testing_orders import PlaceOrder, letters, place_order
from tidemill import seconds
from tidemill.testing import context

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
