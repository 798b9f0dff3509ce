"""`async def` jobs: their waits take virtual time, and what is real is waited for."""

from __future__ import annotations

import asyncio
import threading
import time

from tests.unit.testing.conftest import Doze, Pay
from tidemill import JobArgs, JobRegistry, State, hours, job, minutes, seconds
from tidemill.testing import Harness, assert_succeeded


class Wait(JobArgs, kind="try.wait"):
    pass


def harness_of(function, **options):
    return Harness(JobRegistry(job(Wait, **options)(function)))


def test_waiting_takes_virtual_time_only(tide, world):
    begun, real = tide.now, time.monotonic()

    assert tide.run_one(Doze(seconds=50)).state is State.SUCCEEDED

    assert tide.now - begun == seconds(50.001)
    assert time.monotonic() - real < 2


def test_several_waits_at_once_take_as_long_as_the_longest():
    async def wait(args, ctx):
        await asyncio.gather(*(asyncio.sleep(span) for span in (5, 30, 10)))

    with harness_of(wait) as tide:
        begun = tide.now
        assert tide.run_one(Wait()).state is State.SUCCEEDED
        assert tide.now - begun == seconds(30.001)


def test_a_timeout_comes_at_the_await(tide, world):
    begun = tide.now
    job = tide.run_one(Doze(seconds=3600))

    assert (job.state, job.reason) == (State.RETRYING, "timed_out")
    assert tide.now - begun == seconds(60.001)
    assert world.effects == []


def test_a_soft_timeout_can_be_caught():
    async def wait(args, ctx):
        try:
            await asyncio.sleep(3600)
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - what the test is about
            return type(error).__name__

    with harness_of(wait, soft_timeout=seconds(10)) as tide:
        assert_succeeded(tide, tide.run_one(Wait()), "SoftTimeoutError")


def test_what_nothing_ever_answers_ends_with_the_timeout():
    async def wait(args, ctx):
        await asyncio.get_running_loop().create_future()

    with harness_of(wait) as tide:
        assert tide.run_one(Wait()).reason == "timed_out"


def test_threads_are_waited_for_in_real_time():
    async def wait(args, ctx):
        async with asyncio.timeout(30):
            return await asyncio.to_thread(time.sleep, 0.05)

    with harness_of(wait) as tide:
        assert tide.run_one(Wait()).state is State.SUCCEEDED


def test_the_loop_lives_as_long_as_the_harness():
    loops = []

    async def wait(args, ctx):
        loops.append(asyncio.get_running_loop())

    with harness_of(wait) as tide:
        tide.run_one(Wait())
        tide.run_one(Wait())

    assert loops[0] is loops[1]
    assert loops[0].is_closed()


def test_a_job_that_ignores_every_end_does_not_stay():
    async def wait(args, ctx):
        while True:
            try:
                await asyncio.sleep(3600)
            except BaseException as error:
                if isinstance(error, GeneratorExit):
                    raise

    with harness_of(wait) as tide:
        assert tide.run_one(Wait()).reason == "timed_out"
        tide.faults.forget()


def test_a_test_may_be_a_coroutine_itself(world):
    async def test():
        with Harness(world.registry) as tide:
            world.tide = tide
            begun = tide.now
            assert tide.run_one(Doze(seconds=20)).state is State.SUCCEEDED
            assert tide.run_one(Pay()).state is State.SUCCEEDED
            return tide.now - begun

    before = set(threading.enumerate())
    assert minutes(0) < asyncio.run(test()) < hours(1)
    # Threads of other tests may end meanwhile.
    assert set(threading.enumerate()) <= before
