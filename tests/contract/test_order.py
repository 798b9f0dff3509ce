"""EntityOrder: numbers are given once and in order, and the highest one that finished is known."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from botocore.exceptions import ClientError

from tests.contract.backends import create_jobs_table
from tests.contract.billing import Billing
from tests.unit.service.conftest import PERMANENT, raising
from tests.unit.service.ordered import LANE, OrderedWorld, Ship
from tidemill.aws.items import UNIT_BYTES, item_bytes
from tidemill.aws.order import DynamoEntityOrder, order_key
from tidemill.aws.reader import DynamoJobReader
from tidemill.aws.store import DynamoJobStore
from tidemill.domain import limits
from tidemill.domain.entity import Entity
from tidemill.domain.errors import UnavailableError
from tidemill.testing.order import MemoryOrder

A, B = Entity("acme", "orders", "a"), Entity("acme", "orders", "b")
# Alike but for their tenant, their lane, or where one name ends and the next begins.
OTHERS = [Entity("zeta", "orders", "a"), Entity("acme", "mail", "a"), Entity("acme", "orders", "a#ORDER")]
UNTIL = 1_900_000_000
_numbers = count(1)


@pytest.fixture(params=["memory", "moto", "ministack"])
def order(request):
    if request.param == "memory":
        return MemoryOrder()
    table = f"order-{next(_numbers)}"
    client = request.getfixturevalue(request.param).dynamodb
    create_jobs_table(client, table)
    return DynamoEntityOrder(client, table)


def test_numbers_begin_at_one_and_follow_each_other(order):
    assert order.number([(A, 1)], UNTIL) == [1]
    assert order.number([(A, 3), (B, 1)], UNTIL) == [2, 1]
    assert order.number([(A, 1), (B, 2)], UNTIL) == [5, 2]
    assert order.number([(entity, 1) for entity in OTHERS], UNTIL) == [1, 1, 1]
    assert order.number([], UNTIL) == []


def test_what_finished_last_is_the_highest_that_finished(order):
    assert order.last_finished(A) is None
    order.number([(A, 9)], UNTIL)
    assert order.last_finished(A) is None

    for finished, highest in [(2, 2), (2, 2), (5, 5), (3, 5), (0, 5), (6, 6)]:
        order.finish(A, finished, UNTIL)
        assert order.last_finished(A) == highest

    assert [order.last_finished(entity) for entity in (B, *OTHERS)] == [None] * 4
    assert order.number([(A, 1)], UNTIL) == [10]


def test_numbers_of_ones_own_need_none_to_have_been_given(order):
    order.finish(A, 0, UNTIL)
    assert order.last_finished(A) == 0
    order.finish(A, limits.MAX_SEQUENCE, UNTIL)
    assert order.last_finished(A) == limits.MAX_SEQUENCE


def test_no_number_is_given_twice(ministack):
    """Not on moto, whose updates are not made one after the other."""
    client = ministack.dynamodb
    table = f"order-{next(_numbers)}"
    create_jobs_table(client, table)
    order = DynamoEntityOrder(client, table)
    with ThreadPoolExecutor(8) as threads:
        taken = [first for (first,) in threads.map(lambda _: order.number([(A, 2)], UNTIL), range(20))]

    assert sorted(taken) == list(range(1, 41, 2))


@pytest.fixture
def bill(ministack):
    table = f"order-{next(_numbers)}"
    create_jobs_table(ministack.dynamodb, table)
    return Billing(ministack.dynamodb, table)


def test_each_number_and_each_end_cost_one_unit(bill):
    order = DynamoEntityOrder(bill, bill.table)
    longest = Entity("t" * limits.MAX_TENANT_CHARS, "l" * limits.MAX_LANE_CHARS, "e" * limits.MAX_ENTITY_CHARS)

    order.number([(longest, limits.MAX_BULK_JOBS)], UNTIL)
    order.finish(longest, limits.MAX_SEQUENCE, UNTIL)
    order.finish(longest, 1, UNTIL)
    order.last_finished(longest)

    assert (bill.units, bill.calls) == (3, {"update_item": 3, "get_item": 1})
    item = bill._client.get_item(TableName=bill.table, Key=order_key(longest))["Item"]
    assert item["ttl"] == {"N": str(UNTIL)}
    assert item_bytes(item) < UNIT_BYTES


class Throttling:
    """A table that takes nothing."""

    def update_item(self, **_):
        raise ClientError({"Error": {"Code": "ThrottlingException"}}, "Any")

    get_item = update_item


def test_what_aws_does_not_answer_is_said_for_each_entity():
    order = DynamoEntityOrder(Throttling(), "jobs")

    assert [type(one) for one in order.number([(A, 1), (B, 1)], UNTIL)] == [UnavailableError] * 2
    for call in (lambda: order.last_finished(A), lambda: order.finish(A, 1, UNTIL)):
        with pytest.raises(UnavailableError):
            call()


@pytest.fixture
def world(bill):
    """A FIFO lane in memory whose table is billed."""
    world = OrderedWorld()
    world.order = DynamoEntityOrder(bill, bill.table)
    store = DynamoJobStore(bill, bill.table, list_index=False)
    world.build(store, world.queues, DynamoJobReader(bill, bill.table))
    return world


@pytest.mark.parametrize(
    ("asked", "units"),
    [({"entity": "a"}, 5), ({"entity": "a", "sequence": 7}, 4), ({"lane": "default"}, 3)],
    ids=["numbered", "own number", "standard lane"],
)
def test_a_job_in_order_costs_two_units_more_and_one_with_a_number_of_its_own(bill, world, asked, units):
    for expected in (units, 2 * units):
        world.submit(Ship(), **asked)
        world.invoke(asked.get("lane", LANE), 1)
        assert bill.units == expected
    # One read a job, which a standard lane does not do either.
    assert bill.calls["get_item"] == (2 if "entity" in asked else 0)


def test_what_a_dead_job_costs_until_its_successors_go_on(bill, world):
    """Each further receive is one refused write."""
    world.does = [raising(PERMANENT)]
    world.ship("a")
    assert world.step()
    died = bill.units

    invocations = world.drain()

    assert invocations == limits.MAX_FIFO_RECEIVES - 1
    assert bill.units - died == limits.MAX_FIFO_RECEIVES - 1
    assert (world.queues.count(LANE), world.queues.depth(LANE)) == (0, 1)
