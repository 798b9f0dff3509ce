"""Steps: an effect that a job has done is remembered, whatever becomes of the attempt."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.unit.service.conftest import FUNCTION_TIMEOUT, Later, raising, step, then
from tidemill import PermanentError, RateLimitedError, days, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.classify import FailureClass
from tidemill.domain.errors import FenceLostError, StepError, UnavailableError
from tidemill.domain.interrupt import WorkerDied
from tidemill.domain.lifecycle import State


def test_a_step_is_done_once_however_often_the_job_is_tried(world, effects):
    job = world.submit()
    failing = then(step("charge", effects, 5), raising(ValueError("after the step")))
    world.does = [failing, failing, then(step("charge", effects, 5), step("mail", effects, "hello"))]

    world.settle()

    assert (world.state(job), effects.done) == (State.SUCCEEDED, [5, "hello"])
    assert world.client.result(job.ref.id) == [5, "hello"]


def test_steps_survive_a_redrive(world, effects):
    world.does = [then(step("charge", effects, 5), raising(PermanentError("no")))]
    job = world.submit()
    for _ in range(limits.MAX_RECEIVES + 1):
        world.invoke()
    world.clock.advance(days(1))
    world.desk.redrive(job.ref)
    world.does = [step("charge", effects, 6)]

    world.settle()

    assert (world.job(job).generation, effects.done, world.client.result(job.ref.id)) == (2, [5], 5)


def test_a_worker_that_dies_between_an_effect_and_its_record_leaves_the_same_key_behind(world, effects):
    """Nothing can close that gap from outside; the key is what a dependency knows the repetition by."""
    keys = []

    def charge(args, ctx):
        keys.append(ctx.step_key("charge"))
        return ctx.step("charge", effects, 5)

    def dies(*_):
        raise Killed

    job = world.submit()
    remember, world.memory.remember = world.memory.remember, dies
    world.does = [charge, charge]
    with pytest.raises(Killed):
        world.invoke()
    world.memory.remember = remember
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    world.settle()

    assert (world.state(job), effects.done) == (State.SUCCEEDED, [5, 5])
    assert keys[0] == keys[1] == f"{job.ref.id}/charge"
    assert len(f"{job.ref.id}/{'n' * limits.MAX_STEP_NAME_CHARS}/999") <= 160


class Killed(WorkerDied):
    """The process is gone."""


# --- fences --------------------------------------------------------------------------------------


def overtaken(world):
    """Time passes while a job runs, until another worker has claimed it. Answers what performs it there."""
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    (delivery,) = world.queues.receive("default")
    executor, batch = world.begin([delivery])

    def perform():
        batch.perform(delivery.message_id)
        executor.finish(batch)

    return perform


def test_what_a_zombie_wants_to_do_after_its_lease_is_refused(world, effects):
    job = world.submit()

    def zombie(args, ctx):
        overtaken(world)
        return ctx.step("charge", effects, "zombie")

    world.does = [zombie]
    world.invoke()

    assert effects.done == []
    assert (world.state(job), world.job(job).fence) == (State.RUNNING, 2)
    assert world.memory.look(job.ref) is None


def test_what_a_zombie_records_after_the_next_attempt_looked_is_refused(world, effects):
    job, lost = world.submit(), []

    def slow_effect():
        effects("zombie")
        overtaken(world)()
        return "zombie"

    def zombie(args, ctx):
        try:
            return ctx.step("charge", slow_effect)
        except FenceLostError as error:
            lost.append(error)
            raise

    world.does = [zombie, step("charge", effects, "holder")]
    world.invoke()

    assert (len(lost), lost[0].job_id, lost[0].fence) == (1, job.ref.id, 1)
    # The lease was over, and the effect can't be taken back: that is what step keys are for.
    assert effects.done == ["zombie", "holder"]
    assert world.memory.look(job.ref).steps["charge"].result == '"holder"'
    assert (world.state(job), world.client.result(job.ref.id)) == (State.SUCCEEDED, "holder")


def test_what_a_zombie_records_before_the_next_attempt_looks_is_not_done_again(world, effects):
    job, holder = world.submit(), []

    def slow_effect():
        effects("zombie")
        holder.append(overtaken(world))
        return "zombie"

    world.does = [step("charge", slow_effect), step("charge", effects, "holder")]
    world.invoke()
    holder[0]()

    assert effects.done == ["zombie"]
    assert (world.state(job), world.client.result(job.ref.id)) == (State.SUCCEEDED, "zombie")


# --- what can't be remembered --------------------------------------------------------------------


def refused(world, behaviour):
    """The reason and the violation's code that a job dies with."""
    job = world.submit()
    seen = []

    def watched(args, ctx):
        try:
            return behaviour(args, ctx)
        except StepError as error:
            seen.append(error)
            raise

    world.does = [watched]
    world.invoke()
    assert (world.state(job), world.job(job).reason) == (State.DEAD, "step")
    return seen[0].violations[0].code


def test_a_name_is_used_once(world, effects):
    assert refused(world, then(step("a", effects, 1), step("a", effects, 2))) == "repeated"
    assert effects.done == [1]


def test_a_name_that_is_remembered_is_used_once_too(world, effects):
    job = world.submit()
    world.does = [
        then(step("a", effects, 1), raising(ValueError())),
        then(step("a", effects, 1), step("a", effects, 2)),
    ]
    world.settle()

    assert (world.job(job).reason, effects.done) == ("step", [1])


@pytest.mark.parametrize("name", ["", "n" * 65, "é", "a\nb", None, 5])
def test_a_bad_name_is_refused_before_anything_is_done(world, effects, name):
    assert refused(world, step(name, effects, 1)) == "name"
    assert effects.done == []


@pytest.mark.parametrize("value", [object(), float("nan"), {1: object()}, b"\xff"])
def test_a_value_that_is_no_json_is_refused_after_it_was_done(world, value):
    assert refused(world, step("a", lambda: value)) == "result"


def test_a_value_that_is_too_large_is_refused(world):
    assert refused(world, step("a", lambda: "x" * limits.MAX_PAYLOAD_BYTES)) == "result"


def test_there_are_so_many_steps_and_no_more(world, effects):
    def many(args, ctx):
        for number in range(limits.MAX_STEPS + 1):
            ctx.step(f"s{number}", effects, number)

    assert refused(world, many) == "too_many"
    assert len(effects.done) == limits.MAX_STEPS
    near = [fields for _, event, fields in world.telemetry.lines if event == "limit_near"]
    assert [(fields["limit"], fields["count"]) for fields in near] == [("steps", 205)]


def test_there_are_so_many_steps_at_the_same_time_and_no_more(world, effects):
    async def one(number):
        await asyncio.sleep(0)
        return effects(number)

    async def all_at_once(args, ctx):
        await asyncio.gather(*(ctx.step(f"s{number}", one, number) for number in range(limits.MAX_STEPS + 9)))

    job = world.submit(Later())
    world.does = [all_at_once]
    world.invoke("critical")

    assert world.job(job).reason == "step"
    # The first of them were under way when the others were refused.
    assert len(effects.done) <= limits.MAX_STEPS
    near = [fields for _, event, fields in world.telemetry.lines if event == "limit_near"]
    assert [(fields["limit"], fields["count"]) for fields in near] == [("steps", 205)]


class Flaky:
    """It works the third time."""

    def __init__(self) -> None:
        self.tries = 0

    def __call__(self) -> str:
        self.tries += 1
        if self.tries < 3:
            raise ConnectionError("no answer")
        return "paid"


def test_a_step_that_failed_may_be_tried_again_in_the_same_attempt(world):
    flaky, seen = Flaky(), []

    def patient(args, ctx):
        while not seen:
            with suppress(ConnectionError):
                seen.append(ctx.step("pay", flaky))

    job = world.submit()
    world.does = [patient]
    world.invoke()

    assert (world.state(job), seen, flaky.tries) == (State.SUCCEEDED, ["paid"], 3)


def test_an_async_step_that_failed_may_be_tried_again_too(world):
    flaky, seen = Flaky(), []

    async def pay():
        return flaky()

    async def patient(args, ctx):
        while not seen:
            with suppress(ConnectionError):
                seen.append(await ctx.step("pay", pay))

    job = world.submit(Later())
    world.does = [patient]
    world.invoke("critical")

    assert (world.state(job), seen, flaky.tries) == (State.SUCCEEDED, ["paid"], 3)


def test_a_step_that_could_not_be_recorded_is_not_tried_again_in_the_same_attempt(world, effects):
    """Its effect has happened."""

    def down(*_):
        raise UnavailableError("remember", "Throttled")

    def careless(args, ctx):
        for _ in range(2):
            with suppress(UnavailableError):
                ctx.step("pay", effects, "paid")

    world.memory.remember = down
    job = world.submit()
    world.does = [careless]
    world.invoke()

    assert (world.job(job).reason, effects.done) == ("step", ["paid"])


def test_what_the_step_itself_raises_is_the_jobs_and_nothing_is_remembered(world, effects):
    def fails():
        effects(1)
        raise ValueError("no")

    job = world.submit()
    world.does = [step("a", fails), step("a", effects, 2)]
    world.settle()

    assert (effects.done, world.client.result(job.ref.id)) == ([1, 2], 2)


def test_a_table_that_does_not_answer_costs_no_attempt(world, effects):
    def down(*_):
        raise UnavailableError("open_memory", "Throttled")

    job = world.submit()
    opened, world.memory.open = world.memory.open, down
    world.does = [step("a", effects, 1), step("a", effects, 2)]
    world.invoke()
    world.memory.open = opened

    assert (world.job(job).reason, world.job(job).tries) == (FailureClass.UNAVAILABLE.value, 0)
    assert effects.done == []
    world.settle()
    assert effects.done == [2]


def test_steps_outlive_the_longest_wait_and_the_retention_of_a_dead_job(world, effects):
    job = world.submit()
    waits = then(step("a", effects, 1), raising(RateLimitedError(retry_after=limits.MAX_DELAY)))
    world.does = [waits, then(step("a", effects, 1), raising(PermanentError("no"))), step("a", effects, 1)]
    world.invoke()
    world.clock.advance(limits.MAX_DELAY)
    world.janitor.sweep()
    for _ in range(limits.MAX_RECEIVES + 1):
        world.clock.advance(seconds(1))
        world.invoke()
    assert world.state(job) is State.DEAD
    world.clock.advance(days(29))
    world.desk.redrive(job.ref)
    world.settle()

    assert (world.state(job), effects.done) == (State.SUCCEEDED, [1])
