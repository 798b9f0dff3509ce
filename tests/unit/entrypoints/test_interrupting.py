"""An interrupt that comes as its job ends never reaches the engine, nor the next job of the thread."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from queue import SimpleQueue
from random import Random

import pytest

from tidemill.domain.interrupt import HardTimeout, SoftTimeoutError
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.running import ThreadInterrupter

ROUNDS = 1_500


@pytest.fixture(autouse=True)
def many_switches():
    """Threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def work(loops):
    total = 0
    for number in range(loops):
        total += number
    return total


def engine(loops):
    """What the thread does between two jobs; nothing may be raised here."""
    return work(loops)


def test_a_late_interrupt_is_taken_back_whatever_the_moment():
    chance = Random(3)  # noqa: S311 - chance that repeats
    jobs: SimpleQueue[ThreadInterrupter | None] = SimpleQueue()

    def interrupts():
        while (interrupter := jobs.get()) is not None:
            work(chance.randrange(4_000))
            interrupter(SoftTimeoutError)

    other = threading.Thread(target=interrupts)
    other.start()
    ended, interrupted, leaked = 0, 0, 0
    try:
        for _ in range(ROUNDS):
            interrupter = ThreadInterrupter()
            try:
                try:
                    jobs.put(interrupter)
                    work(chance.randrange(12_000))
                finally:
                    interrupter.close()
                ended += 1
            except SoftTimeoutError:
                interrupted += 1
            try:
                engine(2_000)
            except SoftTimeoutError:
                leaked += 1
    finally:
        jobs.put(None)
        other.join()

    assert leaked == 0
    # It met some jobs and came too late for others.
    assert min(ended, interrupted) > ROUNDS // 20


def test_a_closed_interrupter_does_nothing():
    interrupter = ThreadInterrupter()
    interrupter.close()

    interrupter(HardTimeout)

    assert work(1_000) == 499_500


def test_an_interrupt_that_has_not_arrived_is_taken_back():
    interrupter, done, go = ThreadInterrupter(), threading.Event(), threading.Event()

    def interrupts():
        go.wait(5)
        interrupter(HardTimeout)
        done.set()

    thread = threading.Thread(target=interrupts)
    thread.start()
    try:
        go.set()
        # A call in C, which it can't reach.
        while not done.is_set():
            time.sleep(0.001)
    except HardTimeout:
        pass
    finally:
        interrupter.close()
    thread.join()

    assert work(1_000) == 499_500


async def short(turns):
    for _ in range(turns):
        await asyncio.sleep(0)
    return turns


def test_an_async_job_that_has_ended_is_not_interrupted_and_nor_is_the_next_one():
    loop, chance = EventLoopThread(), Random(4)  # noqa: S311 - chance that repeats

    for number in range(400):
        turns = chance.randrange(6)
        flight, following = loop.start(short(turns)), loop.start(short(3))
        has_ended = chance.random() < 0.3
        if has_ended:
            assert flight.result() == turns
        work(chance.randrange(400))
        flight.interrupt(SoftTimeoutError if number % 2 else HardTimeout)
        try:
            assert flight.result() == turns
        except (SoftTimeoutError, HardTimeout):
            # Which of the two comes first is the machine's to say, unless the job was seen to end.
            assert not has_ended
        assert following.result() == 3


@pytest.mark.parametrize("error", [SoftTimeoutError, HardTimeout])
def test_an_async_job_that_waits_is_interrupted_and_the_next_one_is_not(error):
    loop = EventLoopThread()

    for _ in range(100):
        flight, following = loop.start(asyncio.sleep(60)), loop.start(short(3))
        flight.interrupt(error)
        with pytest.raises(error):
            flight.result()
        assert following.result() == 3
