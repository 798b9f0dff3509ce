"""What a batch costs above its jobs, and that ten thousand children are counted exactly."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.integration.cost.jobs import Doomed, Echo, Told, heard
from tidemill.batches import Batch, BatchState, Chain
from tidemill.domain import limits

PLAIN = 3
# The bound: what a child may cost above a plain job, in write units.
MOST = 1.2


@pytest.mark.parametrize(("size", "batch", "at_most"), [(10_000, 10, 0.15), (500, 1, MOST), (100, 10, 0.2), (1, 1, 8)])
def test_a_child_costs_little_above_a_plain_job(deploy, size, batch, at_most):
    """A child whose end is counted alone costs one unit, and a hundredth of one for its full shard."""
    deployment = deploy()
    meter, client = deployment.account.meter, deployment.program.client
    heard.clear()

    started = client.start(Batch([Echo(payload=str(n)) for n in range(size)], then=Told()))
    submitted = meter.write_units - size
    assert deployment.work(batch) == size + 1

    # The callback is a job of its own, and is kept until its turn.
    above = (meter.write_units - PLAIN * (size + 1)) / size
    assert above <= at_most
    # The callback, the batch and its place in the due index, and how far the submit came, each 500 children.
    assert submitted == 3 + -(-size // 500)
    assert [(told.succeeded, told.failed, told.total) for told in heard] == [(size, 0, size)]
    view = client.batches.get(started.batch_id)
    assert (view.succeeded, view.open, view.state) == (size, 0, BatchState.SUCCEEDED)


def test_no_item_is_written_more_often_than_it_must_be(deploy):
    deployment = deploy()
    client, writes = deployment.program.client, Counter()
    deployment.account.jobs.watchers.append(lambda _table, key, _before, _after: writes.update([key]))
    client.start(Batch([Echo(payload=str(n)) for n in range(1_000)], then=Told()))
    deployment.work(1)

    # One write a child and shard; the batch: opened, submitted twice, ten full shards, ended, told.
    shards = {key: count for key, count in writes.items() if key[1] == "SHARD"}
    (batch,) = [count for key, count in writes.items() if key[1] == "BATCH"]
    assert len(shards) == 1_000 // limits.CHILDREN_PER_SHARD
    assert set(shards.values()) == {limits.CHILDREN_PER_SHARD}
    assert batch == 1 + 2 + 10 + 2


def test_a_step_of_a_chain_costs_two_units_above_a_plain_job(deploy):
    """It is kept until its turn, and counted."""
    deployment = deploy()
    steps = 50
    deployment.program.client.start(Chain(*(Echo(payload=str(n)) for n in range(steps))))
    deployment.work()

    above = (deployment.account.meter.write_units - PLAIN * steps) / steps
    assert 2 <= above <= 2 + 10 / steps


def test_a_dead_child_costs_a_unit_for_each_receive(deploy):
    """SQS hands it out again until it moves it, and each time it is counted, to the same effect."""
    deployment = deploy()
    client, meter = deployment.program.client, deployment.account.meter
    client.submit(Doomed())
    deployment.work()
    plain = meter.write_units
    started = client.start(Batch([Doomed(), Echo()]))
    deployment.work()

    view = client.batches.get(started.batch_id)
    assert (view.failed, view.succeeded, view.state) == (1, 1, BatchState.FAILED)
    assert meter.write_units - plain - plain - PLAIN <= limits.MAX_RECEIVES + 8
