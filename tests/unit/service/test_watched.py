"""A job that was claimed straight from the table stays the table's to answer for until it is over."""

from __future__ import annotations

import pytest

from tests.unit.service.conftest import FUNCTION_TIMEOUT, World, raising, returning
from tidemill import hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.lifecycle import State, Verb, allows


@pytest.fixture
def watched(world):
    """A job whose copy was claimed before the sweep that had sent it could mark it."""
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1) + seconds(1))
    world.store.move, move = (lambda verb, before, after: None), world.store.move
    world.janitor.sweep()
    world.store.move = move
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery])
    assert world.job(job).watched
    # The one copy there was is gone.
    world.queues.delete("default", [delivery.receipt])
    return job, delivery, executor, batch


LEASE = FUNCTION_TIMEOUT + limits.CLOCK_SKEW


def test_a_job_whose_worker_died_and_whose_message_is_gone_is_sent_anew_when_its_lease_is_over(world, watched):
    job = watched[0]
    world.clock.advance(LEASE + limits.CLOCK_SKEW + seconds(1))

    assert world.janitor.sweep() == 1
    assert (world.state(job), world.job(job).watched, world.job(job).claimable_at) == (State.QUEUED, False, 0)
    world.settle()

    assert (world.state(job), world.job(job).attempt) == (State.SUCCEEDED, 2)


@pytest.mark.parametrize("after", [seconds(0), LEASE, LEASE + limits.CLOCK_SKEW])
def test_a_job_that_may_still_be_alive_is_left_alone(world, watched, after):
    job = watched[0]
    world.clock.advance(after)

    assert world.janitor.sweep() == 0
    assert (world.state(job), world.queues.count("default")) == (State.RUNNING, 0)


def test_a_job_that_ends_is_watched_no_more(world, watched):
    job, delivery, executor, batch = watched
    batch.perform(delivery.message_id)
    executor.finish(batch)
    world.clock.advance(hours(1))

    assert (world.state(job), world.job(job).watched, world.janitor.sweep()) == (State.SUCCEEDED, False, 0)


def test_a_job_that_is_tried_again_waits_in_the_table_because_its_message_may_be_gone(world, watched):
    job, delivery, executor, batch = watched
    world.does = [raising(ValueError())]
    batch.perform(delivery.message_id)
    executor.finish(batch)

    assert (world.state(job), world.job(job).watched) == (State.SCHEDULED, False)
    world.settle()
    assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 2)


def test_a_worker_that_was_only_slow_is_fenced_out_by_the_revived_job(world, watched):
    job, delivery, executor, batch = watched
    world.does = [returning("slow"), returning("revived")]
    batch.perform(delivery.message_id)
    world.clock.advance(LEASE + limits.CLOCK_SKEW + seconds(1))
    world.janitor.sweep()

    assert executor.finish(batch) == [delivery.message_id]
    assert world.state(job) is State.QUEUED
    world.settle()

    assert world.client.result(job.ref.id) == "revived"


def test_a_job_that_beats_is_not_taken_for_dead():
    world = World(heartbeat=seconds(30), timeout=minutes(10))
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1) + seconds(1))
    world.store.move, move = (lambda verb, before, after: None), world.store.move
    world.janitor.sweep()
    world.store.move = move
    swept = []

    def behaviour(args, ctx):
        for _ in range(20):
            world.clock.advance(seconds(10))
            world.batch.tend(world.clock.now_ms())
            swept.append(world.janitor.sweep())

    world.does = [behaviour]
    world.work(world.queues.receive("default"), within=hours(1))

    assert (swept, world.state(job)) == ([0] * 20, State.SUCCEEDED)


def test_a_job_that_was_claimed_from_its_queue_is_not_watched(world):
    job = world.submit()
    world.begin(world.queues.receive("default"))
    world.clock.advance(hours(1))

    assert (world.job(job).watched, world.janitor.sweep()) == (False, 0)


def test_a_revive_that_meets_a_job_that_moved_on_changes_nothing(world, watched):
    job, delivery, executor, batch = watched
    stale = world.job(job)
    world.clock.advance(LEASE + limits.CLOCK_SKEW + seconds(1))
    batch.perform(delivery.message_id)
    move = world.store.move

    def late(verb, before, after):
        world.store.move = move
        executor.finish(batch)
        return move(verb, before, after)

    world.store.move = late
    world.janitor.sweep()
    world.settle()

    assert (stale.state, world.state(job), len(world.runs)) == (State.RUNNING, State.SUCCEEDED, 1)


def test_a_running_job_is_revived_and_no_other_state_but_scheduled():
    assert {state for state in State if allows(Verb.REVIVE, state)} == {State.SCHEDULED, State.RUNNING}
