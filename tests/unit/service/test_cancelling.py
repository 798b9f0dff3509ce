"""A running job that is asked to stop."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tidemill import PermanentError, minutes, seconds
from tidemill.domain.errors import FenceLostError, JobStateError
from tidemill.domain.interrupt import JobCancelled
from tidemill.domain.lifecycle import State

ASK = pytest.mark.parametrize(
    "ask",
    [
        lambda ctx: ctx.heartbeat(),
        lambda ctx: ctx.progress(1),
        lambda ctx: ctx.checkpoint(1),
        lambda ctx: ctx.step("next", lambda: 1 / 0),
    ],
    ids=["heartbeat", "progress", "checkpoint", "step"],
)


@ASK
def test_a_running_job_sees_that_it_is_to_stop_cleans_up_and_ends_as_cancelled(world, ask):
    job, seen = world.submit(), []

    def behaviour(args, ctx):
        answer = world.client.cancel(job.ref.id)
        assert (answer.state, answer.cancel_asked) == (State.RUNNING, True)
        world.clock.advance(seconds(5))
        try:
            ask(ctx)
        except Exception:  # noqa: BLE001 - what a careless job does
            seen.append("swallowed")
        finally:
            seen.append(f"cleaned up, {ctx.cancel_asked}")

    world.does = [behaviour]
    world.invoke()

    assert seen == ["cleaned up, True"]
    assert (world.state(job), world.job(job).reason) == (State.CANCELLED, "cancelled")
    assert (world.queues.count("default"), world.telemetry.counts["JobsCancelled"]) == (0, 1)
    assert world.job(job).cancel_asked is False


def test_within_five_seconds_of_the_last_sign_a_job_need_not_know_yet(world):
    job, seen = world.submit(), []

    def behaviour(args, ctx):
        world.client.cancel(job.ref.id)
        ctx.heartbeat()
        seen.append(ctx.cancel_asked)

    world.does = [behaviour]
    world.invoke()

    assert (seen, world.state(job)) == ([False], State.SUCCEEDED)
    assert world.job(job).cancel_asked is False


def test_a_job_that_never_looks_succeeds_although_it_was_asked(world):
    job = world.submit()
    world.does = [lambda args, ctx: world.client.cancel(job.ref.id) and "done"]
    world.invoke()

    assert (world.state(job), world.client.result(job.ref.id)) == (State.SUCCEEDED, "done")
    with pytest.raises(JobStateError):
        world.client.cancel(job.ref.id)


def test_a_job_that_failed_after_it_was_asked_is_not_tried_again(world):
    job = world.submit()

    def behaviour(args, ctx):
        world.client.cancel(job.ref.id)
        raise ValueError("no")

    world.does = [behaviour]
    world.settle()

    assert (world.state(job), len(world.runs)) == (State.CANCELLED, 1)


def test_a_job_whose_worker_died_after_it_was_asked_does_not_run_again(world):
    job = world.submit()
    world.begin(world.queues.receive("default"))
    world.client.cancel(job.ref.id)
    world.clock.advance(minutes(3))
    world.settle()

    assert (world.state(job), world.runs) == (State.CANCELLED, [])


def test_a_job_that_is_asked_between_its_claim_and_its_start_stops_at_its_first_look(world):
    job = world.submit()
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery])
    world.client.cancel(job.ref.id)
    world.clock.advance(seconds(5))
    world.does = [lambda args, ctx: ctx.step("a", lambda: 1 / 0)]
    batch.perform(delivery.message_id)
    executor.finish(batch)

    assert world.state(job) is State.CANCELLED


def test_cancelling_twice_changes_nothing(world):
    job = world.submit()
    world.begin(world.queues.receive("default"))

    assert world.client.cancel(job.ref.id) == world.client.cancel(job.ref.id) == world.job(job)


def test_a_job_that_swallows_even_the_request_ends_as_it_ends(world):
    job = world.submit()

    def behaviour(args, ctx):
        world.client.cancel(job.ref.id)
        world.clock.advance(seconds(5))
        with pytest.raises(JobCancelled):
            ctx.heartbeat()
        return "done all the same"

    world.does = [behaviour]
    world.invoke()

    assert world.client.result(job.ref.id) == "done all the same"


def test_a_killed_job_hears_it_at_the_most_five_seconds_late_and_what_it_did_until_then_is_known(world, effects):
    job = world.submit()

    def behaviour(args, ctx):
        world.client.kill(job.ref.id)
        for second in range(1, 9):
            world.clock.advance(seconds(1))
            ctx.step(f"second {second}", effects, second)

    world.does = [behaviour]
    world.invoke()

    assert (world.state(job), world.job(job).reason) == (State.CANCELLED, "killed")
    assert effects.done == [1, 2, 3, 4]
    assert list(world.memory.look(job.ref).steps) == [f"second {second}" for second in effects.done]


def test_an_effect_that_is_under_way_when_the_job_is_killed_is_known(world, effects):
    job = world.submit()

    def behaviour(args, ctx):
        def charge():
            effects("charged")
            world.client.kill(job.ref.id)
            world.clock.advance(seconds(5))
            with pytest.raises(FenceLostError):
                ctx.heartbeat()

        ctx.step("charge", charge)
        ctx.step("mail", effects, "mailed")

    world.does = [behaviour]
    world.invoke()

    assert (world.job(job).reason, effects.done) == ("killed", ["charged"])
    assert list(world.memory.look(job.ref).steps) == ["charge"]


def test_a_redriven_job_does_not_remember_that_it_was_to_stop(world):
    job = world.submit()

    def behaviour(args, ctx):
        world.client.cancel(job.ref.id)
        raise PermanentError("no")

    world.does = [behaviour]
    world.invoke()
    assert world.state(job) is State.DEAD
    assert world.job(job).cancel_asked is False
    assert replace(world.job(job), cancel_asked=True).reopened(State.QUEUED, 0, 0).cancel_asked is False


def test_a_killed_job_that_has_not_looked_yet_takes_a_step_that_is_remembered_and_ends_in_vain(world):
    job, seen = world.submit(), []

    def behaviour(args, ctx):
        world.client.kill(job.ref.id)
        ctx.step("before it looks", seen.append, "effect")
        world.clock.advance(seconds(5))
        with pytest.raises(FenceLostError):
            ctx.step("after", seen.append, "no effect")
        return "done all the same"

    world.does = [behaviour]
    world.invoke()

    assert seen == ["effect"]
    assert list(world.memory.look(job.ref).steps) == ["before it looks"]
    assert (world.state(job), world.job(job).result) == (State.CANCELLED, None)
    assert world.queues.count("default") == 0
