"""A whole Tidemill in this process."""

import pytest

from examples.guide.testing_checkout import check_out
from examples.guide.testing_orders import PlaceOrder, letters, place_order
from tidemill import JobRegistry, PermanentError, TransientError, minutes, seconds
from tidemill.testing import (
    Harness,
    assert_dead,
    assert_retried,
    assert_submitted,
    assert_succeeded,
    refute_submitted,
)


@pytest.fixture
def tide():
    letters.clear()
    with Harness(JobRegistry(place_order)) as tide:
        yield tide


def test_a_checkout_places_an_order(tide):
    check_out(tide.client, "7", 100)
    check_out(tide.client, "7", 100)
    check_out(tide.client, "8", 0)

    assert_submitted(tide, PlaceOrder, {"order": "7"}, tenant="acme", delay=minutes(1), times=1)
    refute_submitted(tide, PlaceOrder, {"order": "8"})


def test_the_order_is_confirmed_a_minute_later(tide):
    check_out(tide.client, "7", 100)

    tide.drain()
    assert letters == []
    tide.advance(minutes(1))
    tide.drain()
    assert len(letters) == 1


def test_a_bank_that_fails_is_asked_again(tide, monkeypatch):
    monkeypatch.setattr("examples.guide.testing_orders.charge", failing(TransientError))
    receipt = tide.client.submit(PlaceOrder(order="7", cents=100))

    tide.run_for(seconds(15))
    assert_retried(tide, receipt, 2)
    monkeypatch.undo()
    tide.drain_until_idle()
    assert_succeeded(tide, receipt)


def test_a_stolen_card_is_for_a_person(tide, monkeypatch):
    monkeypatch.setattr("examples.guide.testing_orders.charge", failing(PermanentError))
    job = tide.run_one(PlaceOrder(order="7", cents=100))
    assert_dead(tide, job, "permanent", error="the bank says no")

    monkeypatch.undo()
    tide.drain()
    tide.desk.redrive(job.ref)
    tide.drain()
    assert_succeeded(tide, job)


def failing(error):
    """A bank that raises `error`."""

    def charge(key, cents):
        raise error("the bank says no")

    return charge
