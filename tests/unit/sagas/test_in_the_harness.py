"""Sagas on the real engine: whatever goes wrong, all of it happened or nothing is left of it."""

from datetime import timedelta

import pytest

from tests.unit.sagas.orders import OrderArgs
from tests.unit.sagas.shop import fails, open_shop, start
from tidemill import RateLimitedError, hours, minutes, seconds
from tidemill.domain.errand import saga_job_id
from tidemill.domain.errors import (
    JobStateError,
)
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.saga.words import Role
from tidemill.domain.saga_errors import SagaStateError
from tidemill.domain.saga_state import SagaState
from tidemill.service.editing import Edit
from tidemill.service.manner import RESUME, Manner, Mode
from tidemill.testing import Harness

PLACE, BRANCHES = "orders.place", "orders.branches"
ALL = {"reserve", "wrap", "charge", "ship"}
CALM = minutes(30)


def state(tide, saga_id, name=PLACE, **options):
    return tide.sagas.get(name, saga_id, **options).state


def job_of(tide, saga_id, step, role=Role.STEP):
    return tide.job(JobRef("default", saga_job_id(saga_id, step, role)))


# --- all or nothing -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [PLACE, BRANCHES])
def test_all_of_it_happens(name):
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide, name)
        tide.drain()

        assert state(tide, saga_id, name) is SagaState.SUCCEEDED
        assert shop.applied == ALL


@pytest.mark.parametrize("name", [PLACE, BRANCHES])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["reserve", "wrap", "check", "charge"])
def test_nothing_is_left_of_a_saga_whose_step_fails(name, moment, step):
    if step == "check" and (name == PLACE or moment == "after"):
        pytest.skip("no such step, or it has no effect")
    if step == "charge" and moment == "after":
        pytest.skip("a pivot without a compensation has no effect unless it succeeds")
    shop, registry = open_shop()
    getattr(shop, moment)[step] = fails
    with Harness(registry) as tide:
        saga_id = start(tide, name)
        tide.run_for(CALM)

        assert state(tide, saga_id, name) is SagaState.COMPENSATED
        assert shop.applied == set()
        assert '"state": "dead"' in (tide.sagas.get(name, saga_id).reason or "")


def test_steps_are_undone_in_reverse_order_and_know_what_became_of_them():
    shop, registry = open_shop()
    shop.after["wrap"] = fails
    with Harness(registry) as tide:
        start(tide)
        tide.run_for(CALM)

    assert shop.calls == ["reserve", "wrap", "undo wrap", "undo reserve"]
    assert (shop.undone["wrap"].succeeded, shop.undone["wrap"].result) == (False, None)
    assert (shop.undone["reserve"].succeeded, shop.undone["reserve"].result["count"]) == (True, 1)


def test_what_never_began_is_not_undone():
    shop, registry = open_shop()
    shop.before["reserve"] = fails
    with Harness(registry) as tide:
        args = OrderArgs(order_id="o1", cents=5)
        saga_id = tide.sagas.start(PLACE, args).saga_id
        tide.run_for(CALM)

        assert shop.calls == ["undo reserve"]
        assert state(tide, saga_id) is SagaState.COMPENSATED


# --- the hard parts -------------------------------------------------------------------------------


def test_a_step_that_runs_on_after_its_time_is_waited_for_before_it_is_undone():
    shop, registry = open_shop()
    # Its worker stands still before the effect, for longer than the saga waits and shorter than its lease.
    shop.before["wrap"] = lambda ctx: ctx.step("look", lambda: None)
    with Harness(registry) as tide:
        saga_id = start(tide, "orders.hasty")
        tide.faults.freeze("open", seconds(40), by="worker")
        tide.run_for(CALM)

        assert state(tide, saga_id, "orders.hasty") is SagaState.COMPENSATED
        assert shop.calls == ["reserve", "wrap", "undo wrap", "undo reserve"]
        assert shop.applied == set()
        assert job_of(tide, saga_id, "wrap", Role.UNDO).reason is None


def test_a_dead_step_whose_saga_is_over_is_never_redriven():
    shop, registry = open_shop()
    shop.before["charge"] = fails
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.run_for(CALM)
        dead = job_of(tide, saga_id, "charge")
        assert (dead.state, dead.reason) == (State.DEAD, "saga_over")

        del shop.before["charge"]
        for manner in (RESUME, Manner(Mode.RESTART)):
            with pytest.raises(JobStateError, match="its saga is over"):
                tide.desk.redrive(dead.ref, manner)
            with pytest.raises(JobStateError, match="its saga is over"):
                tide.desk.edit(dead.ref, Edit({}), manner)
        # As the console does it: byte for byte, without asking anybody.
        for _ in tide.queues.move("default", lambda delivery: True, lambda: 10, 100):
            pass
        tide.run_for(CALM)

        assert "charge" not in shop.applied
        assert job_of(tide, saga_id, "charge").state is State.DEAD


def test_a_dead_step_that_is_redriven_in_time_is_undone_or_gone_on_from():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        shop.before["charge"] = fails
        saga_id = start(tide)
        tide.faults.throttle("report", after=2, by="worker")
        tide.drain()
        dead = job_of(tide, saga_id, "charge")
        assert dead.state is State.DEAD
        del shop.before["charge"]
        tide.faults.forget()
        tide.desk.redrive(dead.ref)
        tide.run_for(CALM)

        assert state(tide, saga_id) is SagaState.SUCCEEDED
        assert shop.applied == ALL


def test_a_pivot_that_is_late_and_succeeds_is_gone_on_from():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["charge"] = lambda ctx: tide.faults.throttle("report", times=40, by="worker")
        tide.run_for(minutes(7))
        tide.faults.forget()
        tide.run_for(CALM)

        assert shop.applied == ALL
        assert state(tide, saga_id) is SagaState.SUCCEEDED
        assert job_of(tide, saga_id, "charge", Role.CLOSE).state is State.SUCCEEDED


def test_a_step_after_the_pivot_that_dies_calls_a_person_and_goes_on_when_it_is_resumed():
    shop, registry = open_shop()
    shop.before["ship"] = fails
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.run_for(minutes(2))
        assert state(tide, saga_id) is SagaState.NEEDS_ATTENTION
        assert tide.telemetry.counts["SagasNeedAttention"] >= 1
        with pytest.raises(SagaStateError, match="past its point of no return"):
            tide.sagas.cancel(PLACE, saga_id)

        del shop.before["ship"]
        tide.sagas.resume(PLACE, saga_id)
        tide.drain()

        assert state(tide, saga_id) is SagaState.SUCCEEDED
        assert shop.applied == ALL
        with pytest.raises(SagaStateError, match="it goes on by itself"):
            tide.sagas.resume(PLACE, saga_id)


def test_a_compensation_that_dies_calls_a_person_and_goes_on_when_it_is_resumed():
    shop, registry = open_shop()
    shop.before["charge"] = fails
    shop.before["undo reserve"] = fails
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.run_for(minutes(2))
        assert state(tide, saga_id) is SagaState.NEEDS_ATTENTION
        assert shop.applied == {"reserve"}

        del shop.before["undo reserve"]
        tide.sagas.resume(PLACE, saga_id)
        tide.run_for(CALM)

        assert state(tide, saga_id) is SagaState.COMPENSATED
        assert shop.applied == set()


def test_an_execution_that_was_ended_from_outside_runs_again_without_doing_anything_twice():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["wrap"] = lambda ctx: tide._stack.machines.runs[f"{saga_id}-g1"].abort(tide.clock.now_ms())
        tide.drain()
        assert state(tide, saga_id) is SagaState.NEEDS_ATTENTION

        view = tide.sagas.resume(PLACE, saga_id)
        tide.drain()

        assert view.generation == 2
        assert state(tide, saga_id) is SagaState.SUCCEEDED
        assert shop.calls == ["reserve", "wrap", "charge", "ship"]
        assert [event.what for event in tide.sagas.history(PLACE, saga_id)].count("ExecutionStarted") == 2


def test_an_execution_that_was_ended_from_outside_can_be_undone():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["wrap"] = lambda ctx: tide._stack.machines.runs[f"{saga_id}-g1"].abort(tide.clock.now_ms())
        tide.drain()
        tide.sagas.cancel(PLACE, saga_id)
        tide.run_for(CALM)

        assert state(tide, saga_id) is SagaState.COMPENSATED
        assert shop.applied == set()


def test_a_saga_that_had_turned_back_before_it_was_ended_does_not_go_forward_when_it_is_resumed():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        # The step succeeds, its machine does not hear of it in time, and is ended while it is undone.
        shop.after["wrap"] = lambda ctx: tide.faults.throttle("report", times=400, by="worker")
        shop.after["undo wrap"] = lambda ctx: tide._stack.machines.runs[f"{saga_id}-g1"].abort(tide.clock.now_ms())
        tide.run_for(minutes(9))
        tide.run_for(CALM)
        tide.faults.forget()
        tide.run_for(CALM)
        assert state(tide, saga_id) is SagaState.NEEDS_ATTENTION
        assert shop.applied == {"reserve"}

        tide.sagas.resume(PLACE, saga_id)
        tide.run_for(CALM)

        assert state(tide, saga_id) is SagaState.COMPENSATED
        assert shop.applied == set()


def test_an_old_saga_is_not_run_again():
    _, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide._stack.machines.runs[f"{saga_id}-g1"].abort(tide.clock.now_ms())
        tide.advance(timedelta(days=19))

        with pytest.raises(SagaStateError, match="too old to be run again"):
            tide.sagas.resume(PLACE, saga_id)


def test_a_send_whose_answer_was_lost_is_tried_again_and_every_token_is_told():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        machines, put = tide._stack.machines, tide.queues.put
        lost = []

        def lose_the_first(lane, text):
            put(lane, text)
            if not lost:
                lost.append(lane)
                raise ConnectionError

        def is_slow(ctx):
            del shop.before["reserve"]
            raise RateLimitedError("both tokens are there before it ends", retry_after=seconds(30))

        shop.before["reserve"] = is_slow
        machines.send = lose_the_first
        saga_id = start(tide)
        tide.run_for(minutes(2))

        ref = job_of(tide, saga_id, "reserve").ref
        assert len(tide._stack.tokens.kept[ref].tokens) == 2
        assert state(tide, saga_id) is SagaState.SUCCEEDED
        assert shop.calls.count("reserve") == 1


def test_a_death_that_only_the_census_sees_is_reported():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide, "orders.patient")
        tide.faults.crash_before("claim", times=10, by="worker")
        tide.run_for(hours(3))

        assert job_of(tide, saga_id, "reserve").reason == "saga_over"
        assert state(tide, saga_id, "orders.patient") is SagaState.COMPENSATED
        assert shop.calls == []
