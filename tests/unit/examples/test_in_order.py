"""The guide's jobs in order do what the guide says."""

import pytest

from examples.guide import in_order
from examples.guide.in_order import MirrorBalance, balance_changed
from tests.unit.service.conftest import World
from tidemill.testing.queue import MemoryQueues

LANE = "accounts"


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(in_order, "balances", {})
    world = World()
    world.registry = in_order.registry
    world.lanes = tuple(world.registry.lanes)
    world.queues = MemoryQueues(world.clock, world.lanes, fifo={LANE})
    world.build(world.store, world.queues)
    return world


def drain(world):
    while world.invoke(LANE, 1):
        pass


def test_changes_arrive_in_their_order(world):
    ids = [balance_changed(world.client, "acc-1", version, cents) for version, cents in ((1, 100), (2, 250), (3, 40))]
    drain(world)

    assert [world.client.result(one) for one in ids] == ["version 1", "version 2", "version 3"]
    assert in_order.balances == {"acc-1": 40}


def test_a_gap_and_a_latecomer_are_seen(world):
    balance_changed(world.client, "acc-1", 1, 100)
    late = world.client.submit(MirrorBalance(account="acc-1", cents=9), entity="acc-1", sequence=3)
    drain(world)
    stale = world.client.submit(MirrorBalance(account="acc-1", cents=7), entity="acc-1", sequence=2)
    drain(world)

    assert world.client.result(late.job_id) == "version 3, 1 before it never got here"
    assert world.client.result(stale.job_id) == "stale: version 3 is there"
    assert in_order.balances == {"acc-1": 9}
