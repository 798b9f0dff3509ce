"""The order saga of the guide: whole, or undone."""

import pytest

from examples.guide import saga_orders
from examples.guide.saga_orders import OrderArgs, Release, place_order, registry, release
from tidemill.sagas import Undone
from tidemill.testing import Harness, context


@pytest.fixture(autouse=True)
def services():
    for service in (saga_orders.shelves, saga_orders.charges, saga_orders.parcels):
        service.clear()


def test_an_order_is_placed_as_a_whole():
    with Harness(registry) as tide:
        saga = tide.sagas.start(place_order, OrderArgs(order="o1", cents=500), key="o1")
        tide.drain()

        assert tide.sagas.get("orders.place", saga.saga_id).state == "succeeded"
        assert (saga_orders.charges, saga_orders.parcels) == ({"o1": 500}, ["shelf 1"])


def test_a_declined_card_leaves_nothing_behind():
    with Harness(registry) as tide:
        saga = tide.sagas.start(place_order, OrderArgs(order="o1", cents=50_000))
        tide.drain()

        assert tide.sagas.get("orders.place", saga.saga_id).state == "compensated"
        assert (saga_orders.shelves, saga_orders.charges, saga_orders.parcels) == ({}, {}, [])


def test_a_compensation_alone():
    saga_orders.shelves["o1"] = "shelf 1"
    undone = Undone("reserve", "0196f000-0000-7000-8000-000000000001", succeeded=True, result={"shelf": "shelf 1"})

    release(Release(order="o1"), context(release, undoes=undone))

    assert saga_orders.shelves == {}
