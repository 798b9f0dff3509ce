"""Sagas that somebody stopped or that stand there for a person: they go on where they were, and lose nothing."""

import json

import pytest

from tests.unit.sagas.shop import fails, open_shop, start
from tidemill import RateLimitedError, hours, minutes
from tidemill.domain.errand import saga_job_id
from tidemill.domain.errors import JobStateError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.saga.machine import places_of, turning
from tidemill.domain.saga.words import Role
from tidemill.domain.saga_errors import SagaStateError
from tidemill.domain.saga_state import SagaState
from tidemill.testing import Harness

PLACE, BRANCHES = "orders.place", "orders.branches"
ALL = {"reserve", "wrap", "charge", "ship"}


def run_of(tide, saga_id, generation=1):
    return tide._stack.machines.runs[f"{saga_id}-g{generation}"]


def stop(tide, saga_id, generation=1):
    run_of(tide, saga_id, generation).abort(tide.clock.now_ms())


def deliver(tide, messages):
    """So many messages, one after the other."""
    for _ in range(messages):
        tide._poller.deliver("default", lambda body: True)


def ref_of(saga_id, step, role=Role.STEP):
    return JobRef("default", saga_job_id(saga_id, step, role))


# --- a stop ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["resume", "cancel"])
@pytest.mark.parametrize("trouble", [None, "wrap", "charge"])
@pytest.mark.parametrize("name", [PLACE, BRANCHES])
def test_wherever_a_saga_is_stopped_it_is_whole_or_undone_in_the_end(name, trouble, verb):
    ends = set()
    for messages in range(0, 16, 1 if name == PLACE else 2):
        shop, registry = open_shop()
        if trouble:
            shop.before[trouble] = fails
        with Harness(registry) as tide:
            saga_id = start(tide, name)
            deliver(tide, messages)
            if tide.sagas.get(name, saga_id).state.is_final:
                break
            stop(tide, saga_id)
            try:
                getattr(tide.sagas, verb)(name, saga_id)
            except SagaStateError:
                # Past its pivot.
                tide.sagas.resume(name, saga_id)
            tide.run_for(hours(1))

            end = tide.sagas.get(name, saga_id)
            ends.add(end.state)
            assert end.state.is_final, (messages, end.execution.cause, tide.story())
            assert shop.applied == (ALL if end.state is SagaState.SUCCEEDED else set()), (messages, shop.calls)
    assert SagaState.COMPENSATED in ends or (trouble is None and verb == "resume")


def test_a_saga_that_goes_on_asks_for_nothing_that_is_over():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["wrap"] = lambda ctx: stop(tide, saga_id)
        tide.drain()
        tide.sagas.resume(PLACE, saga_id)
        tide.drain()

        entered = [state for _, what, state, _ in run_of(tide, saga_id, 2).events if what == "TaskStateEntered"]
        assert entered == ["wrap", "charge", "ship"]
        assert tide.sagas.get(PLACE, saga_id).state is SagaState.SUCCEEDED
        assert shop.applied == ALL


def test_a_step_that_is_not_heard_of_after_a_stop_does_not_leave_a_later_one_applied():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["wrap"] = lambda ctx: stop(tide, saga_id)
        tide.drain()
        tide.sagas.resume(PLACE, saga_id)
        for _ in range(400):
            tide.faults.throttle("report", by="worker")
        tide.run_for(minutes(11))
        tide.faults.forget()
        tide.run_for(hours(1))

        assert tide.sagas.get(PLACE, saga_id).state is SagaState.COMPENSATED
        assert shop.applied == set()


def test_a_saga_whose_definition_was_at_fault_is_cancelled():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["reserve"] = lambda ctx: run_of(tide, saga_id).flow.data["args"].pop("cents")
        tide.drain()
        assert tide.sagas.get(PLACE, saga_id).reason == "States.Runtime"
        # Resumed, it comes to the same.
        tide.sagas.resume(PLACE, saga_id)
        tide.drain()
        assert tide.sagas.get(PLACE, saga_id).reason == "States.Runtime"

        tide.sagas.cancel(PLACE, saga_id)
        tide.run_for(minutes(30))

        view = tide.sagas.get(PLACE, saga_id)
        assert (view.state, view.cancelled, view.reason) == (SagaState.COMPENSATED, True, "the saga was cancelled")
        assert shop.applied == set()


def test_each_forward_state_has_a_way_back_and_the_others_stay():
    _, registry = open_shop()
    saga = registry.saga(PLACE)

    assert {place: turning(saga, place) for place in ("choose wrap", "wrap", "charge", "undo wrap", "ask charge")} == {
        "choose wrap": "undo wrap",
        "wrap": "undo wrap",
        "charge": "close charge",
        "undo wrap": "undo wrap",
        "ask charge": "ask charge",
    }
    assert {turning(saga, place) for place in places_of(saga)} - {"close ship"} <= places_of(saga)
    assert turning(registry.saga(BRANCHES), "before") == "close check"


# --- messages that died ---------------------------------------------------------------------------


def bury(tide, saga_id, step, role):
    """The plain message that asks for a job goes to the DLQ, and no worker has seen it."""
    queue, dlq = tide.queues._queues["default"], tide.queues._dlqs["default"]
    (message,) = [one for one in queue.messages if json.loads(one.body).get("saga", {}).get("role") == role]
    queue.messages.remove(message)
    dlq.messages.append(message)
    assert json.loads(message.body)["saga"]["step"] == step


@pytest.mark.parametrize(
    ("fault", "step", "role"), [("wrap", "wrap", "undo"), ("charge", "charge", "close"), (None, "ship", "step")]
)
def test_a_message_that_no_worker_read_calls_a_person_who_resumes(fault, step, role):
    shop, registry = open_shop()
    if fault:
        shop.before[fault] = fails
    with Harness(registry) as tide:
        saga_id = start(tide)
        while not any(
            (body := json.loads(one.body).get("saga", {})).get("step") == step and body.get("role") == role
            for one in tide.queues._queues["default"].messages
            if "token" in json.loads(one.body).get("saga", {})
        ):
            deliver(tide, 1)
        bury(tide, saga_id, step, role)
        tide.advance(minutes(10))

        view = tide.sagas.get(PLACE, saga_id)
        assert view.state is SagaState.NEEDS_ATTENTION
        (part,) = [part for part in view.parts if part.waits and part.role == role]
        assert (part.step, part.job.reason) == (step, "never_ran")
        assert tide.telemetry.counts["SagasNeedAttention"] == 1

        tide.sagas.acting_as("ann").resume(PLACE, saga_id)
        tide.run_for(minutes(30))

        end = tide.sagas.get(PLACE, saga_id)
        assert end.state is (SagaState.COMPENSATED if fault else SagaState.SUCCEEDED)
        assert shop.applied == (set() if fault else ALL)


def test_a_step_whose_message_no_worker_read_is_reported_before_its_time_is_over():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide, "orders.patient")
        bury(tide, saga_id, "reserve", "step")
        tide.advance(minutes(10))
        tide.run_for(minutes(10))

        assert tide.sagas.get("orders.patient", saga_id).state is SagaState.COMPENSATED
        assert shop.calls == []


# --- who did it -----------------------------------------------------------------------------------


def test_the_trail_names_who_resumed():
    shop, registry = open_shop()
    shop.before["ship"] = fails
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.run_for(minutes(30))
        del shop.before["ship"]
        tide.sagas.acting_as("ann").resume(PLACE, saga_id)
        tide.drain()

        entries = [(one.actor, one.action, one.counts) for one in tide.desk.trail().entries]
        assert ("ann", "resume", {"redriven": 1}) in entries
        assert {actor for actor, _, _ in entries} == {"ann"}
        assert [one.chosen for one in tide.desk.trail().entries if one.action == "resume"] == [
            {"saga": PLACE, "id": saga_id}
        ]


# --- one job of a saga ----------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["cancel", "kill"])
def test_a_parked_step_that_is_cancelled_is_reported_at_once(verb):
    shop, registry = open_shop()

    def limited(ctx):
        raise RateLimitedError("later", retry_after=minutes(8))

    shop.before["reserve"] = limited
    with Harness(registry) as tide:
        saga_id = start(tide, "orders.patient")
        tide.drain()
        assert tide.job(ref_of(saga_id, "reserve")).state is State.SCHEDULED

        getattr(tide.client, verb)(ref_of(saga_id, "reserve").id)
        tide.drain()

        assert tide.sagas.get("orders.patient", saga_id).state is SagaState.COMPENSATED


def test_a_compensation_is_not_cancelled_alone():
    shop, registry = open_shop()

    def limited(ctx):
        raise RateLimitedError("later", retry_after=minutes(8))

    shop.before["wrap"], shop.before["undo wrap"] = fails, limited
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.drain()
        with pytest.raises(JobStateError, match="can't do without it"):
            tide.client.cancel(ref_of(saga_id, "wrap", Role.UNDO).id)
        del shop.before["undo wrap"]
        tide.run_for(minutes(30))

        assert tide.sagas.get(PLACE, saga_id).state is SagaState.COMPENSATED
