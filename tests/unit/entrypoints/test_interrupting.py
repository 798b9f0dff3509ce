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


@pytest.fixture
def interrupts():
    """Where to put what another thread is to interrupt, after a while that differs."""
    chance = Random(3)  # noqa: S311 - chance that repeats
    asked: SimpleQueue[ThreadInterrupter | None] = SimpleQueue()

    def do():
        while (interrupter := asked.get()) is not None:
            work(chance.randrange(4_000))
            interrupter(SoftTimeoutError)

    other = threading.Thread(target=do)
    other.start()
    yield asked
    asked.put(None)
    other.join()


def was_interrupted(interrupts, job):
    """Do one job; answers whether the interrupt met it."""
    interrupter = ThreadInterrupter()
    try:
        try:
            interrupts.put(interrupter)
            job()
        finally:
            interrupter.close()
    except SoftTimeoutError:
        return True
    return False


def test_a_late_interrupt_reaches_nothing_after_its_job(interrupts):
    chance, leaked = Random(5), 0  # noqa: S311 - chance that repeats

    for _ in range(ROUNDS):
        # Which of the two comes first is the machine's to say.
        was_interrupted(interrupts, lambda: work(chance.randrange(12_000)))
        try:
            engine(2_000)
        except SoftTimeoutError:
            leaked += 1

    assert leaked == 0


def test_an_interrupt_meets_a_job_that_goes_on(interrupts):
    def endless():
        while True:
            work(100)

    for _ in range(100):
        assert was_interrupted(interrupts, endless)
        assert engine(2_000) == 1_999_000


def test_a_closed_interrupter_does_nothing():
    interrupter = ThreadInterrupter()
    interrupter.close()

    interrupter(HardTimeout)

    assert work(1_000) == 499_500


def test_an_interrupt_sent_during_a_call_in_c_does_not_outlive_its_job():
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
