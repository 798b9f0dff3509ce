"""The real engine in one process: what runs, when, and what time it is then."""

from __future__ import annotations

import json
import time

import pytest

from tests.unit.testing.conftest import Doze, Import, Pay, Steady
from tidemill import (
    DEFAULT_LANES,
    JobContext,
    JobRegistry,
    Lane,
    PermanentError,
    RateLimitedError,
    Retry,
    State,
    TransientError,
    days,
    hours,
    job,
    minutes,
    seconds,
)
from tidemill.domain.death import DeathNotice
from tidemill.errors import InputError
from tidemill.testing import Harness, assert_dead, assert_retried, assert_state, assert_submitted, assert_succeeded


def test_one_job_runs_and_nothing_else(tide, world):
    other = tide.client.submit(Pay(cents=1))

    job = tide.run_one(Pay(cents=7), tenant="acme")

    assert (job.state, job.ref.tenant) == (State.SUCCEEDED, "acme")
    assert tide.client.result(job.ref.id, "acme").endswith("7")
    assert tide.job(other).state is State.QUEUED


def test_bad_arguments_are_refused_as_a_submit_refuses_them(tide):
    with pytest.raises(InputError, match="lane"):
        tide.run_one(Pay(), lane="none")


def test_a_job_that_is_not_due_is_not_run(tide):
    receipt = tide.client.submit(Pay(), delay=hours(2))

    with pytest.raises(AssertionError, match="no message of job"):
        tide.run_one(receipt)
    tide.advance(hours(2))

    assert tide.run_one(receipt).state is State.SUCCEEDED


def test_retries_come_at_their_times(tide, world):
    world.fails(2)
    receipt = tide.client.submit(Pay())

    assert tide.drain() == 1
    assert_state(tide, receipt, "retrying", "error")
    tide.advance(seconds(4))
    assert tide.drain() == 0
    tide.advance(seconds(1))
    assert tide.drain() == 1
    assert_state(tide, receipt, State.SCHEDULED)
    tide.advance(minutes(2))
    tide.drain()

    assert_succeeded(tide, receipt)
    assert_retried(tide, receipt, 2, error="asleep")
    assert world.effects.count("note") == 1
    assert len(world.effects) == 2


def test_all_waits_are_jumped_over(tide, world):
    world.fails()
    begun, real = tide.now, time.monotonic()
    receipt = tide.client.submit(Pay(), delay=days(7))

    tide.drain_until_idle()

    assert_dead(tide, receipt, "attempts_exhausted", error="TransientError")
    assert days(7) + seconds(125) <= tide.now - begun <= days(7) + minutes(4)
    assert time.monotonic() - real < 5


def test_what_never_ends_is_said(tide, world):
    def busy(_):
        raise RateLimitedError("wait", retry_after=hours(1))

    world.does = busy
    tide.client.submit(Pay())

    with pytest.raises(AssertionError, match=r"1 jobs are not final 2 days.*later\n(.|\n)*rate_limited"):
        tide.drain_until_idle(within=days(2))


def test_jobs_that_make_jobs_at_once_without_end_are_said(tide, world):
    world.does = lambda _: tide.client.submit(Pay())
    tide.client.submit(Pay())

    with pytest.raises(AssertionError, match="still busy after 20 deliveries"):
        tide.drain(limit=20)


def test_time_goes_by_with_workers_or_without(tide, world):
    world.fails(1)
    receipt = tide.client.submit(Pay())

    assert tide.run_for(minutes(1)) == 2
    assert_succeeded(tide, receipt)
    later = tide.client.submit(Pay())
    tide.advance(hours(1))
    assert tide.job(later).state is State.QUEUED


def test_time_ends_where_it_was_told_to(tide):
    begun = tide.now

    tide.run_for(hours(3))
    tide.advance(seconds(1.5))

    assert tide.now - begun == hours(3) + seconds(1.5)


def test_a_dead_job_is_redriven_at_the_desk(tide, world):
    world.fails(1, PermanentError)
    receipt = tide.client.submit(Pay())
    tide.drain()
    assert_dead(tide, receipt, "permanent")
    assert tide.desk.depths()["default"] == 1

    tide.desk.redrive(receipt.job.ref)
    tide.drain()

    job = assert_succeeded(tide, receipt)
    assert job.generation == 2
    assert world.effects.count("note") == len(world.effects) - 1 == 1


def test_a_soft_timeout_is_raised_when_the_clock_passes_it(tide, world):
    seen = []

    def slow(ctx):
        try:
            tide.advance(minutes(10))
        finally:
            seen.append((tide.clock.now_ms() - ctx.submitted_at_ms, ctx.time_left))

    world.does = slow
    job = tide.run_one(Pay())

    assert (job.state, job.reason) == (State.RETRYING, "timed_out")
    assert seen == [(40_001, seconds(20))]


def test_a_hard_timeout_ends_what_ignores_the_soft_one(tide, world):
    def deaf(_):
        try:
            tide.advance(minutes(10))
        except Exception:  # noqa: BLE001 - what the test is about
            tide.advance(minutes(10))

    world.does = deaf
    begun = tide.now
    job = tide.run_one(Pay())

    assert (job.state, job.reason) == (State.RETRYING, "timed_out")
    assert tide.now - begun == seconds(60.001)
    assert tide.failures(job)[0].failure.type.endswith("HardTimeout")


def test_what_ignores_both_is_left_behind_and_does_nothing_more(tide, world):
    def stubborn(ctx):
        for _ in range(5):
            try:
                tide.advance(minutes(10))
            except BaseException:  # noqa: BLE001, S112 - what the test is about
                continue

    world.does = stubborn
    job = tide.run_one(Pay())

    assert (job.state, job.reason) == (State.RETRYING, "timed_out")
    assert "note" not in world.effects
    assert any(said.event == "jobs_left_behind" for said in tide.telemetry.lines)


def test_a_running_job_is_asked_to_stop(tide, world):
    def stop(ctx):
        tide.client.cancel(ctx.job_id)
        tide.advance(seconds(5))

    world.does = stop

    assert tide.run_one(Pay()).state is State.CANCELLED
    assert "note" not in world.effects


def test_a_checkpoint_hands_over_before_the_time_is_up(tide, world):
    receipt = tide.client.submit(Import(pages=20))

    tide.drain_until_idle()

    job = assert_succeeded(tide, receipt, 20)
    assert world.effects == [f"page {page}" for page in range(20)]
    assert job.attempt == 1
    assert tide.calls(receipt).cursors == list(range(1, 21))


def test_heartbeats_go_on_while_a_job_is_busy(tide):
    job = tide.run_one(Steady(beats=20))

    assert job.state is State.SUCCEEDED
    assert tide.calls(job).heartbeats == 20


def test_plain_messages_become_jobs(tide):
    tide.queues.put("default", json.dumps({"kind": "try.pay", "args": {"cents": 3}}))

    tide.drain()

    [job] = tide.jobs()
    assert_succeeded(tide, job)


def test_an_unreadable_message_ends_in_the_dlq(tide):
    tide.queues.put("default", "{")

    tide.drain()

    assert tide.desk.depths()["default"] == 1


def test_one_seed_one_story(world):
    def story(seed):
        with Harness(world.registry, seed=seed) as tide:
            world.tide = tide
            world.fails(2)
            tide.client.submit(Pay())
            tide.client.submit(Doze(seconds=3))
            tide.drain_until_idle()
            return tide.story()

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_an_error_that_leaves_the_harness_tells_the_story(world):
    def test():
        with Harness(world.registry) as tide:
            tide.faults.throttle("claim")
            tide.run_one(Pay())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        test()

    [note] = raised.value.__notes__
    assert "try.pay default/" in note
    assert "throttle claim: happened 1 of 1 times" in note


def test_a_new_version_of_the_code_meets_the_steps_of_the_old_one(tide, world):
    world.fails(1)
    tide.code = "v1"
    job = tide.run_one(Pay())
    tide.code = "v2"
    tide.drain_until_idle()

    assert_succeeded(tide, job)
    assert tide.calls(job).recalled == ["pay"]


def test_fifo_lanes_keep_their_order(world):
    order = []

    @job(Pay, lane="orders", retry=Retry(max_attempts=2, delays=(seconds(30),)))
    def pay(args: Pay, ctx: JobContext) -> None:
        if args.cents == 1 and ctx.attempt == 1:
            raise TransientError
        order.append((ctx.entity, args.cents, ctx.sequence, ctx.previous_sequence))

    with Harness(JobRegistry(pay, lanes=(*DEFAULT_LANES, Lane("orders", fifo=True)))) as tide:
        for cents in (1, 2):
            tide.client.submit(Pay(cents=cents), entity="order-1")
        tide.client.submit(Pay(cents=3), entity="order-2")
        tide.drain_until_idle()

    assert order == [("order-2", 3, 1, None), ("order-1", 1, 1, None), ("order-1", 2, 2, 1)]


def test_a_death_is_announced_to_the_job_that_wants_to_know():
    class Died(DeathNotice, kind="try.died"):
        pass

    told = []

    @job(Pay, on_dead=Died)
    def pay(args: Pay, _: JobContext) -> None:
        raise PermanentError

    @job(Died)
    def died(args: Died, _: JobContext) -> None:
        told.append(args.job_id)

    with Harness(JobRegistry(pay, died)) as tide:
        dead = tide.run_one(Pay())
        assert_submitted(tide, Died)
        tide.drain_until_idle()

        assert told == [dead.ref.id]
        assert_submitted(tide, Died, {"job_id": dead.ref.id, "reason": "permanent"}, times=1)
