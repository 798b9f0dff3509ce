"""Chains, graphs, and batches within batches."""

from __future__ import annotations

import pytest

from tests.unit.batches.conftest import Plain, Told, Work, works
from tidemill import State, Submission, minutes
from tidemill.batches import FIRST, Batch, BatchState, Chain, Graph, tolerate


def test_a_chain_runs_one_after_the_other(flock):
    view = flock.run(Chain(*works(1, 2, 3), then=Told(name="end")))

    assert flock.ran == [1, 2, 3]
    assert view.state is BatchState.SUCCEEDED
    assert [told.succeeded for told in flock.told] == [3]


def test_what_comes_after_a_failure_never_starts(flock):
    flock.fails = {2}
    view = flock.run(Chain(*works(1, 2, 3, 4), then=Plain(name="then"), on_failure=Told()))

    assert flock.ran == [1, 2]
    assert (view.state, view.failed, view.skipped) == (BatchState.FAILED, 1, 2)
    assert [(told.failed, told.skipped) for told in flock.told] == [(1, 2)]


def test_a_chain_goes_on_from_a_redriven_step_and_then_succeeds(flock):
    flock.fails = {2}
    started = flock.client.start(Chain(*works(1, 2, 3), then=Told(name="then"), on_failure=Told(name="failed")))
    flock.tide.drain_until_idle()
    assert [told.name for told in flock.told] == ["failed"]

    flock.fails = set()
    dead = started.batch.ref.child(1)
    flock.tide.desk.redrive(dead)
    flock.tide.drain_until_idle()

    assert flock.ran == [1, 2, 2, 3]
    assert flock.view(started).state is BatchState.SUCCEEDED
    # Each callback ran once.
    assert [told.name for told in flock.told] == ["failed", "then"]


def test_a_graph_waits_for_all_that_a_node_comes_after(flock):
    graph = Graph(
        {"a": Work(n=1), "b": Work(n=2), "c": Work(n=3), "d": Work(n=4)},
        after={"b": ["a"], "c": ["a"], "d": ["b", "c"]},
        then=Told(),
    )
    view = flock.run(graph)

    assert flock.ran[0] == 1
    assert flock.ran[-1] == 4
    assert sorted(flock.ran) == [1, 2, 3, 4]
    assert view.state is BatchState.SUCCEEDED


def test_a_graph_can_tolerate_what_fails_but_not_start_what_comes_after_it(flock):
    flock.fails = {2}
    nodes = {"a": Work(n=1), "b": Work(n=2), "c": Work(n=3)}
    view = flock.run(Graph(nodes, after={"c": ["b"]}, completion=tolerate(2), then=Told()))

    assert sorted(flock.ran) == [1, 2]
    assert (view.state, view.skipped) == (BatchState.SUCCEEDED, 1)


def test_delays_of_steps_count_from_their_turn(flock):
    started = flock.client.start(Chain(Work(n=1), Submission(Work(n=2), delay=minutes(30)), Work(n=3)))
    flock.tide.drain()
    flock.tide.run_for(minutes(29))
    assert flock.ran == [1]
    flock.tide.run_for(minutes(2))
    assert flock.ran == [1, 2, 3]
    assert flock.view(started).is_over


def test_a_step_at_a_time_starts_then_or_when_its_turn_comes(flock):
    """And a repeated start asks for the same."""
    soon, late = flock.tide.now + minutes(10), flock.tide.now + minutes(60)
    steps = [Submission(Work(n=n), run_at=at) for n, at in ((1, late), (2, soon), (3, late + minutes(5)))]
    started = flock.client.start(Chain(*steps), key="k")
    flock.tide.run_for(minutes(5))
    assert not flock.client.start(Chain(*steps), key="k").created
    flock.tide.run_for(minutes(56))
    assert flock.ran == [1, 2]
    flock.tide.run_for(minutes(5))
    assert flock.ran == [1, 2, 3]
    assert flock.view(started).is_over


def test_a_batch_within_a_batch_is_one_child_of_it(flock):
    inner = Batch(works(1, 2), then=Plain(name="inner"))
    view = flock.run(Batch([inner, Work(n=3)], then=Told(name="outer")))

    assert sorted(flock.ran) == [1, 2, 3]
    assert (view.batch.size, view.succeeded) == (2, 2)
    assert flock.told[-1] == Told(name="outer", batch_id=view.batch_id, outcome="succeeded", total=2, succeeded=2)
    assert Plain(name="inner") in flock.told


def test_an_inner_batch_that_fails_is_a_failed_child(flock):
    flock.fails = {2}
    view = flock.run(Batch([Batch(works(1, 2), on_failure=Plain(name="inner")), Work(n=3)], on_failure=Told()))

    assert (view.state, view.failed) == (BatchState.FAILED, 1)
    outer = flock.told[-1]
    assert outer.failures == [(0, view.batch.ref.inner(0).id)]
    assert flock.client.batches.get(outer.failures[0][1]).failed == 1


def test_steps_of_a_chain_can_be_batches_that_wait_for_their_turn(flock):
    flow = Chain(Batch(works(1, 2)), Batch(works(*range(10, 260))), Chain(*works(5, 6)), Work(n=7), then=Told())
    view = flock.run(flow)

    assert set(flock.ran[:2]) == {1, 2}
    assert set(flock.ran[2:252]) == set(range(10, 260))
    assert flock.ran[252:] == [5, 6, 7]
    assert view.state is BatchState.SUCCEEDED
    assert [told.total for told in flock.told] == [4]


def test_a_waiting_batch_says_so(flock):
    started = flock.client.start(Chain(Work(n=1), Batch(works(2, 3))))
    inner = flock.client.batches.get(started.batch.ref.inner(1).id)

    assert (inner.state, inner.open) == (BatchState.WAITING, 2)
    flock.tide.drain()
    assert flock.client.batches.get(inner.batch_id).state is BatchState.SUCCEEDED


def test_a_redrive_deep_inside_mends_every_level(flock):
    flock.fails = {2}
    started = flock.client.start(
        Batch([Batch([Batch(works(1, 2))])], then=Told(name="then"), on_failure=Told(name="no"))
    )
    flock.tide.drain_until_idle()
    assert [told.name for told in flock.told] == ["no"]

    flock.fails = set()
    innermost = started.batch.ref.inner(0)
    dead = type(innermost)(innermost.tenant, innermost.inner(0).id).child(1)
    assert flock.tide.job(dead).state is State.DEAD
    flock.tide.desk.redrive(dead)
    flock.tide.drain_until_idle()

    assert flock.view(started).state is BatchState.SUCCEEDED
    assert [told.name for told in flock.told] == ["no", "then"]


def test_the_first_of_several_chains_wins(flock):
    flock.fails = {1}
    view = flock.run(Batch([Chain(*works(1, 2)), Chain(*works(3, 4))], completion=FIRST, then=Told()))

    assert view.state is BatchState.SUCCEEDED
    assert len(flock.told) == 1


@pytest.mark.parametrize("flow", [Chain(), Graph({})])
def test_nothing_at_all_succeeds_at_once(flock, flow):
    assert flock.run(flow).state is BatchState.SUCCEEDED
