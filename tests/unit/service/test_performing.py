"""Running one job: async, results, and whatever else a function does."""

import asyncio
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import pytest
from pydantic import BaseModel, field_serializer

from tests.builders import DAY, NOW, Greet, a_send_id
from tests.unit.service.conftest import Later, raising, returning
from tidemill import days, seconds
from tidemill.domain import limits
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError
from tidemill.domain.lifecycle import State
from tidemill.domain.result import encode_result


class Answer(BaseModel):
    at: datetime
    value: float = 1.0


@dataclass
class Point:
    x: int
    y: int


class Stubborn(BaseModel):
    name: str = "x"

    @field_serializer("name")
    def _explode(self, _: str) -> str:
        raise LookupError("no")


class UnprintableError(Exception):
    response: ClassVar = {"Error": None}

    def __str__(self) -> str:
        raise RuntimeError("no text today")


def circular():
    value = []
    value.append(value)
    return value


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        (1, "1"),
        ("ü", '"ü"'),
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        (Answer(at=datetime(2026, 1, 1, tzinfo=UTC)), '{"at":"2026-01-01T00:00:00Z","value":1.0}'),
        (Point(1, 2), '{"x":1,"y":2}'),
        ((1, 2), "[1,2]"),
        ([Answer(at=datetime(2026, 1, 1, tzinfo=UTC)), Point(1, 2)], None),
        (b"bytes", '"bytes"'),
        (False, "false"),
        (0, "0"),
    ],
)
def test_a_result_is_written_as_canonical_json(value, text):
    encoded = encode_result(value)

    assert encoded == text or (text is None and value is not None)


BAD_RESULTS = pytest.mark.parametrize(
    "make",
    [
        lambda: float("nan"),
        lambda: {"a": float("inf")},
        object,
        lambda: b"\xff",
        lambda: "\ud800",
        circular,
        lambda: deep(100_000),
        lambda: (1 / 0 for _ in range(1)),
        Stubborn,
        lambda: {1, object()},
        lambda: "x" * limits.MAX_PAYLOAD_BYTES,
    ],
    ids=["nan", "inf", "object", "bytes", "surrogate", "circular", "deep", "generator", "serializer", "set", "large"],
)


@BAD_RESULTS
def test_what_json_cannot_carry_is_no_result(make):
    with pytest.raises(InputError) as refused:
        encode_result(make())

    assert refused.value.violations[0].field == "result"


@BAD_RESULTS
def test_a_bad_result_kills_its_job_and_harms_no_neighbour(world, make):
    bad, good = world.submit(), world.submit()
    world.does = [returning(make()), returning(1)]

    world.invoke()

    assert (world.state(bad), world.job(bad).reason) == (State.DEAD, "invalid_result")
    assert world.state(good) is State.SUCCEEDED


def test_a_result_just_within_the_limit_is_kept(world):
    job = world.submit()
    world.does = [returning("x" * (limits.MAX_RESULT_BYTES - 2))]

    world.invoke()

    assert len(world.client.result(job.ref.id)) == limits.MAX_RESULT_BYTES - 2


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        SystemExit(3),
        MemoryError(),
        RecursionError(),
        UnprintableError(),
        asyncio.CancelledError(),
        StopIteration(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("args", [Greet(), Later()], ids=["def", "async def"])
def test_whatever_a_job_raises_is_its_outcome_and_harms_no_neighbour(world, args, error):
    lane = "critical"
    bad, good = world.submit(args, lane=lane), world.submit(args, lane=lane)
    world.does = [raising(error), returning(7)]

    world.invoke(lane)

    assert world.state(bad) is State.RETRYING
    assert world.client.result(good.ref.id) == 7
    assert len(world.client.failures(bad.ref.id)) == 1


def test_an_async_job_is_awaited_on_a_loop_that_outlives_the_batch(world):
    loops = []

    async def note(args, ctx):
        await asyncio.sleep(0)
        loops.append((asyncio.get_running_loop(), threading.current_thread()))
        return args.x

    jobs = [world.submit(Later(x=n)) for n in range(2)]
    world.does = [note, note]
    world.invoke("critical", limit=1)
    world.invoke("critical", limit=1)

    assert [world.client.result(job.ref.id) for job in jobs] == [0, 1]
    assert loops[0] == loops[1]
    assert loops[0][1] is not threading.current_thread()


@pytest.mark.parametrize("leave", [SystemExit(1), KeyboardInterrupt()], ids=["sys.exit", "interrupt"])
def test_an_async_job_that_exits_does_not_take_the_loop_with_it(world, leave):
    async def exits():
        await asyncio.sleep(0)
        if isinstance(leave, SystemExit):
            sys.exit(1)
        raise leave

    async def sound():
        return 5

    def run():
        with pytest.raises(type(leave)):
            world.loop.start(exits()).result()
        found.append(world.loop.start(sound()).result())

    found = []
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=5)

    assert found == [5]


def test_async_jobs_of_one_batch_run_at_the_same_time(world):
    first, second = threading.Event(), threading.Event()

    async def meet(mine, other):
        mine.set()
        for _ in range(1000):
            if other.is_set():
                return "met"
            await asyncio.sleep(0.001)
        return "alone"

    for n in range(2):
        world.submit(Later(x=n))
    world.does = [lambda args, ctx: meet(first, second), lambda args, ctx: meet(second, first)]
    deliveries = world.queues.receive("critical")
    executor, batch = world.begin(deliveries, "critical")
    threads = [threading.Thread(target=batch.perform, args=[delivery.message_id]) for delivery in deliveries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    executor.finish(batch)

    assert [job.result for job in world.store.jobs.values()] == ['"met"', '"met"']


def test_a_result_is_only_there_once_the_job_has_succeeded(world):
    job = world.submit()

    with pytest.raises(JobStateError, match="wait until it has succeeded"):
        world.client.result(job.ref.id)
    world.invoke()

    assert world.client.result(job.ref.id) is None


def test_after_its_retention_a_job_is_gone_for_readers(world):
    job = world.submit()
    world.invoke()
    assert world.job(job).keep_until == NOW + 7 * DAY

    world.clock.advance(days(7) - seconds(1))
    assert world.client.get(job.ref.id)
    world.clock.advance(seconds(1))

    for ask in (world.client.get, world.client.result, world.client.failures, world.client.cancel):
        with pytest.raises(JobNotFoundError):
            ask(job.ref.id)


@pytest.mark.parametrize(("job_id", "tenant"), [("x", "default"), (a_send_id(3), "a#b"), (None, "default")])
def test_an_ill_formed_id_or_tenant_is_bad_input(world, job_id, tenant):
    with pytest.raises(InputError):
        world.client.get(job_id, tenant)
