"""A cancelled batch: what waits never runs, what runs is asked, and the batch ends with what is true."""

from __future__ import annotations

import pytest

from tests.unit.batches.conftest import Flock, Plain, Told, Work, works
from tidemill import State, Submission, days, minutes, seconds
from tidemill.batches import Batch, BatchState, Chain
from tidemill.errors import UnavailableError
from tidemill.testing import Crashed, Process


def test_children_that_wait_never_run(flock):
    children = [*works(1, 2), Submission(Work(n=3), delay=days(1))]
    started = flock.client.start(Batch(children, then=Plain(name="then"), on_failure=Told()))
    view = flock.client.batches.cancel(started.batch_id)
    flock.tide.drain_until_idle()

    assert flock.ran == []
    assert (view.state, view.cancelled) == (BatchState.CANCELLED, 3)
    assert [(told.outcome, told.cancelled) for told in flock.told] == [("cancelled", 3)]


def test_what_has_succeeded_stays_and_what_runs_is_asked():
    flock = Flock(batch_size=1)
    started = flock.client.start(Batch(works(1, 2, 3), on_failure=Told()))
    ref = started.batch.ref
    flock.tide.run_one(ref.child(0))

    def cancel_and_look(ctx):
        flock.client.batches.cancel(started.batch_id)
        flock.tide.advance(seconds(6))
        ctx.heartbeat()

    flock.does[2] = cancel_and_look
    flock.tide.run_one(ref.child(1))
    flock.tide.drain_until_idle()

    view = flock.view(started)
    assert (view.succeeded, view.cancelled, view.state) == (1, 2, BatchState.CANCELLED)
    assert flock.ran == [1, 2]
    assert len(flock.told) == 1


def test_a_batch_that_got_all_it_needs_before_its_cancel_took_hold_succeeded(flock):
    started = flock.client.start(Batch(works(1), then=Told()))
    flock.does[1] = lambda ctx: flock.client.batches.cancel(started.batch_id)
    flock.tide.drain_until_idle()

    assert flock.view(started).state is BatchState.SUCCEEDED
    assert flock.client.batches.cancel(started.batch_id).state is BatchState.SUCCEEDED


def test_a_cancelled_chain_starts_nothing_more(flock):
    started = flock.client.start(Chain(*works(1, 2, 3), on_failure=Told()))
    flock.does[1] = lambda ctx: flock.client.batches.cancel(started.batch_id)
    flock.tide.drain_until_idle()

    view = flock.view(started)
    assert flock.ran == [1]
    assert (view.state, view.succeeded, view.cancelled) == (BatchState.CANCELLED, 1, 2)


def test_inner_batches_are_cancelled_too_those_that_wait_as_well(flock):
    started = flock.client.start(Chain(Batch(works(1, 2)), Batch(works(3, 4)), on_failure=Told()))
    view = flock.client.batches.cancel(started.batch_id)
    flock.tide.drain_until_idle()

    assert flock.ran == []
    assert (view.state, view.cancelled) == (BatchState.CANCELLED, 2)
    for index in (0, 1):
        inner = flock.client.batches.get(started.batch.ref.inner(index).id)
        assert (inner.state, inner.cancelled) == (BatchState.CANCELLED, 2)


def test_an_unfinished_submit_can_be_cancelled_and_does_not_go_on():
    flock = Flock()
    flow = Batch(works(*range(600)), on_failure=Told())
    flock.tide.faults.crash_after("advance", by=Process.CLIENT)
    with pytest.raises(Crashed):
        flock.client.start(flow, key="k")
    client = flock.tide._stack.client()

    view = client.batches.cancel(flock.store_id("k"))
    assert (view.state, view.cancelled) == (BatchState.CANCELLED, 600)
    assert client.start(flow, key="k").batch.ended is not None
    flock.tide.drain(limit=5_000)
    assert flock.ran == []


def test_a_canceller_that_dies_half_way_leaves_no_open_batch():
    flock = Flock()
    started = flock.client.start(
        Batch([Submission(work, delay=days(3)) for work in works(*range(250))], on_failure=Told())
    )
    flock.tide.faults.throttle("move", after=150, times=1)
    with pytest.raises(UnavailableError):
        flock.client.batches.cancel(started.batch_id)
    view = flock.view(started)
    assert (view.state, view.cancelled) == (BatchState.RUNNING, 100)

    view = flock.client.batches.cancel(started.batch_id)
    assert (view.state, view.cancelled) == (BatchState.CANCELLED, 250)


def test_a_second_cancel_reaches_what_started_in_the_moment_of_the_first(flock):
    started = flock.client.start(Chain(*works(1, 2), on_failure=Told()))
    # The step was released between the look of the cancel and its count.
    flock.tide._stack.batch_watch().progress.releaser.release(started.batch, [1])
    flock.client.batches.cancel(started.batch_id)

    assert {job.state for job in flock.tide.jobs() if job.kind == "batch.work"} == {State.CANCELLED}
    flock.tide.run_for(minutes(1))
    assert flock.ran == []


def cancel_before(flock, monkeypatch, place, call, times=1):
    """Somebody cancels the batch `k` just before the nth call of this sort reaches AWS; whoever calls does not know."""
    real, left = getattr(place, call), [times]

    def called(*arguments, **named):
        left[0] -= 1
        if left[0] == 0:
            flock.seen = flock.client.batches.cancel(flock.store_id("k"))
        return real(*arguments, **named)

    monkeypatch.setattr(place, call, called)


# Each message of a job goes before its record.
@pytest.mark.parametrize("call", ["send", "insert"])
def test_children_that_are_being_submitted_when_their_batch_is_cancelled_never_run(flock, monkeypatch, call):
    place = flock.tide.queues if call == "send" else flock.tide._stack.store
    cancel_before(flock, monkeypatch, place, call)
    flow = Batch(works(*range(600)), on_failure=Told())
    started = flock.client.start(flow, key="k")

    # The count is right from the beginning on.
    assert (flock.seen.state, flock.seen.cancelled) == (BatchState.CANCELLED, 600)
    assert not flock.client.start(flow, key="k").created
    flock.tide.drain_until_idle(limit=5_000)
    view = flock.view(started)
    assert flock.ran == []
    assert (view.state, view.cancelled, view.succeeded) == (BatchState.CANCELLED, 600, 0)
    assert [(told.cancelled, told.succeeded) for told in flock.told] == [(600, 0)]
    assert not [job for job in flock.tide.jobs() if job.kind == "batch.work" and not job.state.is_final]


@pytest.mark.parametrize("call", ["send", "insert"])
def test_a_step_that_is_being_started_when_its_chain_is_cancelled_never_runs(flock, monkeypatch, call):
    started = flock.client.start(Chain(*works(1, 2, 3), on_failure=Told()), key="k")
    place = flock.tide.queues if call == "send" else flock.tide._stack.store
    cancel_before(flock, monkeypatch, place, call)
    flock.tide.drain_until_idle()

    view = flock.view(started)
    assert flock.ran == [1]
    assert (view.state, view.succeeded, view.cancelled) == (BatchState.CANCELLED, 1, 2)
    assert [(told.succeeded, told.cancelled) for told in flock.told] == [(1, 2)]


def test_a_step_that_is_a_batch_and_is_being_started_never_runs(flock, monkeypatch):
    started = flock.client.start(Chain(Work(n=1), Batch(works(*range(10, 130)))), key="k")
    # One page of it is started, the other not yet.
    cancel_before(flock, monkeypatch, flock.tide.queues, "send", times=2)
    flock.tide.drain_until_idle(limit=5_000)

    inner = flock.client.batches.get(started.batch.ref.inner(1).id)
    assert flock.ran == [1]
    assert (inner.state, inner.cancelled) == (BatchState.CANCELLED, 120)
    assert flock.view(started).state is BatchState.CANCELLED


def test_a_submit_that_begins_after_the_cancel_submits_nothing():
    flock = Flock()
    flow = Batch(works(*range(600)), on_failure=Told())
    flock.tide.faults.crash_after("open_batch", by=Process.CLIENT)
    with pytest.raises(Crashed):
        flock.client.start(flow, key="k")
    client = flock.tide._stack.client()
    client.batches.cancel(flock.store_id("k"), until_ms=flock.tide.clock.now_ms())

    assert client.start(flow, key="k").batch.cancel_asked
    assert flock.tide.jobs() == []


@pytest.mark.parametrize("size", [250, 0])
def test_what_does_not_fit_into_the_time_is_left_to_the_janitor(flock, size):
    children = [Submission(work, delay=days(3)) for work in works(*range(size))]
    inner = Batch([Submission(work, delay=days(3)) for work in works(*range(1_000, 1_150))])
    started = flock.client.start(Batch([inner, *children], on_failure=Told()))
    view = flock.client.batches.cancel(started.batch_id, until_ms=flock.tide.clock.now_ms())
    assert (view.state, view.cancelled) == (BatchState.RUNNING, 0)
    flock.tide.run_for(minutes(2))

    view = flock.view(started)
    assert (view.state, view.cancelled) == (BatchState.CANCELLED, size + 1)
    assert [told.cancelled for told in flock.told] == [size + 1]


def test_the_janitor_goes_on_with_a_cancel_whose_caller_died(flock):
    children = [Submission(work, delay=days(3)) for work in works(*range(250))]
    started = flock.client.start(Batch(children, on_failure=Told()))
    flock.tide.run_for(days(2))
    flock.tide.faults.throttle("move", after=150, times=1)
    with pytest.raises(UnavailableError):
        flock.client.batches.cancel(started.batch_id)
    flock.tide.run_for(minutes(4))

    assert (flock.view(started).state, flock.view(started).cancelled) == (BatchState.CANCELLED, 250)
    assert flock.ran == []
