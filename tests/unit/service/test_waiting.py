"""A job that waits for an answer from outside."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import NOW
from tests.unit.service.conftest import World, raising
from tests.unit.service.waiting import (
    APPROVAL,
    DAY,
    SHIPPED,
    a_world,
    answer,
    both,
    go_by,
    submitted,
    wait_of,
    waiting,
)
from tidemill import days, hours, minutes, seconds
from tidemill.domain.duration import milliseconds
from tidemill.domain.lifecycle import State
from tidemill.errors import (
    AnswerLateError,
    WaitTimeoutError,
)


@pytest.fixture
def world() -> World:
    return a_world()


# --- waiting and being answered --------------------


def test_a_job_waits_in_the_table_until_it_is_answered_and_nothing_is_spent(world):
    job = submitted(world, waiting())
    world.invoke()

    waits = world.job(job)
    assert (waits.state, waits.reason) == (State.SCHEDULED, "waiting:approval")
    assert waits.claimable_at == NOW + milliseconds(DAY)
    assert (waits.attempt, waits.deferrals, waits.crashes) == (0, 0, 0)
    assert world.queues.count("default") == 0
    assert world.telemetry.counts == {"JobsWaiting": 1, "BatchSize": 1}

    given = answer(world, job, by="ada")
    assert given.is_new
    assert given.job.state is State.QUEUED
    world.invoke()

    assert world.client.result(job.ref.id) == {"granted": True, "note": ""}
    assert (world.job(job).attempt, len(world.runs)) == (1, 2)


def test_who_answered_when_and_how_stands_beside_the_job_and_in_the_trail(world):
    job = submitted(world, waiting(asks="May order 7 go out?"))
    world.invoke()
    world.clock.advance(seconds(9))

    given = answer(world, job, by="ada of finance").wait

    assert given == wait_of(world, job)
    assert (given.asks, given.asked_at, given.ends_at) == ("May order 7 go out?", NOW, NOW + milliseconds(DAY))
    assert (given.given.by, given.given.means, given.given.at) == ("ada of finance", "client", NOW + 9_000)
    (entry,) = world.trail.entries.values()
    assert (entry.actor, entry.action, entry.outcome, entry.counts) == ("tester", "answer", "done", {"answered": 1})
    assert entry.chosen == {"name": APPROVAL, "by": "ada of finance", "means": "client"}
    assert entry.jobs == (str(job.ref),)
    assert "granted" not in str(entry)


def test_an_answer_that_comes_before_the_wait_is_kept_and_used(world):
    job = submitted(world, waiting())
    assert answer(world, job).is_new
    assert world.state(job) is State.QUEUED

    world.invoke()

    assert world.state(job) is State.SUCCEEDED
    assert len(world.runs) == 1


def test_an_answer_that_comes_while_the_job_is_on_its_way_to_the_wait_is_found(world):
    def late(args: Any, ctx: Any) -> Any:
        answer(world, job)
        return waiting()(args, ctx)

    job = submitted(world, late)
    world.invoke()

    assert world.state(job) is State.SUCCEEDED


def test_an_answer_between_the_look_and_the_park_is_not_waited_past(world):
    job = submitted(world, waiting())
    real = world.store.conclude

    def answered_first(conclusions: Any) -> Any:
        world.store.conclude = real
        answer(world, job)
        return real(conclusions)

    world.store.conclude = answered_first
    world.invoke()

    parked = world.job(job)
    assert (parked.state, parked.reason, parked.claimable_at) == (State.SCHEDULED, "waiting:approval", NOW)
    assert parked.crashes == 0
    world.settle()
    assert world.state(job) is State.SUCCEEDED


def test_an_answer_and_a_cancel_between_the_look_and_the_park_are_both_heard(world):
    job = submitted(world, lambda args, ctx: (ctx.step("a", lambda: 1), waiting()(args, ctx)))
    real, left = world.store.conclude, [lambda: answer(world, job), lambda: world.client.cancel(job.ref.id)]

    def disturbed_first(conclusions: Any) -> Any:
        if left:
            left.pop(0)()
        return real(conclusions)

    world.store.conclude = disturbed_first
    world.invoke()

    assert (world.state(job), world.job(job).crashes) == (State.SCHEDULED, 0)
    world.settle()
    assert world.state(job) is State.CANCELLED


def test_steps_before_the_wait_are_remembered_and_other_code_runs_again(world, effects):
    ran = []

    def behaviour(args: Any, ctx: Any) -> Any:
        ran.append("code")
        ctx.step("reserve", effects, "reserved")
        return waiting()(args, ctx).granted

    job = submitted(world, behaviour)
    world.invoke()
    answer(world, job)
    world.invoke()

    assert effects.done == ["reserved"]
    assert ran == ["code", "code"]


def test_several_waits_follow_each_other_each_with_its_own_answer(world):
    job = submitted(world, both)
    world.invoke()
    assert world.job(job).reason == "waiting:approval"
    answer(world, job)
    world.invoke()
    assert world.job(job).reason == "waiting:shipped"
    answer(world, job, SHIPPED, "DHL")
    world.invoke()

    assert world.client.result(job.ref.id) == [True, "DHL"]
    assert world.job(job).attempt == 1


def test_an_answer_to_a_later_wait_is_kept_while_the_job_waits_for_an_earlier_one(world):
    job = submitted(world, both)
    world.invoke()
    answer(world, job, SHIPPED, "DHL")
    world.invoke()
    assert world.job(job).reason == "waiting:approval"
    answer(world, job)
    world.invoke()

    assert world.client.result(job.ref.id) == [True, "DHL"]


def test_an_attempt_that_fails_after_the_wait_finds_the_same_answer_again(world):
    job = submitted(world, waiting())
    world.invoke()
    answer(world, job)
    world.does = [lambda args, ctx: (waiting()(args, ctx), raising(ValueError("later"))(args, ctx)), waiting()]
    world.invoke()
    assert world.state(job) is State.RETRYING
    world.waits.store.waits.clear()  # it is remembered
    world.clock.advance(minutes(1))
    world.invoke()

    assert world.client.result(job.ref.id) == {"granted": True, "note": ""}


def test_an_answer_just_before_the_timeout_starts_a_job_that_is_sent_already(world):
    job = submitted(world, waiting(timeout=hours(1)))
    world.invoke()
    world.clock.advance(minutes(59))
    world.janitor.sweep()
    assert (world.state(job), world.queues.count("default")) == (State.QUEUED, 1)

    answer(world, job)
    world.invoke()

    assert world.state(job) is State.SUCCEEDED
    world.settle()
    assert len(world.runs) == 2


def test_a_job_that_has_waited_has_started_and_does_not_expire(world):
    job = submitted(world, waiting(timeout=days(3)), expires_in=hours(1))
    world.invoke()
    world.clock.advance(days(2))
    answer(world, job)
    world.invoke()

    assert world.state(job) is State.SUCCEEDED


# --- nobody answers --------------------


def test_at_the_timeout_an_error_is_raised_where_the_job_waits(world):
    seen = []

    def behaviour(args: Any, ctx: Any) -> Any:
        try:
            return waiting(timeout=hours(1))(args, ctx)
        except WaitTimeoutError as late:
            seen.append(late.ended_at)
            return "decided without"

    job = submitted(world, behaviour)
    go_by(world, minutes(59))
    assert len(world.runs) == 1
    go_by(world, minutes(4))

    assert world.client.result(job.ref.id) == "decided without"
    assert seen == [wait_of(world, job).timed_out_at]
    assert seen[0] >= NOW + milliseconds(hours(1))


def test_a_timeout_that_nobody_catches_ends_the_job_at_once(world):
    job = submitted(world, waiting(timeout=hours(1)))
    go_by(world, hours(1) + minutes(2))

    dead = world.job(job)
    assert (dead.state, dead.reason, dead.attempt) == (State.DEAD, "wait_timed_out", 1)
    assert len(world.runs) == 2


def test_an_answer_after_the_timeout_is_refused_and_a_later_wait_never_gets_it(world):
    def behaviour(args: Any, ctx: Any) -> Any:
        try:
            waiting(APPROVAL, hours(1))(args, ctx)
        except WaitTimeoutError:
            return waiting(SHIPPED, days(2))(args, ctx)

    job = submitted(world, behaviour)
    go_by(world, hours(1) + minutes(3))
    assert world.job(job).reason == "waiting:shipped"

    with pytest.raises(AnswerLateError, match="its time is over") as refused:
        answer(world, job)
    assert refused.value.ended_at == NOW + milliseconds(hours(1))
    assert world.job(job).reason == "waiting:shipped"

    answer(world, job, SHIPPED, "DHL")
    world.invoke()
    assert world.client.result(job.ref.id) == "DHL"


def test_an_answer_between_the_timeout_and_the_next_run_is_too_late(world):
    job = submitted(world, waiting(timeout=hours(1)))
    world.invoke()
    world.clock.advance(hours(1))

    with pytest.raises(AnswerLateError):
        answer(world, job)


def test_an_answer_that_comes_first_wins_over_a_timeout_that_is_due(world):
    job = submitted(world, waiting(timeout=hours(1)))
    world.invoke()
    world.clock.advance(minutes(59))
    answer(world, job)
    world.clock.advance(hours(5))
    world.invoke()

    assert world.state(job) is State.SUCCEEDED


def test_the_same_timeout_is_seen_by_every_later_attempt(world):
    def behaviour(args: Any, ctx: Any) -> Any:
        with pytest.raises(WaitTimeoutError):
            waiting(timeout=hours(1))(args, ctx)
        if ctx.attempt == 1:
            raise ValueError("later")
        return "over"

    job = submitted(world, behaviour)
    go_by(world, hours(1) + minutes(5))

    assert world.client.result(job.ref.id) == "over"


# --- reminders --------------------


def test_reminders_come_at_their_times_once_each(world):
    seen = []

    def remind(number: int) -> None:
        seen.append((number, (world.clock.now_ms() - NOW) // milliseconds(hours(1))))

    job = submitted(world, waiting(remind=[hours(2), hours(5)], reminder=remind))
    world.invoke()
    assert world.job(job).claimable_at == NOW + milliseconds(hours(2))
    go_by(world, hours(4))
    assert seen == [(1, 2)]
    assert world.job(job).claimable_at == NOW + milliseconds(hours(5))
    go_by(world, hours(4))
    assert seen == [(1, 2), (2, 5)]
    assert world.job(job).claimable_at == NOW + milliseconds(DAY)

    answer(world, job)
    world.invoke()
    assert world.state(job) is State.SUCCEEDED
    assert seen == [(1, 2), (2, 5)]


def test_a_reminder_that_was_missed_is_left_out(world):
    seen = []
    job = submitted(world, waiting(remind=[hours(2), hours(5)], reminder=seen.append))
    world.invoke()
    world.clock.advance(hours(6))
    world.janitor.sweep()
    world.invoke()

    assert seen == [2]
    assert world.state(job) is State.SCHEDULED


def test_a_reminder_that_fails_is_tried_again_as_its_job_would_be(world):
    failing = [ValueError("no mail")]

    def remind(number: int) -> None:
        if failing:
            raise failing.pop()

    job = submitted(world, waiting(remind=[hours(2)], reminder=remind))
    go_by(world, hours(3))

    assert not failing
    assert (world.state(job), world.job(job).reason) == (State.SCHEDULED, "waiting:approval")
    assert [failure.failure.type for failure in world.client.failures(job.ref.id)] == ["ValueError"]


# --- links ----------------------------------------------------------------------------------------


def test_a_job_whose_worker_knows_no_api_is_told_how_to_mend_it(world):
    job = submitted(world, lambda args, ctx: ctx.answer_link(APPROVAL))
    world.invoke()

    failure = world.store.failures_of(job.ref)[0].failure
    assert failure.type.endswith(".SettingsError")
    assert "TIDEMILL_API_URL" in failure.message
    assert "Fix: deploy with TidemillPipeline" in failure.message
