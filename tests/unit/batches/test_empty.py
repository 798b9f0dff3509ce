"""Batches, chains and graphs without children, wherever they stand: each succeeds the moment it begins."""

from __future__ import annotations

from types import MappingProxyType

import pytest

from tests.unit.batches.conftest import Flock, Plain, Told, Work, works
from tidemill import minutes
from tidemill.batches import Batch, BatchState, Chain, Graph
from tidemill.testing import Process

# The numbers that run, in order.
EMPTY = MappingProxyType(
    {
        "a batch between two steps": (Chain(Work(n=1), Batch([]), Work(n=2)), [1, 2]),
        "a chain between two steps": (Chain(Work(n=1), Chain(), Work(n=2)), [1, 2]),
        "a graph between two steps": (Chain(Work(n=1), Graph({}), Work(n=2)), [1, 2]),
        "the last step": (Chain(Work(n=1), Batch([])), [1]),
        "the first step": (Chain(Batch([]), Work(n=1)), [1]),
        "a waiting chain's first step": (Chain(Work(n=1), Chain(Batch([]), Work(n=2)), Work(n=3)), [1, 2, 3]),
        "a waiting chain of nothing else": (Chain(Work(n=1), Chain(Batch([]), Batch([])), Work(n=2)), [1, 2]),
        "within a waiting batch": (Chain(Work(n=1), Batch([Batch([]), Work(n=2)]), Work(n=3)), [1, 2, 3]),
        "within a batch without other children": (Chain(Work(n=1), Batch([Batch([Batch([])])]), Work(n=2)), [1, 2]),
        "a node that two others wait for": (
            Graph({"a": Work(n=1), "b": Chain(), "c": Work(n=2)}, after={"b": ["a"], "c": ["a", "b"]}),
            [1, 2],
        ),
    }
)


@pytest.mark.parametrize("name", EMPTY)
def test_what_waits_for_nothing_at_all_goes_on_at_once(flock, name):
    flow, order = EMPTY[name]
    started = flock.client.start(flow)
    flock.tide.drain()

    assert flock.ran == order
    assert flock.view(started).state is BatchState.SUCCEEDED


def test_the_callback_of_an_empty_step_runs_when_its_turn_comes(flock):
    started = flock.client.start(Chain(Work(n=1), Batch([], then=Plain(name="nothing")), then=Told(name="end")))
    inner = started.batch.ref.inner(1).id
    assert flock.client.batches.get(inner).state is BatchState.WAITING
    assert flock.told == []
    flock.tide.drain()

    assert flock.client.batches.get(inner).state is BatchState.SUCCEEDED
    assert Plain(name="nothing") in flock.told
    assert [told.succeeded for told in flock.told if isinstance(told, Told)] == [2]


@pytest.mark.parametrize("call", ["advance", "end_batch", "count_ends", "look_again"])
@pytest.mark.parametrize("trouble", ["crash_before", "crash_after", "lose_answer", "throttle"])
def test_whoever_dies_between_its_beginning_and_its_end_the_chain_goes_on(call, trouble):
    flock = Flock()
    flow = Chain(Work(n=1), Batch([], then=Plain(name="nothing")), Work(n=2), then=Told())
    started = flock.client.start(flow)
    getattr(flock.tide.faults, trouble)(call, by=Process.WORKER)
    flock.tide.drain_until_idle()

    assert flock.ran == [1, 2]
    assert sorted(type(told).__name__ for told in flock.told) == ["Plain", "Told"]
    assert flock.view(started).state is BatchState.SUCCEEDED
    assert not flock.tide.faults.outstanding


def test_one_that_has_begun_needs_nobody_but_the_janitor(flock):
    """Its worker is gone for good, and so is the message that it had."""
    started = flock.client.start(Chain(Work(n=1), Batch([]), Work(n=2)))
    flock.tide.faults.crash_after("advance", by=Process.WORKER)
    flock.tide.drain()
    for queue in flock.tide.queues._queues.values():
        queue.messages.clear()
    flock.tide.run_for(minutes(5))

    assert flock.ran == [1, 2]
    assert flock.view(started).state is BatchState.SUCCEEDED


def test_a_submitter_that_dies_leaves_the_empty_first_step_to_the_janitor():
    flock = Flock()
    flock.tide.faults.throttle("advance", by=Process.CLIENT, times=9)
    started = flock.client.start(Chain(Batch([], then=Plain(name="first")), Work(n=1)))
    flock.tide.run_for(minutes(5))

    assert flock.ran == [1]
    assert flock.view(started).state is BatchState.SUCCEEDED


@pytest.mark.parametrize(
    "flow",
    [Chain(Work(n=1), *[Batch([])] * 99), Chain(Work(n=1), *[Chain(*[Batch([])] * 9)] * 99)],
    ids=["steps", "chains"],
)
def test_a_hundred_empty_steps_end_too(flock, flow):
    started = flock.client.start(flow)
    flock.tide.drain()
    flock.tide.run_for(minutes(240))

    assert flock.view(started).state is BatchState.SUCCEEDED


def test_cancelled_while_it_waits_it_never_began(flock):
    flow = Chain(*works(1, 2), Batch([], then=Plain(name="then"), on_failure=Told(name="inner")), on_failure=Told())
    started = flock.client.start(flow)
    view = flock.client.batches.cancel(started.batch_id)

    assert (view.state, view.cancelled, view.open) == (BatchState.CANCELLED, 3, 0)
    assert flock.client.batches.get(started.batch.ref.inner(2).id).state is BatchState.CANCELLED
    flock.tide.drain_until_idle()
    assert sorted((told.name, told.outcome) for told in flock.told) == [("", "cancelled"), ("inner", "cancelled")]
    assert flock.ran == []
