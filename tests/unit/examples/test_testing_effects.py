"""What happens twice when a worker dies."""

import pytest

from examples.guide.testing_orders import (
    PlaceCarelessly,
    PlaceOrder,
    charges,
    letters,
    place_carelessly,
    place_order,
)
from tidemill import JobRegistry
from tidemill.testing import Harness, assert_succeeded


@pytest.fixture
def tide():
    charges.clear()
    letters.clear()
    with Harness(JobRegistry(place_order, place_carelessly)) as tide:
        yield tide


def test_an_order_is_confirmed_once(tide):
    tide.crash_after_each_step()

    assert_succeeded(tide, tide.run_one(PlaceOrder(order="7", cents=100)))

    assert len(letters) == 1


@pytest.mark.xfail(reason="the letter is sent again each time that the job runs", strict=True)
def test_a_careless_order_is_confirmed_once(tide):
    tide.crash_after_each_step()

    assert_succeeded(tide, tide.run_one(PlaceCarelessly(order="7", cents=100)))

    assert len(letters) == 1  # there are three


def test_a_card_is_charged_once_though_the_bank_is_asked_twice(tide):
    tide.crash_inside_each_step()

    assert_succeeded(tide, tide.run_one(PlaceOrder(order="7", cents=100)))

    assert len(charges) == 1  # by its key
    assert len(letters) == 2  # nothing tells the post that it is the same letter
