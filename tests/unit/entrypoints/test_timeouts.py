"""Soft and hard timeouts, in plain and in async jobs, with real threads and real time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import pytest

from tests.builders import Greet
from tests.unit.entrypoints.conftest import Later
from tidemill import seconds
from tidemill.domain.errors import FenceLostError
from tidemill.domain.interrupt import HardTimeout, SoftTimeoutError
from tidemill.domain.lifecycle import State

KINDS = pytest.mark.parametrize("kind", [Greet, Later], ids=["def", "async def"])


def spin(until_s=5.0):
    """A loop of Python code."""
    end = time.monotonic() + until_s
    while time.monotonic() < end:
        pass


def long(kind):
    """A behaviour that takes five seconds unless it is interrupted."""

    async def waits():
        await asyncio.sleep(5)

    return (lambda _: spin()) if kind is Greet else (lambda _: waits())


def watching(kind, see, *, catch=BaseException, again=False):
    """A behaviour that notes what is raised inside and lets it pass, or goes on regardless (`again`)."""

    def plain(_):
        try:
            spin()
        except catch as error:
            see.append(type(error).__name__)
            if not again:
                raise
            spin()
        return "ended"

    async def later():
        try:
            await asyncio.sleep(5)
        except catch as error:
            see.append(type(error).__name__)
            if not again:
                raise
            await asyncio.sleep(5)
        return "ended"

    return plain if kind is Greet else (lambda _: later())


@KINDS
def test_a_job_is_ended_at_its_timeout_and_tried_again(worker, kind):
    seen = []
    worker.does["long"] = watching(kind, seen)
    job, neighbour = worker.submit(kind(name="long"), "eve")
    started = time.monotonic()

    staying = worker.invoke()

    assert 0.5 < time.monotonic() - started < 1.5
    assert seen == ["HardTimeout"]
    record = worker.record(job)
    assert (record.state, record.reason, record.attempt) == (State.RETRYING, "timed_out", 1)
    assert (worker.states()[neighbour], len(staying)) == (State.SUCCEEDED, 1)
    # It ended, so that the process need not.
    assert not worker.processor.is_spent
    (failure,) = worker.store.failures[record.ref]
    assert failure.failure.type.endswith("HardTimeout")


@KINDS
def test_code_that_swallows_every_exception_is_ended_all_the_same(worker, kind):
    seen = []
    worker.does["long"] = watching(kind, seen, catch=Exception)
    (job,) = worker.submit(kind(name="long"))

    worker.invoke()

    assert (seen, worker.record(job).reason) == ([], "timed_out")
    assert not worker.processor.is_spent


@KINDS
def test_code_that_swallows_even_that_is_left_behind(worker, kind):
    seen = []
    worker.does["long"] = watching(kind, seen, again=True)
    job, neighbour = worker.submit(kind(name="long"), "eve")
    started = time.monotonic()

    staying = worker.invoke()

    assert time.monotonic() - started < 2
    assert seen == ["HardTimeout"]
    assert (worker.record(job).state, worker.record(job).reason) == (State.RETRYING, "timed_out")
    assert (worker.states()[neighbour], len(staying)) == (State.SUCCEEDED, 1)
    assert worker.processor.is_spent
    assert worker.queues.count("default") == 1


@KINDS
def test_a_soft_timeout_warns_once_and_a_job_that_ends_then_has_succeeded(make_worker, kind):
    worker, seen = make_worker(timeout=seconds(3), soft=seconds(0.2)), []

    def plain(_):
        try:
            spin()
        except SoftTimeoutError as error:
            seen.append(type(error).__name__)
        spin(0.3)
        return "cleaned up"

    async def later():
        try:
            await asyncio.sleep(5)
        except SoftTimeoutError as error:
            seen.append(type(error).__name__)
        await asyncio.sleep(0.3)
        return "cleaned up"

    worker.does["long"] = plain if kind is Greet else (lambda _: later())
    (job,) = worker.submit(kind(name="long"))

    worker.invoke()

    assert seen == ["SoftTimeoutError"]
    assert (worker.record(job).state, worker.record(job).result) == (State.SUCCEEDED, '"cleaned up"')


@KINDS
def test_a_soft_timeout_that_is_let_pass_costs_an_attempt(make_worker, kind):
    worker = make_worker(timeout=seconds(3), soft=seconds(0.2))
    worker.does["long"] = long(kind)
    (job,) = worker.submit(kind(name="long"))
    started = time.monotonic()

    worker.invoke()

    assert time.monotonic() - started < 1.5
    record = worker.record(job)
    assert (record.state, record.reason, record.attempt) == (State.RETRYING, "timed_out", 1)
    (failure,) = worker.store.failures[record.ref]
    assert failure.failure.type.endswith("SoftTimeoutError")


@KINDS
def test_after_the_soft_comes_the_hard(make_worker, kind):
    # A machine that is busy must not be late for the soft one until the hard one is due.
    worker, seen = make_worker(timeout=seconds(2), soft=seconds(0.2)), []

    worker.does["long"] = watching(kind, seen, catch=SoftTimeoutError, again=True)
    (job,) = worker.submit(kind(name="long"))

    worker.invoke()

    assert seen == ["SoftTimeoutError"]
    assert worker.record(job).reason == "timed_out"
    (failure,) = worker.store.failures[worker.record(job).ref]
    assert failure.failure.type.endswith("HardTimeout")
    assert not worker.processor.is_spent


def test_a_call_in_c_that_ends_within_its_grace_ends_the_job_and_not_the_process(worker):
    """`time.sleep` hears nothing; what it returns to does."""

    def sleeps(_):
        time.sleep(0.75)
        return spin()

    worker.does["long"] = sleeps
    (job,) = worker.submit("long")

    worker.invoke()

    assert (worker.record(job).reason, worker.processor.is_spent) == ("timed_out", False)


def test_a_call_in_c_that_goes_on_is_left_behind(worker):
    worker.does["long"] = lambda _: time.sleep(2)
    (job,) = worker.submit("long")
    started = time.monotonic()

    worker.invoke()

    assert time.monotonic() - started < 1.6
    assert (worker.record(job).reason, worker.processor.is_spent) == ("timed_out", True)


def test_an_async_job_that_blocks_the_loop_is_left_behind(worker):
    async def blocks():
        time.sleep(1.5)  # noqa: ASYNC251 - the mistake that this is about

    worker.does["long"] = lambda _: blocks()
    (job,) = worker.submit(Later(name="long"))

    worker.invoke()

    assert (worker.record(job).reason, worker.processor.is_spent) == ("timed_out", True)
    time.sleep(0.8)


def test_a_job_left_behind_ends_the_effect_that_is_under_way_and_begins_nothing_more(worker):
    """The effect happened: that it did is recorded for the next attempt, as long as that has not asked."""
    seen = []

    def deaf():
        with suppress(HardTimeout):
            worker.let_go.wait(30)
        return "an effect"

    def goes_on(ctx):
        seen.append(ctx.step("slow", deaf))
        for ask in (lambda: ctx.checkpoint(1), ctx.heartbeat, lambda: ctx.step("b", int)):
            with pytest.raises(FenceLostError) as lost:
                ask()
            seen.append(lost.value)

    worker.does["stuck"] = goes_on
    (job,) = worker.submit("stuck")
    worker.invoke()
    record = worker.record(job)

    worker.join()

    assert (len(seen), seen[0]) == (4, "an effect")
    assert worker.record(job) == record
    memory = worker.memory.look(record.ref)
    assert (list(memory.steps), memory.cursor) == (["slow"], None)


def test_a_result_that_takes_for_ever_to_write_is_a_job_that_takes_for_ever(worker):
    def endless():
        worker.let_go.wait(30)
        yield 1

    worker.does["long"] = lambda _: endless()
    (job,) = worker.submit("long")

    worker.invoke()

    assert (worker.record(job).reason, worker.processor.is_spent) == ("timed_out", True)


def test_a_job_that_starts_behind_others_has_timeouts_of_its_own(make_worker):
    """It is looked after though nothing was due of those that ran when it started."""
    worker, seen = make_worker(timeout=seconds(3)), []
    object.__setattr__(worker.definitions[1], "soft_timeout", seconds(0.3))
    worker.does["short"] = lambda _: time.sleep(0.1)
    worker.does["long"] = watching(Later, seen)
    worker.submit("short", "short", Later(name="long"), Later(name="long"))
    started = time.monotonic()

    worker.invoke()

    assert seen == ["SoftTimeoutError"] * 2
    assert time.monotonic() - started < 1.5


async def child():
    await asyncio.sleep(5)


async def in_a_gather():
    await asyncio.gather(child(), child())


async def in_a_timeout():
    async with asyncio.timeout(5):
        await child()


async def in_a_wait_for():
    await asyncio.wait_for(child(), 5)


async def in_a_task_group():
    async with asyncio.TaskGroup() as group:
        group.create_task(child())
        await asyncio.sleep(5)


@pytest.mark.parametrize("waits", [in_a_gather, in_a_timeout, in_a_wait_for, in_a_task_group])
def test_an_async_job_is_warned_at_whatever_it_waits_for(make_worker, waits):
    worker, seen = make_worker(timeout=seconds(3), soft=seconds(0.2)), []

    async def behaviour():
        try:
            await waits()
        except* SoftTimeoutError:
            seen.append("warned")
        # Its own waits work as ever.
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await asyncio.sleep(5)
            seen.append("not timed out")

    worker.does["long"] = lambda _: behaviour()
    (job,) = worker.submit(Later(name="long"))

    worker.invoke()

    assert (seen, worker.record(job).state) == (["warned"], State.SUCCEEDED)


def test_a_warned_jobs_own_timeout_still_counts(make_worker):
    """An interrupt travels as a cancellation of the task, and asyncio's timeouts count those."""
    worker, seen = make_worker(timeout=seconds(3), soft=seconds(0.2)), []

    async def behaviour():
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                with suppress(SoftTimeoutError):
                    await asyncio.sleep(5)
                seen.append("warned")
                await asyncio.sleep(5)
        seen.append("timed out")

    worker.does["long"] = lambda _: behaviour()
    (job,) = worker.submit(Later(name="long"))

    worker.invoke()

    assert (seen, worker.record(job).state) == (["warned", "timed out"], State.SUCCEEDED)


@pytest.mark.parametrize("ending", ["soft", "hard"])
def test_the_children_of_an_async_job_end_with_it(make_worker, ending):
    worker = make_worker(timeout=seconds(0.4), soft=seconds(0.2) if ending == "soft" else None)
    happened = []

    async def noting():
        try:
            await asyncio.sleep(0.8)
        except asyncio.CancelledError:
            happened.append("ended")
            raise
        happened.append("went on")

    async def behaviour():
        async with asyncio.TaskGroup() as group:
            group.create_task(noting())

    worker.does["long"] = lambda _: behaviour()
    (job,) = worker.submit(Later(name="long"))

    worker.invoke()
    time.sleep(0.6)

    assert happened == ["ended"]
    assert (worker.record(job).reason, worker.processor.is_spent) == ("timed_out", False)
    (failure,) = worker.store.failures[worker.record(job).ref]
    assert (
        failure.failure.type == f"tidemill.domain.interrupt.{'SoftTimeoutError' if ending == 'soft' else 'HardTimeout'}"
    )


@KINDS
def test_an_effect_is_recorded_before_the_timeout_reaches_its_job(worker, kind):
    """Its record takes from before the timeout to after it, in Python code that an interrupt could end."""
    remember, seen = worker.memory.remember, []

    def slowly(*asked):
        spin(0.75)
        remember(*asked)

    def plain(ctx):
        try:
            ctx.step("charge", seen.append, "charged")
            spin()
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    async def later(ctx):
        try:
            ctx.step("charge", seen.append, "charged")
            await asyncio.sleep(5)
        except BaseException as error:
            seen.append(type(error).__name__)
            raise

    worker.memory.remember = slowly
    worker.does["charge"] = plain if kind is Greet else later
    (job,) = worker.submit(kind(name="charge"))
    worker.invoke()

    assert seen == ["charged", "HardTimeout"]
    assert list(worker.memory.look(worker.record(job).ref).steps) == ["charge"]
    assert not worker.processor.is_spent
