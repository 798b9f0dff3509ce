"""A job that is longer than one invocation: it records where it is and goes on in the next."""

from __future__ import annotations

import pytest

from tests.builders import NOW, SECOND
from tests.unit.service.conftest import World, raising
from tidemill import RateLimitedError, Retry, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.decide import HANDED_OVER
from tidemill.domain.interrupt import WorkerDied
from tidemill.domain.lifecycle import State


def walk(world, pages, page_s=10):
    """A job that turns so many pages, each of which takes its time, and records each."""
    turned = []

    def behaviour(args, ctx):
        for page in range(ctx.cursor or 0, pages):
            turned.append(page)
            world.clock.advance(seconds(page_s))
            ctx.checkpoint(page + 1)
        return turned

    behaviour.turned = turned
    return behaviour


def test_a_job_goes_on_where_it_was_and_nothing_is_spent(world):
    job, walker = world.submit(), walk(world, 20)
    world.does = [walker] * 10

    world.settle()

    assert world.client.result(job.ref.id) == list(range(20))
    assert (world.job(job).attempt, world.job(job).deferrals, world.job(job).generation) == (1, 0, 1)
    assert [attempt for _, _, attempt in world.runs] == [1] * 4
    assert world.telemetry.counts["JobsDeferred"] == 3
    assert world.client.failures(job.ref.id) == []


def test_a_checkpoint_hands_over_only_when_a_tenth_of_the_time_is_left(world):
    seen = []

    def behaviour(args, ctx):
        for second in (53, 54):
            world.clock.advance(seconds(second) - seconds((world.clock.now_ms() - NOW) // SECOND))
            ctx.checkpoint(second)
            seen.append(second)

    job = world.submit()
    world.does = [behaviour]
    world.invoke()

    assert seen == [53]
    assert (world.state(job), world.job(job).reason) == (State.RETRYING, HANDED_OVER)
    assert world.job(job).claimable_at <= world.clock.now_ms()


def test_a_checkpoint_hands_over_before_the_soft_timeout_comes():
    """That one would cost an attempt."""
    world, seen = World(soft_timeout=seconds(40)), []

    def behaviour(args, ctx):
        for second in (35, 36):
            world.clock.advance(seconds(second) - seconds((world.clock.now_ms() - NOW) // SECOND))
            ctx.checkpoint(second)
            seen.append(second)

    job = world.submit()
    world.does = [behaviour]
    world.invoke()

    assert (seen, world.job(job).reason) == ([35], HANDED_OVER)


def test_the_cursor_is_found_after_a_failure_too_and_none_before_the_first(world):
    seen = []

    def behaviour(args, ctx):
        seen.append(ctx.cursor)
        ctx.checkpoint({"page": len(seen)})
        if len(seen) < 3:
            raise ValueError("again")

    world.submit()
    world.does = [behaviour] * 3
    world.settle()

    assert seen == [None, {"page": 1}, {"page": 2}]


def test_what_went_on_elsewhere_does_not_expire(world):
    job, walker = world.submit(expires_in=minutes(1)), walk(world, 8)
    world.does = [walker] * 3
    world.invoke()
    world.clock.advance(minutes(5))

    # Not even when it is given back in between.
    world.work(world.queues.receive("default"), within=seconds(20))
    assert world.job(job).reason == HANDED_OVER
    world.settle()

    assert (world.state(job), walker.turned) == (State.SUCCEEDED, list(range(8)))


def test_what_was_only_given_back_before_it_began_does_expire(world):
    job = world.submit(expires_in=minutes(1))
    world.work(world.queues.receive("default"), within=seconds(20))
    assert world.job(job).attempt == 0
    world.clock.advance(minutes(5))

    world.invoke()

    assert (world.state(job), world.runs) == (State.EXPIRED, [])


@pytest.mark.parametrize("after", [ValueError("x"), RateLimitedError(retry_after=seconds(30))])
def test_what_went_on_and_failed_then_does_not_expire(world, after):
    job = world.submit(expires_in=minutes(1))
    world.does = [walk(world, 8), raising(after), walk(world, 8)]
    world.invoke()
    world.clock.advance(minutes(5))
    world.settle()

    assert world.state(job) is State.SUCCEEDED


@pytest.mark.parametrize(
    ("cursor", "code"), [("x" * limits.MAX_CURSOR_BYTES, "too_large"), (object(), "type"), (float("nan"), None)]
)
def test_a_cursor_that_cannot_be_kept_ends_the_job(world, cursor, code):
    job = world.submit()
    world.does = [lambda args, ctx: ctx.checkpoint(cursor)]
    world.invoke()

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "step")
    assert code is None or world.memory.look(job.ref) is None or world.memory.look(job.ref).cursor is None


def test_the_largest_cursor_is_kept(world):
    job, largest = world.submit(), "x" * (limits.MAX_CURSOR_BYTES - 2)
    world.does = [lambda args, ctx: ctx.checkpoint(largest)]
    world.invoke()

    assert world.state(job) is State.SUCCEEDED
    assert len(world.memory.look(job.ref).cursor) == limits.MAX_CURSOR_BYTES


def test_a_job_is_handed_over_a_thousand_times_and_no_more():
    world = World(retry=Retry(max_attempts=1))
    job, runs = world.submit(), []

    def behaviour(args, ctx):
        runs.append(ctx.cursor)
        world.clock.advance(seconds(55))
        ctx.checkpoint(len(runs))

    world.does = [behaviour] * (limits.MAX_HAND_OVERS + 2)
    for _ in range(limits.MAX_HAND_OVERS + 1):
        world.invoke()
        if world.state(job) is State.SCHEDULED:
            world.janitor.sweep()
        world.clock.advance(seconds(1))
    while world.pending():
        world.janitor.sweep()
        world.clock.advance(seconds(1))
        world.invoke()

    assert runs == [None, *range(1, limits.MAX_HAND_OVERS + 1)]
    assert (world.state(job), world.job(job).reason) == (State.DEAD, "step")
    assert "split the work" in world.client.failures(job.ref.id)[-1].failure.message
    near = [fields for _, event, fields in world.telemetry.lines if event == "limit_near"]
    assert [(fields["limit"], fields["count"]) for fields in near] == [("hand_overs", 800)]


def test_a_hand_over_that_could_not_be_recorded_runs_again_from_the_cursor(world):
    job, walker = world.submit(), walk(world, 8)
    world.does = [walker] * 3
    conclude, world.store.conclude = world.store.conclude, lambda ended: (_ for _ in ()).throw(Killed)
    with pytest.raises(Killed):
        world.invoke()
    world.store.conclude = conclude
    world.settle()

    assert (world.client.result(job.ref.id), world.job(job).crashes) == (list(range(8)), 1)


class Killed(WorkerDied):
    """The process is gone."""


def test_a_hand_over_is_reported_as_a_wait_that_costs_nothing(world):
    job = world.submit()
    world.does = [walk(world, 8)]
    world.invoke()

    ((_, _, fields),) = [line for line in world.telemetry.lines if line[1] == "job_waits"]
    assert (fields["reason"], fields["error"], fields["job_id"]) == (HANDED_OVER, None, job.ref.id)
    assert world.telemetry.counts == {"JobsDeferred": 1, "BatchSize": 1}
