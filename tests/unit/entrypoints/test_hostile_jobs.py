"""Whatever one job does to its loop and its process, its batch is recorded and its neighbours are well."""

from __future__ import annotations

import _thread
import asyncio
import decimal
import io
import logging
import os
import random
import signal
import sys
import threading
import warnings
from contextvars import ContextVar
from pathlib import Path

import pytest

from tests.unit.entrypoints.conftest import Later
from tests.unit.entrypoints.hostile import Panic, Refusing, check_evidence
from tidemill import seconds
from tidemill.domain.errors import CodeChangedError, InputError
from tidemill.domain.interrupt import HandedOver, HardTimeout, JobCancelled, SoftTimeoutError
from tidemill.domain.lifecycle import State
from tidemill.domain.signals import PermanentError

# --- groups of the engine's own words --------------------------------------------------------------------------------


def group(*errors):
    return BaseExceptionGroup("tasks", [BaseExceptionGroup("inner", list(errors))])


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([JobCancelled()], (State.CANCELLED, "cancelled")),
        ([ValueError(), JobCancelled()], (State.CANCELLED, "cancelled")),
        ([JobCancelled(), HardTimeout()], (State.RETRYING, "timed_out")),
        ([HandedOver()], (State.RETRYING, "handed_over")),
        ([HandedOver(), HandedOver()], (State.RETRYING, "handed_over")),
        ([HandedOver(), ValueError()], (State.RETRYING, "error")),
        ([HandedOver(), PermanentError()], (State.DEAD, "permanent")),
        ([HandedOver(), CodeChangedError("steps_changed", "the steps changed")], (State.DEAD, "steps_changed")),
        ([ValueError(), InputError.at("step", "is taken")], (State.DEAD, "invalid_input")),
        ([SoftTimeoutError(), ValueError()], (State.RETRYING, "timed_out")),
    ],
    ids=repr,
)
@pytest.mark.parametrize("kind", ["def", "async"])
def test_what_the_engine_says_is_heard_through_a_group(make_worker, kind, errors, expected):
    worker = make_worker(timeout=seconds(3))

    def behave(_):
        raise group(*errors)

    worker.does["bad"] = behave
    (job_id,) = worker.submit("bad" if kind == "def" else Later(name="bad"))

    worker.invoke()

    record = worker.record(job_id)
    assert (record.state, record.reason or "") == expected


def test_a_hand_over_in_a_task_group_costs_nothing_and_one_beside_a_failure_costs_an_attempt(make_worker):
    worker = make_worker(timeout=seconds(3))

    async def hand_over():
        raise HandedOver

    async def fail():
        raise ValueError

    async def tasks(*them):
        async with asyncio.TaskGroup() as together:
            for one in them:
                together.create_task(one())

    worker.does |= {"alone": lambda _: tasks(hand_over), "both": lambda _: tasks(hand_over, fail)}
    alone, both = worker.submit(Later(name="alone"), Later(name="both"))

    worker.invoke()

    assert (worker.record(alone).attempt, worker.record(alone).reason) == (0, "handed_over")
    assert (worker.record(both).attempt, worker.record(both).reason) == (1, "error")


# --- what a job does -------------------------------------------------------------------------------------------------


def stop_loop(_):
    asyncio.get_running_loop().stop()


def close_loop(_):
    asyncio.get_running_loop().close()


async def cancel_itself():
    asyncio.current_task().cancel()
    await asyncio.sleep(1)


async def child_exits(error):
    async def child():
        raise error

    async with asyncio.TaskGroup() as together:
        together.create_task(child())
        await asyncio.sleep(1)


async def stray_exits(error):
    async def child():
        raise error

    stray = asyncio.create_task(child())
    await asyncio.sleep(0.05)
    return str(stray.done())


async def callback_exits(error):
    def call():
        raise error

    asyncio.get_running_loop().call_soon(call)
    await asyncio.sleep(0.05)
    return "called"


async def handler_exits():
    def handle(*_):
        raise SystemExit(4)

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(handle)
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.05)
    loop.set_exception_handler(None)
    return "handled"


LOOPS = {
    "stop": stop_loop,
    "close": close_loop,
    "cancel-itself": lambda _: cancel_itself(),
    "child-exits": lambda _: child_exits(SystemExit(3)),
    "child-is-interrupted": lambda _: child_exits(KeyboardInterrupt()),
    "child-panics": lambda _: child_exits(Panic()),
    "stray-exits": lambda _: stray_exits(SystemExit(3)),
    "stray-is-interrupted": lambda _: stray_exits(KeyboardInterrupt()),
    "callback-exits": lambda _: callback_exits(SystemExit(3)),
    "handler-exits": lambda _: handler_exits(),
}


@pytest.mark.parametrize("name", LOOPS)
def test_whatever_a_job_does_to_the_event_loop_its_neighbours_end_in_it(make_worker, name):
    worker = make_worker(timeout=seconds(3))

    async def well():
        for _ in range(8):
            await asyncio.sleep(0.02)
        return "well"

    worker.does |= {"bad": LOOPS[name], "well": lambda _: well()}
    first, bad, second = worker.submit(Later(name="well"), Later(name="bad"), Later(name="well"))
    worker.invoke()
    (third,) = worker.submit(Later(name="well"))
    worker.invoke()

    states = worker.states()
    assert [states[job_id] for job_id in (first, second, third)] == [State.SUCCEEDED] * 3
    assert states[bad] is not State.RUNNING
    assert worker.record(bad).reason != "timed_out"
    assert not worker.processor.is_spent


def test_jobs_that_are_cancelled_by_a_neighbour_are_recorded_and_run_again(make_worker):
    worker = make_worker(timeout=seconds(3))

    async def cancel_all():
        await asyncio.sleep(0.05)
        for task in asyncio.all_tasks():
            task.cancel()

    worker.does |= {"bad": lambda _: cancel_all(), "well": lambda _: asyncio.sleep(1, "well")}
    bad, well = worker.submit(Later(name="bad"), Later(name="well"))

    worker.invoke()

    assert State.RUNNING not in worker.states().values()
    assert worker.record(well).state is State.RETRYING
    assert worker.record(bad).crashes == worker.record(well).crashes == 0


COUNTED: ContextVar[int] = ContextVar("COUNTED", default=0)


def test_what_a_job_sets_for_its_context_is_not_there_for_the_next_job_of_its_thread(make_worker):
    worker = make_worker(timeout=seconds(3))
    seen = []

    def behave(_):
        seen.append((decimal.getcontext().prec, COUNTED.get()))
        decimal.getcontext().prec = 1
        COUNTED.set(COUNTED.get() + 1)

    worker.does["bad"] = behave
    worker.submit(*["bad"] * 4, *[Later(name="bad")] * 4)
    worker.invoke()
    assert seen == [(28, 0)] * len(seen)
    assert len(seen) >= 2


@pytest.fixture
def put_back():
    """Undoes what jobs do to the process."""
    streams, directory, environment = (sys.stdout, sys.stderr), Path.cwd(), dict(os.environ)
    hooks, limit = (sys.excepthook, threading.excepthook), sys.getrecursionlimit()
    with warnings.catch_warnings():
        yield
    sys.stdout, sys.stderr = streams
    os.chdir(directory)
    os.environ.clear()
    os.environ.update(environment)
    sys.excepthook, threading.excepthook = hooks
    sys.setrecursionlimit(limit)
    logging.disable(logging.NOTSET)
    decimal.DefaultContext.prec = 28


def close_streams(_):
    sys.stdout, sys.stderr = io.StringIO(), io.StringIO()
    sys.stdout.close()
    sys.stderr.close()


def wreck_process(_):
    os.chdir("/")
    os.environ.clear()
    random.seed(1)
    decimal.DefaultContext.prec = 1
    warnings.simplefilter("error")
    sys.excepthook = threading.excepthook = Refusing()
    logging.disable(logging.CRITICAL)
    sys.setrecursionlimit(max(sys.getrecursionlimit() // 2, 200))


def handle_signals(_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def overflow(_):
    def deeper():
        return deeper() + 1

    return deeper()


PROCESS = {
    "streams": close_streams,
    "process": wreck_process,
    "signals": handle_signals,
    "recursion": overflow,
    "thread-exit": lambda _: _thread.exit(),
    "exit": lambda _: sys.exit(1),
    "generator": lambda _: (one for one in (1, 2)),
}


@pytest.mark.usefixtures("put_back")
@pytest.mark.parametrize("name", PROCESS)
def test_whatever_a_job_does_to_its_process_its_batch_is_recorded(make_worker, name):
    worker = make_worker(timeout=seconds(3))
    worker.does["bad"] = PROCESS[name]
    first, bad, second = worker.submit("first", "bad", Later(name="second"))

    worker.invoke()
    third, fourth = worker.submit("third", Later(name="fourth"))
    worker.invoke()

    states = worker.states()
    assert [states[job_id] for job_id in (first, second, third, fourth)] == [State.SUCCEEDED] * 4
    assert states[bad] is not State.RUNNING
    assert worker.record(bad).crashes == 0


@pytest.mark.parametrize("error", [KeyError("secret-of-ada"), SystemExit("secret-of-ada"), Panic("secret-of-ada")])
def test_a_validator_that_raises_ends_its_own_job_and_is_not_quoted(make_worker, monkeypatch, error):
    worker = make_worker(timeout=seconds(3))
    read = Later.from_message.__func__

    def from_message(cls, canonical, version):
        args = read(cls, canonical, version)
        if args.name == "secret-of-ada":
            raise error
        return args

    first, bad, second = worker.submit("first", Later(name="secret-of-ada"), Later(name="second"))
    monkeypatch.setattr(Later, "from_message", classmethod(from_message))
    worker.invoke()

    states = worker.states()
    assert [states[job_id] for job_id in (first, second)] == [State.SUCCEEDED] * 2
    assert (worker.record(bad).state, worker.record(bad).reason) == (State.RETRYING, "error")
    check_evidence(worker, bad)
    (failure,) = (one.failure for one in worker.store.failures_of(worker.record(bad).ref))
    assert "secret-of-ada" not in failure.message + failure.trace


class HostileResult:
    def __getattr__(self, name):
        raise Panic(name)

    def __iter__(self):
        raise Panic("iter")


def endless():
    while True:
        yield from ()
        raise Panic("in a result")


RESULTS = {
    "raises": HostileResult,
    "raises-inside": lambda: {"a": HostileResult()},
    "raises-later": endless,
    "refuses": Refusing,
    "surrogate": lambda: "\ud800",
    "surrogate-name": lambda: {"\ud800": 1},
    "nan": lambda: float("nan"),
    "huge-number": lambda: 10**5_000,
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_cannot_be_written_ends_its_own_job(make_worker, name):
    worker = make_worker(timeout=seconds(3))
    worker.does["bad"] = lambda _: RESULTS[name]()
    first, bad, second = worker.submit("first", "bad", "second")

    worker.invoke()

    states = worker.states()
    assert [states[job_id] for job_id in (first, second)] == [State.SUCCEEDED] * 2
    assert states[bad] in (State.RETRYING, State.DEAD)
    check_evidence(worker, bad)
