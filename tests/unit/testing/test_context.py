"""A job's function called directly, with a context that works."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.testing.conftest import Doze, Import, Pay, World
from tidemill import JobArgs, JobContext, hours, job, minutes, seconds
from tidemill.domain.errors import FenceLostError
from tidemill.domain.interrupt import HandedOver, HardTimeout, JobCancelled, SoftTimeoutError
from tidemill.domain.limits import PULSE
from tidemill.domain.undone import Undone
from tidemill.errors import AnsweredError, AnswerLateError, InputError, WaitTimeoutError
from tidemill.events import Heard
from tidemill.testing import Awaiting, context


@pytest.fixture
def jobs(world: World):
    return {definition.kind: definition for definition in world.registry}


def test_a_function_is_called_with_what_it_is_to_see(jobs, world):
    ctx = context(jobs["try.pay"], tenant="acme", attempt=3, generation=2, entity="order-1", sequence=7)
    seen = []
    world.does = seen.append

    assert jobs["try.pay"](Pay(cents=5), ctx).endswith(" 5")

    assert [ctx.kind, ctx.tenant, ctx.lane, ctx.attempt, ctx.generation] == ["try.pay", "acme", "default", 3, 2]
    assert (seen[0].entity, seen[0].sequence, seen[0].previous_sequence) == ("order-1", 7, None)
    assert ctx.time_left == minutes(1)
    assert ctx.calls.steps == ["pay", "note"]
    assert ctx.calls.keys == ["pay"]


def test_without_a_definition_it_is_any_job():
    ctx = context(previous_sequence=3)

    assert ctx.step("a", lambda: (1, 2)) == [1, 2]
    assert ctx.previous_sequence == 3


def test_every_attempt_sees_the_fact_and_the_step_that_the_job_is_of():
    fact = Heard("f1", "order.placed", at=1_700_000_000_000, subject="order/1", sequence=2)
    step = Undone("charge", "j1", succeeded=False)
    ctx = context(heard=fact, undoes=step, entity="order/1", sequence=2, previous_sequence=1)

    later = ctx.next_attempt().next_attempt()

    assert (later.heard, later.undoes, later.previous_sequence, later.attempt) == (fact, step, 1, 3)


def test_what_earlier_attempts_did_is_remembered(jobs, world):
    ctx = context(jobs["try.pay"], remembered={"pay": "paid before"})

    assert jobs["try.pay"](Pay(cents=5), ctx) == "paid before 5"
    assert ctx.calls.recalled == ["pay"]
    assert world.effects == ["note"]


def test_the_next_attempt_remembers_and_the_last_one_is_refused(jobs, world):
    ctx = context(jobs["try.pay"])
    jobs["try.pay"](Pay(), ctx)

    after = ctx.next_attempt()
    jobs["try.pay"](Pay(), after)

    assert (after.attempt, after.job_id) == (2, ctx.job_id)
    assert after.calls.recalled == ["pay", "note"]
    with pytest.raises(FenceLostError):
        ctx.step("more", str)


def test_a_cursor_is_where_it_was_left(world, jobs):
    world.tide = context()  # stands for the harness: it advances nothing
    ctx = context(jobs["try.import"], cursor=2)
    world.tide = type("Clockwork", (), {"advance": lambda self, span: ctx.clock.advance(span)})()

    with pytest.raises(HandedOver):
        jobs["try.import"](Import(pages=100), ctx)

    assert ctx.calls.cursors == [3, 4, 5, 6, 7, 8]
    assert ctx.next_attempt().cursor == 8


def test_a_cancel_is_noticed_at_the_next_call():
    ctx = context()
    ctx.heartbeat()
    assert not ctx.cancel_asked

    ctx.ask_cancel()

    assert ctx.cancel_asked
    with pytest.raises(JobCancelled):
        ctx.heartbeat()


def test_a_lost_lease_is_noticed():
    ctx = context()
    ctx.lose_lease()

    with pytest.raises(FenceLostError):
        ctx.checkpoint(1)


def test_timeouts_come_while_the_clock_moves(jobs):
    ctx = context(jobs["try.pay"])

    with pytest.raises(SoftTimeoutError):
        ctx.clock.advance(minutes(5))
    assert ctx.time_left == seconds(20)
    with pytest.raises(HardTimeout):
        ctx.clock.advance(minutes(5))
    assert ctx.time_left == seconds(0)


def test_progress_is_shown_as_readers_see_it():
    ctx = context()

    ctx.progress(1, 10)
    ctx.progress(2, 10)
    assert ctx.shown is None
    ctx.clock.advance(PULSE)
    assert ctx.shown == '{"n":2,"of":10}'
    ctx.progress(3, 10, "going")
    ctx.clock.advance(PULSE)

    assert ctx.shown == '{"n":3,"of":10,"note":"going"}'
    assert ctx.calls.progress == [(1, 10, None), (2, 10, None), (3, 10, "going")]


def test_async_functions_run_in_the_tests_own_loop(jobs, world):
    ctx = context(jobs["try.doze"])

    assert asyncio.run(jobs["try.doze"](Doze(seconds=0.001), ctx)) == 0.001
    assert ctx.calls.steps == ["doze"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tenant": "a b"}, "tenant"),
        ({"job_id": "x"}, "id"),
        ({"remembered": {"": 1}}, "step"),
        ({"remembered": {"a": object()}}, "result"),
        ({"cursor": "x" * 5000}, "cursor"),
    ],
)
def test_what_no_job_can_see_is_refused(wrong, field):
    with pytest.raises(InputError) as refused:
        context(**wrong)

    assert refused.value.violations[0].field.startswith(field)


def test_a_cancel_is_not_forgotten_by_a_heartbeat(jobs):
    ctx = context(jobs["try.steady"])
    ctx.ask_cancel()

    ctx.clock.advance(seconds(25))

    assert ctx.cancel_asked


# --- waiting ---------------------------------------------------------------------------------------


class Ask(JobArgs, kind="try.ask"):
    pass


@job(Ask, answers={"approval": bool, "note": str})
def ask(args: Ask, ctx: JobContext) -> list[object]:
    approved = ctx.wait_for(
        "approval", bool, timeout=hours(2), remind=[hours(1)], reminder=lambda number: f"reminder {number}"
    )
    return [approved, ctx.wait_for("note", str, timeout=hours(1))]


def test_a_job_that_waits_is_answered_in_one_call():
    assert ask(Ask(), context(ask, answers={"approval": False, "note": "why not"})) == [False, "why not"]


def test_it_waits_until_it_is_answered():
    ctx = context(ask)
    with pytest.raises(Awaiting, match="approval"):
        ask(Ask(), ctx)
    ctx.answer("approval", True)
    ctx = ctx.next_attempt()
    with pytest.raises(Awaiting, match="note"):
        ask(Ask(), ctx)
    ctx.answer("note", "so be it")

    assert ask(Ask(), ctx.next_attempt()) == [True, "so be it"]
    assert ctx.calls.waits == ["approval", "approval", "note", "approval", "note"]


def test_it_reminds_and_gives_up_when_its_time_comes():
    ctx = context(ask)
    with pytest.raises(Awaiting):
        ask(Ask(), ctx)
    ctx.clock.advance(hours(1))
    ctx = ctx.next_attempt()
    with pytest.raises(Awaiting):
        ask(Ask(), ctx)
    assert ctx.calls.reminders == [("approval", 1)]
    ctx.clock.advance(hours(1))
    with pytest.raises(AnswerLateError):
        ctx.answer("approval", True)
    with pytest.raises(WaitTimeoutError):
        ask(Ask(), ctx.next_attempt())


def test_what_a_client_would_be_refused_is_refused():
    ctx = context(ask, answers={"approval": True})

    for name, value in (("approval", [True]), ("aproval", True), ("note", "x" * 20_000)):
        with pytest.raises(InputError):
            ctx.answer(name, value)
    with pytest.raises(AnsweredError):
        ctx.answer("approval", False)
    ctx.answer("approval", True)


def test_a_link_leads_to_the_api_with_a_token():
    ctx = context(ask)

    assert ctx.answer_link("approval") == f"https://api.example.org/answers/{ctx.answer_token('approval')}"
    with pytest.raises(InputError):
        ctx.answer_link("aproval")
