"""Jobs that run again after each step: what happens twice then would happen twice one day."""

from __future__ import annotations

from itertools import count

import pytest

from tests.unit.testing.conftest import Doze, Import, Pay
from tidemill import JobArgs, JobRegistry, State, job, seconds
from tidemill.testing import Harness, assert_dead, assert_succeeded


class Order(JobArgs, kind="try.order"):
    pass


def run(function, mode, times=1):
    with Harness(JobRegistry(job(Order)(function))) as tide:
        getattr(tide, mode)()
        return [assert_succeeded(tide, tide.run_one(Order())) for _ in range(times)], tide


def test_effects_in_steps_happen_once_and_others_again_and_again():
    effects = []

    def order(args, ctx):
        ctx.step("a", effects.append, "a")
        effects.append("outside")
        ctx.step("b", effects.append, "b")

    [done], tide = run(order, "crash_after_each_step")

    assert effects == ["a", "outside", "b", "outside", "outside"]
    assert (done.attempt, done.crashes, done.deferrals) == (1, 0, 0)
    assert tide.calls(done).steps == ["a", "b"]


def test_a_job_without_steps_runs_twice():
    effects = []

    run(lambda args, ctx: effects.append("x"), "crash_after_each_step", times=2)

    assert effects == ["x"] * 4


def test_many_steps_are_no_poison():
    effects = []

    def order(args, ctx):
        for number in range(30):
            ctx.step(f"step {number}", effects.append, number)

    run(order, "crash_after_each_step")

    assert effects == list(range(30))


def test_async_steps_too(tide, world):
    tide.crash_after_each_step()

    assert tide.run_one(Doze(seconds=30)).state is State.SUCCEEDED

    assert world.effects == ["dozed"]


def test_a_job_goes_on_from_each_cursor(tide, world):
    tide.crash_after_each_step()
    receipt = tide.client.submit(Import(pages=3))

    tide.drain_until_idle()

    assert_succeeded(tide, receipt, 3)
    assert world.effects == ["page 0", "page 1", "page 2"]


def test_an_effect_may_happen_twice_inside_its_step():
    effects = []

    def order(args, ctx):
        ctx.step("a", effects.append, ctx.step_key("a"))
        ctx.step("b", effects.append, ctx.step_key("b"))

    run(order, "crash_inside_each_step")

    assert [key[-1] for key in effects] == ["a", "a", "b", "b"]
    assert len(set(effects)) == 2


def test_a_job_that_fails_fails_as_it_would():
    def order(args, ctx):
        ctx.step("a", str)
        raise ZeroDivisionError

    with Harness(JobRegistry(job(Order)(order))) as tide:
        tide.crash_after_each_step()
        done = tide.run_one(Order())
        tide.drain_until_idle()
        assert_dead(tide, done, "repeating", error="ZeroDivisionError")


@pytest.mark.parametrize("more", [True, False], ids=["new steps", "no steps"])
def test_step_names_that_change_from_run_to_run_are_said(more):
    numbers = count()

    def order(args, ctx):
        number = next(numbers)
        if more or number == 0:
            ctx.step(f"pay {number}", str)

    with Harness(JobRegistry(job(Order)(order))) as tide:
        tide.crash_after_each_step()
        with pytest.raises(AssertionError, match="without asking for 'pay 0'"):
            tide.run_one(Order())


def test_time_that_steps_take_is_no_matter():
    def order(args, ctx):
        ctx.step("a", tide.advance, seconds(50))
        tide.advance(seconds(5))
        ctx.step("b", str)

    with Harness(JobRegistry(job(Order)(order))) as tide:
        tide.crash_after_each_step()
        assert tide.run_one(Order()).state is State.SUCCEEDED


def test_a_worker_crashes_at_a_named_step(tide, world):
    tide.faults.crash_before_step("pay")
    tide.faults.crash_inside_step("note")
    receipt = tide.client.submit(Pay())

    tide.drain_until_idle()

    job = assert_succeeded(tide, receipt)
    assert (job.attempt, job.crashes) == (3, 2)
    assert world.effects.count("note") == 2
    assert tide.calls(receipt).steps == ["pay", "note", "note"]
    assert tide.calls(receipt).recalled == ["pay"]


def test_a_job_that_forgets_its_cursor_begins_again():
    effects = []

    def order(args, ctx):
        for page in range(3):
            effects.append(page)
            ctx.checkpoint(page)

    run(order, "crash_after_each_step")

    assert effects == [0, *(0, 1), *(0, 1, 2), *(0, 1, 2), *(0, 1, 2)]
