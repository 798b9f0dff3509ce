"""Who answers a job, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import NOW
from tests.unit.service.conftest import World, raising
from tests.unit.service.waiting import (
    APPROVAL,
    SHIPPED,
    a_world,
    always,
    answer,
    submitted,
    wait_of,
    waiting,
)
from tidemill import seconds
from tidemill.domain import limits
from tidemill.domain.lifecycle import State
from tidemill.errors import (
    AnsweredError,
    InputError,
    JobNotFoundError,
    JobStateError,
    UnavailableError,
)
from tidemill.service.manner import Manner, Mode


@pytest.fixture
def world() -> World:
    return a_world()


# --- what is refused --------------------


def test_the_same_answer_again_changes_nothing_and_says_who_was_first(world):
    job = submitted(world, waiting())
    world.invoke()
    first = answer(world, job, by="ada")
    world.clock.advance(seconds(5))

    again = answer(world, job, value={"note": "", "granted": True}, by="bob")

    assert (again.is_new, again.wait) == (False, first.wait)
    assert len(world.trail.entries) == 1
    world.invoke()
    assert not answer(world, job, by="bob").is_new
    assert len(world.runs) == 2


def test_another_answer_is_refused_with_who_gave_the_first(world):
    job = submitted(world, waiting())
    world.invoke()
    answer(world, job, by="ada")
    world.clock.advance(seconds(5))

    with pytest.raises(AnsweredError, match="answered otherwise, by ada") as refused:
        answer(world, job, value={"granted": False})

    assert (refused.value.by, refused.value.at, refused.value.means) == ("ada", NOW, "client")
    world.invoke()
    assert world.client.result(job.ref.id)["granted"] is True


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        (APPROVAL, {"granted": "yes"}, "answer.granted"),
        (APPROVAL, {"granted": True, "more": 1}, "answer.more"),
        (APPROVAL, "granted", "answer"),
        (APPROVAL, {"granted": True, "note": "n" * limits.MAX_ANSWER_BYTES}, "answer"),
        (APPROVAL, {"granted": float("nan")}, "answer"),
        (APPROVAL, object(), "answer"),
        (SHIPPED, 7, "answer"),
        ("aproval", {"granted": True}, "name"),
        ("Approval", {"granted": True}, "name"),
        (7, {"granted": True}, "name"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_by_name_and_nothing_is_written(world, name, value, field):
    job = submitted(world, waiting())
    world.invoke()
    before = world.job(job)

    with pytest.raises(InputError) as refused:
        answer(world, job, name, value)

    assert [violation.field for violation in refused.value.violations] == [field]
    assert "n" * 100 not in str(refused.value)
    assert (world.job(job), world.trail.entries) == (before, {})
    assert wait_of(world, job).is_open


@pytest.mark.parametrize("by", ["", "n" * 129, "two\nlines", 7])
def test_who_answers_must_be_a_name(world, by):
    job = submitted(world, waiting())

    with pytest.raises(InputError, match="by: "):
        answer(world, job, by=by)


def test_a_job_of_a_kind_that_waits_for_nothing_takes_no_answer():
    world = World()
    job = world.submit()

    with pytest.raises(InputError, match="takes no answer 'approval'; it waits for no answer"):
        answer(world, job)


def test_a_job_that_is_not_there_takes_no_answer(world):
    job = submitted(world, waiting())

    with pytest.raises(JobNotFoundError):
        answer(world, job, tenant="other")


def test_a_job_that_is_over_takes_no_answer_and_says_its_state(world):
    job = submitted(world, waiting())
    world.client.cancel(job.ref.id)

    with pytest.raises(JobStateError, match="is cancelled: it can't be answered") as refused:
        answer(world, job)

    assert refused.value.state is State.CANCELLED
    assert world.waits.waits_of(job.ref) == []


def test_where_the_trail_can_not_be_written_nothing_is_answered(world):
    job = submitted(world, waiting())
    world.invoke()
    world.trail.outage = UnavailableError("audit", "Throttled")

    with pytest.raises(UnavailableError):
        answer(world, job)

    assert wait_of(world, job).is_open


# --- other generations --------------------


def dead_after_the_answer(world: World) -> Any:
    """A job that was answered and then died."""
    job = submitted(world, lambda args, ctx: (waiting()(args, ctx), raising("permanent")(args, ctx)))
    world.invoke()
    answer(world, job, by="ada")
    world.invoke()
    assert world.state(job) is State.DEAD
    always(world, waiting())
    return world.job(job)


def test_a_redrive_keeps_the_answer(world):
    dead = dead_after_the_answer(world)
    world.desk.redrive(dead.ref)
    world.settle()

    assert (world.state(dead), world.job(dead).generation) == (State.SUCCEEDED, 2)


@pytest.mark.parametrize("manner", [Manner(Mode.RESTART), Manner(Mode.FROM_STEP, APPROVAL)], ids=str)
def test_a_redrive_that_forgets_the_wait_asks_anew(world, manner):
    dead = dead_after_the_answer(world)
    world.desk.redrive(dead.ref, manner)
    # Before it has run, and so has not obeyed yet.
    assert [wait.name for wait in world.client.answerer.waits_of(world.job(dead))] == []
    world.janitor.sweep()
    world.invoke()
    assert (world.state(dead), world.job(dead).reason) == (State.SCHEDULED, "waiting:approval")
    assert wait_of(world, dead).generation == 2

    answer(world, dead, value={"granted": False}, by="bob")
    world.settle()

    assert world.client.result(dead.ref.id)["granted"] is False


def test_an_answer_to_a_generation_that_forgets_may_come_before_it_asks(world):
    dead = dead_after_the_answer(world)
    world.desk.redrive(dead.ref, Manner(Mode.RESTART))

    given = answer(world, dead, value={"granted": False}, by="bob")
    world.settle()

    assert (given.is_new, given.wait.generation) == (True, 2)
    assert world.client.result(dead.ref.id)["granted"] is False


def test_an_answer_never_goes_to_a_wait_that_is_open_and_forgotten(world):
    job = submitted(world, waiting(), key="k")
    world.invoke()
    world.client.cancel(job.ref.id)
    world.submit(key="k")

    given = answer(world, job)
    world.settle()

    assert (given.is_new, given.wait.generation) == (True, 2)
    assert world.client.result(job.ref.id)["granted"] is True


def test_an_early_answer_survives_a_death_that_a_redrive_resumes(world):
    job = submitted(world, raising("permanent"))
    answer(world, job)
    world.invoke()
    always(world, waiting())
    world.desk.redrive(job.ref)
    world.settle()

    assert world.client.result(job.ref.id)["granted"] is True


def test_a_rerun_of_a_cancelled_job_asks_anew(world):
    job = submitted(world, waiting(), key="k")
    world.invoke()
    answer(world, job)
    world.client.cancel(job.ref.id)
    world.submit(key="k")
    world.invoke()

    assert (world.job(job).generation, world.job(job).reason) == (2, "waiting:approval")
