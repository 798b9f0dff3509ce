"""A request to cancel that meets an attempt which does not end its job: the job ends, and waits for nothing."""

import pytest

from tests.unit.service.conftest import World, raising
from tidemill import PermanentError, RateLimitedError, Retry, days, seconds
from tidemill.domain.lifecycle import State

FAILURES = {
    "retries": ValueError("x"),
    "is deferred for a month": RateLimitedError(retry_after=days(30)),
    "is unavailable": ConnectionRefusedError("down"),
}


@pytest.fixture
def world() -> World:
    return World(retry=Retry(max_attempts=3, delays=[seconds(30)]))


def asked_and(world, job, error):
    def behaviour(args, ctx):
        assert world.client.cancel(job.ref.id).cancel_asked
        raise error

    return behaviour


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES)
def test_a_cancel_that_meets_a_failing_attempt_ends_the_job(world, error):
    job = world.submit()
    world.does = [asked_and(world, job, error)]

    world.invoke()
    world.clock.advance(seconds(1))
    world.janitor.sweep()
    world.invoke()

    now = world.job(job)
    assert (now.state, now.reason, now.cancel_asked) == (State.CANCELLED, "cancelled", False)
    assert (now.concluded, world.queues.count("default")) == (2, 0)
    assert world.telemetry.counts["JobsCancelled"] == 1
    assert "FenceLost" not in world.telemetry.counts
    # Why the attempt failed is known all the same.
    assert [failed.failure.type for failed in world.client.failures(job.ref.id)] == [_type(error)]


def test_a_cancel_that_the_attempt_had_heard_of_ends_the_job(world):
    job = world.submit()

    def behaviour(args, ctx):
        world.client.cancel(job.ref.id)
        world.clock.advance(seconds(5))
        try:
            ctx.heartbeat()
        finally:
            raise ValueError("clean-up failed")

    world.does = [behaviour]
    world.invoke()
    # A clean-up that fails has the waits of its kind; this one remembers nothing that it could go on from.
    world.clock.advance(seconds(31))
    world.invoke()

    assert world.state(job) is State.CANCELLED


def test_an_attempt_that_ends_its_job_is_not_undone_by_a_cancel(world):
    dead, done = world.submit(), world.submit()
    world.does = [
        asked_and(world, dead, PermanentError("no")),
        lambda args, ctx: world.client.cancel(done.ref.id) and 1,
    ]

    world.invoke()

    assert (world.state(dead), world.state(done)) == (State.DEAD, State.SUCCEEDED)


def test_a_job_that_is_given_back_untouched_is_cancelled_too(world):
    """Its worker died, somebody asked for its end, and the next worker has no time for it."""
    job = world.submit()
    world.crash()
    world.client.cancel(job.ref.id)

    world.work(world.queues.receive("default"), within=seconds(20))

    assert world.state(job) is State.CANCELLED


def test_the_neighbours_of_a_cancelled_job_go_on(world):
    job, other = world.submit(), world.submit()
    world.does = [asked_and(world, job, ValueError("x")), raising(ValueError("y"))]

    world.invoke()
    world.clock.advance(seconds(1))
    world.invoke()

    assert (world.state(job), world.state(other)) == (State.CANCELLED, State.RETRYING)


def _type(error):
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
