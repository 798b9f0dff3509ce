"""Duplicates, crashes, lost answers: one callback, an exact count, and no batch that stays open."""

from __future__ import annotations

import pytest

from tests.unit.batches.conftest import Flock, Plain, Told, works
from tidemill import Submission, days, hours, minutes
from tidemill.batches import FIRST, Batch, BatchState, Chain
from tidemill.errors import BatchNotFoundError, BatchUnfinishedError, KeyConflictError, UnavailableError
from tidemill.testing import Crashed, Process

# The first and the last call of each sort that workers make for a batch of two shards.
WORKER_CALLS = [("count_ends", 0), ("count_ends", 11), ("fill", 0), ("fill", 1)]
WORKER_CALLS += [("tally", 0), ("end_batch", 0), ("kept_jobs", 0), ("look_again", 0)]


@pytest.mark.parametrize(("call", "after"), WORKER_CALLS)
@pytest.mark.parametrize("trouble", ["crash_before", "crash_after", "lose_answer", "throttle"])
def test_whatever_happens_to_a_worker_while_it_counts_there_is_one_callback(call, after, trouble):
    flock = Flock()
    started = flock.client.start(Batch(works(*range(120)), then=Told()))
    getattr(flock.tide.faults, trouble)(call, by=Process.WORKER, after=after)
    flock.tide.drain_until_idle(limit=10_000)

    view = flock.view(started)
    assert (view.state, view.succeeded) == (BatchState.SUCCEEDED, 120)
    assert [told.succeeded for told in flock.told] == [120]
    assert not flock.tide.faults.outstanding


@pytest.mark.parametrize("call", ["count_ends", "find_batches", "kept_jobs", "send", "insert", "end_batch"])
@pytest.mark.parametrize("trouble", ["crash_before", "crash_after", "lose_answer", "throttle"])
def test_whatever_happens_between_two_steps_of_a_chain_each_runs_once(call, trouble):
    flock = Flock()
    started = flock.client.start(Chain(*works(1, 2, 3), then=Told()))
    getattr(flock.tide.faults, trouble)(call, by=Process.WORKER)
    flock.tide.drain_until_idle()

    assert flock.ran == [1, 2, 3]
    assert len(flock.told) == 1
    assert flock.view(started).state is BatchState.SUCCEEDED


def test_duplicates_are_counted_once():
    flock = Flock()
    flock.tide.faults.deliver_twice(times=40)
    view = flock.run(Batch(works(*range(40)), then=Told()))

    assert view.succeeded == 40
    assert len(flock.told) == 1


def test_a_submitter_that_crashes_half_way_goes_on_with_the_same_key():
    flock = Flock()
    flow = Batch(works(*range(1_200)), then=Told())
    flock.tide.faults.crash_after("advance", by=Process.CLIENT, after=1)
    with pytest.raises(Crashed):
        flock.client.start(flow, key="big")

    client = flock.tide._stack.client()
    view = client.batches.get(flock.store_id("big"))
    assert (view.state, view.batch.submitted) == (BatchState.SUBMITTING, 1_000)
    flock.tide.drain(limit=5_000)
    assert not flock.told

    started = client.start(flow, key="big")
    assert (started.created, started.batch.submitted) == (False, 1_200)
    flock.tide.drain(limit=5_000)
    assert len(flock.ran) == 1_200
    assert [told.succeeded for told in flock.told] == [1_200]


def test_a_submitter_that_never_comes_back_leaves_no_open_batch():
    flock = Flock()
    flock.tide.faults.crash_after("advance", by=Process.CLIENT)
    with pytest.raises(Crashed):
        flock.client.start(Batch(works(*range(600)), then=Plain(name="then"), on_failure=Told()), key="big")

    flock.tide.drain(limit=5_000)
    flock.tide.run_for(hours(23), limit=5_000)
    assert not flock.told
    flock.tide.run_for(hours(3), limit=5_000)
    assert [(told.succeeded, told.failed) for told in flock.told] == [(500, 100)]


def test_a_start_without_a_key_says_how_far_it_came():
    flock = Flock()
    flock.tide.faults.throttle("send", times=9, after=1)
    with pytest.raises(BatchUnfinishedError, match=r"500 of 600 submitted .* cancel the batch") as caught:
        flock.client.start(Batch(works(*range(600))))

    assert (caught.value.submitted, caught.value.size) == (500, 600)
    assert flock.client.batches.get(caught.value.batch_id).state is BatchState.SUBMITTING


def test_one_key_is_one_batch_and_another_flow_under_it_is_refused(flock):
    flow = Batch(works(1, 2), then=Told())
    first = flock.client.start(flow, key="k")
    flock.tide.drain()
    again = flock.client.start(flow, key="k")

    assert (first.created, again.created, again.batch_id) == (True, False, first.batch_id)
    assert flock.tide.drain() == 0
    for other in (
        Batch(works(1, 3), then=Told()),
        Batch(works(1, 2)),
        Batch(works(1, 2), then=Told(name="x")),
        Batch(works(1, 2), then=Told(), completion=FIRST),
        Chain(*works(1, 2), then=Told()),
        Batch([works(1)[0], Submission(works(2)[0], delay=minutes(1))], then=Told()),
    ):
        with pytest.raises(KeyConflictError):
            flock.client.start(other, key="k")
    assert flock.client.start(flow, key="k", tenant="zeta").created


def test_a_chain_is_accepted_once_it_is_written(flock):
    """Its submitter may die at once; the janitor starts it."""
    flock.tide.faults.crash_after("open_batch", by=Process.CLIENT)
    with pytest.raises(Crashed):
        flock.client.start(Chain(*works(1, 2), then=Told()), key="k")
    flock.tide.run_for(minutes(5))

    assert flock.ran == [1, 2]
    assert len(flock.told) == 1


def test_while_the_table_of_batches_is_away_messages_wait(flock):
    started = flock.client.start(Batch(works(1, 2), then=Told()))
    flock.store.outage = UnavailableError("count", "Down")
    flock.tide.drain()
    assert flock.ran == [1, 2]
    assert not flock.told

    flock.store.outage = None
    flock.tide.drain_until_idle()
    assert flock.ran == [1, 2]
    assert len(flock.told) == 1
    assert flock.view(started).succeeded == 2


def test_a_parked_child_that_is_cancelled_is_found_by_the_janitor(flock):
    """No message of it is left for a worker to meet."""
    started = flock.client.start(
        Batch([*works(1), Submission(works(2)[0], delay=days(2))], then=Plain(name="then"), on_failure=Told())
    )
    flock.tide.drain()
    flock.client.cancel(started.batch.ref.child(1).id)
    assert not flock.told
    flock.tide.run_for(minutes(10))

    assert [(told.succeeded, told.cancelled) for told in flock.told] == [(1, 1)]


def test_a_success_that_nobody_counted_mends_a_failed_batch(flock):
    """A redriven child whose worker died before it counted, and whose message is gone."""
    flock.fails = {2}
    started = flock.client.start(Batch(works(1, 2), then=Told(name="then"), on_failure=Told(name="no")))
    flock.tide.drain_until_idle()
    flock.fails = set()
    dead = started.batch.ref.child(1)
    flock.tide.desk.redrive(dead)
    flock.tide.faults.crash_before("count_ends", by=Process.WORKER)
    flock.tide.drain()
    for queue in flock.tide.queues._queues.values():
        queue.messages.clear()
    flock.tide.run_for(days(2))

    assert flock.view(started).state is BatchState.SUCCEEDED
    assert [told.name for told in flock.told] == ["no", "then"]


def test_the_janitor_looks_less_and_less_often(flock):
    started = flock.client.start(Batch([Submission(works(1)[0], delay=days(3))]))
    ref = started.batch.ref
    before = flock.store.writes[ref, None]
    flock.tide.run_for(days(2))

    # Twice as long each time, up to an hour.
    assert 48 <= flock.store.writes[ref, None] - before <= 60


@pytest.mark.parametrize("after", range(3))
def test_a_flow_of_which_not_every_batch_was_written_was_not_accepted(after):
    """And the same call once more is."""
    flock = Flock()
    flow = Chain(Batch(works(1)), Batch([Batch(works(2))]), *works(3), then=Told())
    flock.tide.faults.crash_after("open_batch", by=Process.CLIENT, after=after)
    with pytest.raises(Crashed):
        flock.client.start(flow, key="k")
    client = flock.tide._stack.client()
    flock.tide.run_for(minutes(5))
    assert not flock.ran
    with pytest.raises(BatchNotFoundError):
        client.batches.get(flock.store_id("k"))
    with pytest.raises(KeyConflictError):
        client.start(Chain(Batch(works(1)), Batch([Batch(works(4))]), *works(3), then=Told()), key="k")

    started = client.start(flow, key="k")
    flock.tide.drain_until_idle()
    assert flock.ran == [1, 2, 3]
    assert flock.view(started).state is BatchState.SUCCEEDED
    assert len(flock.told) == 1
