"""What a job may ask."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import Greet
from tests.unit.service.conftest import World
from tests.unit.service.waiting import (
    APPROVAL,
    DAY,
    SHIPPED,
    Decision,
    a_world,
    answer,
    submitted,
    waiting,
)
from tidemill import days, hours, seconds
from tidemill.domain.lifecycle import State


@pytest.fixture
def world() -> World:
    return a_world()


# --- what a job may not ask --------------------


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"timeout": 60}, "wait_for.timeout"),
        ({"timeout": seconds(0)}, "wait_for.timeout"),
        ({"timeout": days(366)}, "wait_for.timeout"),
        ({"asks": "n" * 501}, "wait_for.asks"),
        ({"remind": [hours(1)]}, "wait_for.remind"),
        ({"reminder": print}, "wait_for.remind"),
        ({"remind": [hours(2), hours(1)], "reminder": print}, "wait_for.remind"),
        ({"remind": [days(2)], "reminder": print}, "wait_for.remind"),
        ({"remind": [5], "reminder": print}, "wait_for.remind"),
        ({"remind": [seconds(n + 1) for n in range(17)], "reminder": print}, "wait_for.remind"),
        ({"remind": hours(1), "reminder": print}, "wait_for.remind"),
        ({"remind": [hours(1)], "reminder": 7}, "wait_for.reminder"),
        ({"name": "Not a name"}, "wait_for.name"),
    ],
)
def test_a_question_that_can_not_be_asked_ends_the_job(world, options, reason):
    asked = {"name": APPROVAL, "timeout": DAY, **options}
    job = submitted(world, lambda args, ctx: ctx.wait_for(asked.pop("name"), Decision, **asked))
    world.invoke()

    assert world.state(job) is State.DEAD
    assert reason in world.client.failures(job.ref.id)[0].failure.message
    assert world.waits.waits_of(job.ref) == []


@pytest.mark.parametrize(
    ("name", "returns", "problem"),
    [("other", Decision, "declares no answer 'other'"), (APPROVAL, str, "is declared as")],
)
def test_an_answer_must_be_declared_with_its_type(world, name, returns, problem):
    job = submitted(world, lambda args, ctx: ctx.wait_for(name, returns, timeout=DAY))
    world.invoke()

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "step")
    assert problem in world.client.failures(job.ref.id)[0].failure.message


def test_one_name_is_waited_for_once_in_an_attempt_and_is_no_steps(world):
    for behaviour in (
        lambda args, ctx: (waiting()(args, ctx), waiting()(args, ctx)),
        lambda args, ctx: (ctx.step(APPROVAL, lambda: 1), waiting()(args, ctx)),
    ):
        job = submitted(world, behaviour)
        answer(world, job)
        world.invoke()
        assert (world.state(job), world.job(job).reason) == (State.DEAD, "step")
        assert "was used before" in world.client.failures(job.ref.id)[0].failure.message


def test_a_job_that_is_asked_to_stop_hears_it_where_it_would_wait(world):
    heard = []

    def behaviour(args: Any, ctx: Any) -> Any:
        ctx.step("a", lambda: 1)
        world.client.cancel(job.ref.id)
        world.clock.advance(seconds(6))
        try:
            waiting()(args, ctx)
        except BaseException as stop:
            heard.append(type(stop).__name__)
            raise

    job = submitted(world, behaviour)
    world.invoke()

    assert heard == ["JobCancelled"]
    assert world.state(job) is State.CANCELLED


def test_a_job_is_cancelled_while_it_waits(world):
    job = submitted(world, waiting())
    world.invoke()

    assert world.client.cancel(job.ref.id).state is State.CANCELLED
    world.settle()
    assert len(world.runs) == 1


def test_greet_is_what_these_tests_submit(world):
    assert world.registry.resolve(Greet.job_kind).answers == {APPROVAL: Decision, SHIPPED: str}
