"""A job that goes on under another version of its code: what that may take for known, and what ends it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from tests.unit.service.conftest import FUNCTION_TIMEOUT, Later, World, raising, step, then
from tidemill import Retry, TransientError, minutes, seconds
from tidemill.domain.lifecycle import State
from tidemill.service.manner import Manner, Mode
from tidemill.testing.faults import Crashed


def make(choice="check"):
    return World(on_code_change=choice, retry=Retry(max_attempts=9, delays=[seconds(1)]))


def deployed(world, *versions, lane="default"):
    """One attempt under each version, and what follows under the last."""
    for code in versions:
        world.code = code
        world.invoke(lane)
        world.clock.advance(seconds(2))
    world.settle(lane)


def fails(*_):
    raise TransientError("no")


# --- the same code, deployed anew ----------------------------------------------------------------


def test_a_step_in_another_that_failed_is_no_new_name(effects):
    def outer(args, ctx):
        def inside():
            ctx.step("inner", effects, "inner")
            if len(effects.done) == 1:
                effects("outer failed")
                fails()
            return effects("outer")

        return ctx.step("outer", inside)

    world = make()
    job = world.submit()
    world.does = [outer] * 3
    deployed(world, "one", "two")

    assert (world.state(job), effects.done) == (State.SUCCEEDED, ["inner", "outer failed", "outer"])


def test_a_step_that_failed_beside_another_is_no_new_name(effects):
    async def slow(_):
        await asyncio.sleep(0.01)
        if "failed" not in effects.done:
            effects("failed")
            fails()
        return effects("slow")

    async def quick(_):
        return effects("quick")

    async def both(args, ctx):
        await asyncio.gather(ctx.step("slow", slow, 1), ctx.step("quick", quick, 1))

    world = make()
    job = world.submit(Later())
    world.does = [both] * 3
    deployed(world, "one", "two", lane="critical")

    assert (world.state(job), effects.done) == (State.SUCCEEDED, ["quick", "failed", "slow"])


def test_a_step_whose_failure_led_to_another_is_no_new_name(effects):
    def pays_or_mails(args, ctx):
        try:
            ctx.step("pay", fails)
        except TransientError:
            ctx.step("mail", effects, "mail")
        if len(world.runs) < 4:
            fails()

    world = make()
    job = world.submit()
    world.does = [pays_or_mails] * 4
    deployed(world, "one", "two", "three")

    assert (world.state(job), effects.done) == (State.SUCCEEDED, ["mail"])


def test_a_step_that_never_ended_is_no_new_name_even_if_its_worker_died(effects):
    def dies(args, ctx):
        def pay():
            ctx.step("reserve", effects, "reserve")
            raise Crashed

        ctx.step("pay", pay)

    world = make()
    job = world.submit()
    world.code, world.does = "one", [dies]
    with pytest.raises(Crashed):
        world.invoke()
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    world.does = [then(step("pay", effects, "pay"), step("reserve", effects, "reserve"))]
    deployed(world, "two")

    assert (world.state(job), effects.done) == (State.SUCCEEDED, ["reserve", "pay"])


def test_the_evidence_of_each_attempt_says_which_version_failed(effects):
    world = make()
    job = world.submit()
    world.does = [fails] * 2
    deployed(world, "one", "two")

    assert [(failed.attempt, failed.code) for failed in world.client.failures(job.ref.id)] == [(1, "one"), (2, "two")]


# --- other code ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "again",
    [
        # `pay` may have been renamed to `charge`, and its effect may have happened.
        ["charge"],
        ["mail", "charge"],
        # Or `mail` was.
        ["pay", "tell"],
    ],
)
def test_a_new_name_is_refused_while_one_that_was_asked_for_is_to_come(effects, again):
    def pays_or_mails(args, ctx):
        with suppress(TransientError):
            ctx.step("pay", fails)
        ctx.step("mail", effects, "mail")
        fails()

    world = make()
    job = world.submit()
    world.does = [pays_or_mails, then(*(step(name, effects, name) for name in again))]
    deployed(world, "one", "two")

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "steps_changed")
    assert effects.done == ["mail"] + (["pay"] if "pay" in again else [])


def test_a_new_name_is_welcome_once_all_that_was_asked_for_came_up_again(effects):
    def pays_or_mails(args, ctx):
        with suppress(TransientError):
            ctx.step("pay", fails)
        ctx.step("mail", effects, "mail")
        fails()

    world = make()
    job = world.submit()
    world.does = [pays_or_mails, then(*(step(name, effects, name) for name in ("mail", "pay", "audit")))]
    deployed(world, "one", "two")

    assert (world.state(job), effects.done) == (State.SUCCEEDED, ["mail", "pay", "audit"])


def test_a_rollback_does_not_take_a_renamed_step_for_one_that_it_knows(effects):
    def under(*names):
        return then(*(step(name, effects, name) for name in names), raising(TransientError("no")))

    world = make()
    job = world.submit()
    world.does = [under("a"), under("a", "b"), under("a", "c")]
    deployed(world, "one", "two", "one")

    assert (world.state(job), world.job(job).reason, effects.done) == (State.DEAD, "steps_changed", ["a", "b"])


@pytest.mark.parametrize("choice", ["check", "stop"])
@pytest.mark.parametrize("ends", [raising(TransientError("no")), lambda args, ctx: "done"])
def test_a_refusal_that_the_job_swallows_ends_it_all_the_same(effects, choice, ends):
    def careless(args, ctx):
        for name in ("c", "d"):
            with suppress(Exception):
                ctx.step(name, effects, name)
        return ends(args, ctx)

    world = make(choice)
    job = world.submit()
    world.does = [then(step("a", effects, "a"), raising(TransientError("no"))), careless, careless]
    deployed(world, "one", "two")

    reason = "steps_changed" if choice == "check" else "code_changed"
    assert (world.state(job), world.job(job).reason) == (State.DEAD, reason)
    assert (effects.done, len(world.runs)) == (["a"], 2)


CURSOR_ONLY = [
    ("check", State.SUCCEEDED, [None, 1]),
    ("continue", State.SUCCEEDED, [None, 1]),
    ("restart", State.SUCCEEDED, [None, None]),
    ("stop", State.DEAD, [None]),
]


@pytest.mark.parametrize(("choice", "state", "cursors"), CURSOR_ONLY)
def test_a_job_that_has_only_a_cursor_does_as_its_kind_says(choice, state, cursors):
    def turns(args, ctx):
        seen.append(ctx.cursor)
        ctx.checkpoint(1)
        if len(seen) == 1:
            fails()

    world, seen = make(choice), []
    job = world.submit()
    world.does = [turns] * 3
    deployed(world, "one", "two")

    assert (world.state(job), seen) == (state, cursors)


@pytest.mark.parametrize("fault", ["open", "forget"])
def test_a_worker_that_dies_before_it_forgot_is_followed_by_one_that_forgets(effects, fault):
    world = make("restart")
    job = world.submit()
    world.does = [lambda args, ctx: (ctx.checkpoint(1), fails())]
    world.code = "one"
    world.invoke()
    world.clock.advance(seconds(2))
    real = getattr(world.memory, fault)

    def dies(*asked):
        if fault == "open":
            real(*asked)
        raise Crashed

    setattr(world.memory, fault, dies)
    world.code, world.does = "two", [lambda args, ctx: effects(ctx.cursor)] * 2
    with pytest.raises(Crashed):
        world.invoke()
    setattr(world.memory, fault, real)
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    world.settle()

    assert (world.state(job), effects.done) == (State.SUCCEEDED, [None])


@pytest.mark.parametrize("step_name", [None, "a"])
def test_who_stopped_goes_on_once_a_person_has_let_it_forget(effects, step_name):
    world = make("stop")
    job = world.submit()
    world.does = [then(step("a", effects, 1), raising(TransientError("no"))), step("a", effects, 2)]
    deployed(world, "one", "two")
    assert world.job(job).reason == "code_changed"
    world.desk.redrive(job.ref, Manner(Mode.RESTART) if step_name is None else Manner(Mode.FROM_STEP, step_name))
    world.does = [step("a", effects, 3)]
    world.settle()

    assert (world.state(job), effects.done) == (State.SUCCEEDED, [1, 3])
