"""What a step returned comes back as what it was, in every attempt."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field

from tests.unit.service.conftest import Later, raising, returning, step, then
from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State


class Charge(BaseModel):
    id: str
    at: datetime


@dataclass
class Point:
    x: int
    y: int


class Renamed(BaseModel):
    charge_id: str = Field(alias="chargeId")


class Apart(BaseModel):
    charge_id: str = Field(validation_alias="in", serialization_alias="out")
    model_config = ConfigDict(populate_by_name=True)


class Derived(BaseModel):
    model_config = ConfigDict(extra="forbid")
    cents: int

    @computed_field
    @property
    def euros(self) -> float:
        return self.cents / 100


AT = datetime(2026, 11, 22, tzinfo=UTC)


def a_charge() -> Charge:
    return Charge(id="c1", at=AT)


def a_point() -> Point:
    return Point(1, 2)


def some_points() -> list[Point]:
    return [Point(1, 2)]


def a_moment() -> datetime:
    return AT


def renamed() -> Renamed:
    return Renamed(chargeId="c1")


def renamed_ones() -> dict[str, Renamed]:
    return {"a": Renamed(chargeId="c1")}


def apart() -> Apart:
    return Apart(charge_id="c1")


def derived() -> Derived:
    return Derived(cents=5)


def nothing() -> None:
    return None


def a_set() -> set[int]:
    return {3}


def untyped():
    return (1, 2)


def kept_only_by_a_checker() -> Nowhere:  # type: ignore[name-defined]  # noqa: F821
    return {"x": 1}


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (a_charge, Charge(id="c1", at=AT)),
        (functools.partial(a_charge), Charge(id="c1", at=AT)),
        (a_point, Point(1, 2)),
        (some_points, [Point(1, 2)]),
        (a_moment, AT),
        (renamed, Renamed(chargeId="c1")),
        (renamed_ones, {"a": Renamed(chargeId="c1")}),
        (apart, Apart(charge_id="c1")),
        (derived, Derived(cents=5)),
        (nothing, None),
        (a_set, {3}),
        (untyped, [1, 2]),
        (lambda: {"a": [1]}, {"a": [1]}),
        (kept_only_by_a_checker, {"x": 1}),
    ],
)
def test_the_first_and_every_later_attempt_see_the_same_value(world, function, value):
    seen = []

    def look(args, ctx):
        seen.append(ctx.step("a", function))
        if len(seen) == 1:
            raise ValueError("again")

    job = world.submit()
    world.does = [look, look]
    world.settle()

    assert world.state(job) is State.SUCCEEDED
    assert seen == [value, value]
    assert type(seen[0]) is type(seen[1]) is type(value)


def test_a_remembered_value_that_no_longer_fits_its_type_says_how_to_go_on(world):
    def now_a_number() -> int:
        return 5

    job = world.submit()
    world.does = [then(step("a", lambda: "text"), raising(ValueError())), step("a", now_a_number)]
    world.settle()

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "step")
    assert "redrive the job from this step" in world.client.failures(job.ref.id)[-1].failure.message


def test_a_value_that_is_not_what_its_step_says_does_not_end_the_job_that_has_it(world, effects):
    def lies() -> str:
        return effects(5)

    def lies_too() -> None:
        return effects(6)

    job = world.submit()
    world.does = [then(step("a", lies), step("b", lies_too))]
    world.invoke()

    assert (world.client.result(job.ref.id), effects.done) == ([5, 6], [5, 6])
    said = [fields["step"] for _, event, fields in world.telemetry.lines if event == "step_unreadable"]
    assert said == [1, 2]


def test_whatever_answers_an_awaitable_is_awaited_or_refused_before_it_does_anything(world, effects):
    async def charge():
        return effects("charged")

    class Charge:
        async def __call__(self):
            return effects("called")

    async def behaviour(ctx):
        return await ctx.step("object", Charge())

    job = world.submit(Later())
    world.does = [lambda args, ctx: behaviour(ctx)]
    world.invoke("critical")
    assert (world.client.result(job.ref.id), effects.done) == ("called", ["called"])
    for submitted, lane in ((None, "default"), (Later(), "critical")):
        job = world.submit(submitted)
        world.does = [step("lambda", lambda number: charge() if number else None, 1)]
        world.invoke(lane)

        assert (world.job(job).reason, effects.done) == ("step", ["called"])
        said = world.client.failures(job.ref.id)[0].failure.message
        assert "is a coroutine that nothing awaited. Fix: name the `async def` function itself" in said


def test_a_job_that_answers_a_coroutine_says_so(world, effects):
    async def charge():
        return effects("charged")

    job = world.submit()
    world.does = [lambda args, ctx: charge()]
    world.invoke()

    assert (world.job(job).reason, effects.done) == ("invalid_result", [])
    assert "nothing awaited" in world.client.failures(job.ref.id)[0].failure.message


def test_async_steps_are_awaited_and_remembered(world, effects):
    async def charge(value: int) -> Charge:
        effects(value)
        return Charge(id=str(value), at=AT)

    seen = []

    async def behaviour(ctx):
        seen.append(await ctx.step("charge", charge, value=5))
        seen.append(ctx.step("plain", effects, 6))
        if len(seen) == 2:
            raise ValueError("again")

    job = world.submit(Later())
    world.does = [lambda args, ctx: behaviour(ctx)] * 2
    world.settle("critical")

    assert (world.state(job), effects.done) == (State.SUCCEEDED, [5, 6])
    assert seen == [Charge(id="5", at=AT), 6] * 2


@pytest.mark.parametrize("size", [limits.MAX_INLINE_STEP_BYTES - 2, limits.MAX_INLINE_STEP_BYTES - 1, 100_000])
def test_a_large_value_is_kept_elsewhere_and_comes_back(world, effects, size):
    job = world.submit()
    world.does = [then(step("a", lambda: "x" * size), raising(ValueError())), step("a", effects, "other")]
    world.settle()

    assert world.client.result(job.ref.id) == "x" * size
    remembered = world.memory.look(job.ref).steps["a"]
    assert (remembered.stored is not None) is (size + 2 > limits.MAX_INLINE_STEP_BYTES)
    assert (remembered.result is None) is (remembered.stored is not None)


def test_a_large_value_whose_retention_is_over_ends_the_job_with_the_reason(world, effects):
    job = world.submit()
    world.does = [then(step("a", lambda: "x" * 5_000), raising(ValueError())), step("a", effects, "again")]
    world.invoke()
    world.payloads.kept.clear()
    world.settle()

    assert (world.job(job).reason, effects.done) == ("payload_gone", [])
    # Submitted again, the job would do its other steps again.
    said = world.client.failures(job.ref.id)[-1].failure.message
    assert said.endswith("Fix: redrive the job from step 'a', which is done again")


def test_a_large_value_that_somebody_changed_ends_the_job_with_the_reason(world, effects):
    job = world.submit()
    world.does = [then(step("a", lambda: "x" * 5_000), raising(ValueError())), step("a", effects, "again")]
    world.invoke()
    world.payloads.kept = dict.fromkeys(world.payloads.kept, b"forged")
    world.settle()

    assert (world.job(job).reason, effects.done) == ("integrity", [])
    assert "redrive the job from that step" in world.client.failures(job.ref.id)[-1].failure.message


@pytest.mark.parametrize(("failures", "done"), [(2, ["big"]), (3, ["big", "big"])])
def test_a_large_value_is_offered_three_times(world, effects, failures, done):
    put, errors = world.payloads.put, [UnavailableError("put", "SlowDown")] * failures

    def unsure(*args):
        if errors:
            raise errors.pop()
        return put(*args)

    def big():
        effects("big")
        return "x" * 5_000

    world.payloads.put = unsure
    job = world.submit()
    world.does = [then(step("a", big)), then(step("a", big))]
    world.settle()

    assert (world.state(job), effects.done) == (State.SUCCEEDED, done)


def test_a_job_without_steps_never_touches_its_memory(world):
    job = world.submit()
    world.memory.open = lambda *_: pytest.fail("it was opened")
    world.does = [returning(1)]
    world.invoke()

    assert world.state(job) is State.SUCCEEDED
