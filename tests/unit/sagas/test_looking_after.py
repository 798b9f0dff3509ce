"""Starting, cancelling and resuming sagas, and everything that can be wrong with a message or a call."""

import json

import pytest

from tests.unit.sagas.orders import OrderArgs
from tests.unit.sagas.shop import fails, open_shop, start
from tidemill import JobRegistry, RateLimitedError, minutes
from tidemill.domain.errand import saga_job_id
from tidemill.domain.errors import (
    InputError,
    InvalidArgsError,
    KeyConflictError,
)
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.saga.words import Role
from tidemill.domain.saga_errors import SagaNotFoundError, SagaStateError
from tidemill.domain.saga_state import SagaState
from tidemill.testing import Harness

PLACE, BRANCHES = "orders.place", "orders.branches"
ALL = {"reserve", "wrap", "charge", "ship"}
CALM = minutes(30)


def state(tide, saga_id, name=PLACE, **options):
    return tide.sagas.get(name, saga_id, **options).state


def job_of(tide, saga_id, step, role=Role.STEP):
    return tide.job(JobRef("default", saga_job_id(saga_id, step, role)))


# --- cancel ---------------------------------------------------------------------------------------


def test_a_saga_that_is_cancelled_before_its_pivot_is_undone():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        shop.after["wrap"] = lambda ctx: tide.sagas.cancel(PLACE, saga_id)
        tide.run_for(CALM)

        view = tide.sagas.cancel(PLACE, saga_id)
        assert (view.state, view.cancelled) == (SagaState.COMPENSATED, True)
        assert shop.applied == set()
        assert "charge" not in shop.calls


def test_a_saga_that_is_cancelled_at_once_does_nothing():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.sagas.cancel(PLACE, saga_id)
        tide.run_for(CALM)

        assert state(tide, saga_id) is SagaState.COMPENSATED
        assert shop.calls == []


def test_a_saga_that_has_begun_its_pivot_is_not_cancelled():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        refused = []

        def cancel(ctx):
            with pytest.raises(SagaStateError, match=r"past its point of no return.* carried to its end") as error:
                tide.sagas.cancel(PLACE, saga_id)
            refused.append(error.value.code)

        shop.before["charge"] = cancel
        tide.drain()

        assert refused == ["saga_state"]
        assert state(tide, saga_id) is SagaState.SUCCEEDED
        with pytest.raises(SagaStateError, match="nothing is left to cancel"):
            tide.sagas.cancel(PLACE, saga_id)


def test_without_a_pivot_the_refusal_says_that_the_saga_may_still_be_undone():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide, "orders.loose")

        def cancel(ctx):
            problem = "step 'check', the last that always runs, was begun; if it fails, the saga is undone"
            with pytest.raises(SagaStateError, match=problem):
                tide.sagas.cancel("orders.loose", saga_id)
            fails(ctx)

        shop.before["check"] = cancel
        tide.drain()

        assert state(tide, saga_id, "orders.loose") is SagaState.COMPENSATED
        assert shop.calls == ["reserve", "check", "undo reserve"]


def test_a_step_that_waits_in_the_table_is_cancelled_and_its_saga_hears_of_it_at_once():
    shop, registry = open_shop()

    def limited(ctx):
        raise RateLimitedError("later", retry_after=minutes(8))

    shop.before["wrap"] = limited
    with Harness(registry) as tide:
        saga_id = start(tide)
        tide.drain()
        assert job_of(tide, saga_id, "wrap").state is State.SCHEDULED
        tide.sagas.cancel(PLACE, saga_id)
        tide.drain()

        assert state(tide, saga_id) is SagaState.COMPENSATED
        assert shop.applied == set()


# --- who and what ---------------------------------------------------------------------------------


def test_one_key_is_one_saga():
    _, registry = open_shop()
    with Harness(registry) as tide:
        first = start(tide, key="o1")
        again = tide.sagas.start(PLACE, {"order_id": "o1", "cents": 5, "gift": True}, key="o1")
        assert (again.saga_id, again.created) == (first, False)
        assert start(tide, key="o1", tenant="zeta") != first
        assert start(tide, BRANCHES, key="o1") != first
        with pytest.raises(KeyConflictError):
            tide.sagas.start(PLACE, OrderArgs(order_id="o2", cents=5), key="o1")
        tide.drain()
        assert not tide.sagas.start(PLACE, OrderArgs(order_id="o1", cents=5, gift=True), key="o1").created


def test_a_tenant_sees_no_saga_of_another():
    _, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide, tenant="acme")
        for call in (tide.sagas.get, tide.sagas.cancel, tide.sagas.resume, tide.sagas.history):
            with pytest.raises(SagaNotFoundError):
                call(PLACE, saga_id, "zeta")
        assert state(tide, saga_id, tenant="acme") is SagaState.RUNNING
        tide.drain()


@pytest.mark.parametrize(
    ("start_it", "error"),
    [
        (lambda sagas: sagas.start("orders.plaice", {}), InputError),
        (lambda sagas: sagas.start(PLACE, {"order_id": "o1"}), InvalidArgsError),
        (lambda sagas: sagas.start(PLACE, {"order_id": "o1", "cents": 5, "x": 1}), InvalidArgsError),
        (lambda sagas: sagas.start(PLACE, 5), InputError),
        (lambda sagas: sagas.start(PLACE, OrderArgs(order_id="x" * 70_000, cents=5)), InputError),
        (lambda sagas: sagas.start(PLACE, OrderArgs(order_id="o", cents=5), key="a b"), InputError),
        (lambda sagas: sagas.start(PLACE, OrderArgs(order_id="o", cents=5), tenant="a#b"), InputError),
        (lambda sagas: sagas.get(PLACE, "nonsense"), InputError),
        (lambda sagas: sagas.get("nonsense", "x"), InputError),
    ],
)
def test_bad_input_starts_nothing(start_it, error):
    _, registry = open_shop()
    with Harness(registry) as tide:
        with pytest.raises(error):
            start_it(tide.sagas)
        assert not tide._stack.machines.runs


# --- messages that are not as they should be ------------------------------------------------------


def body(tide, **errand):
    document = json.loads(tide.queues._queues["default"].messages[0].body)
    document["saga"].update(errand)
    return document


def test_a_message_that_can_not_become_a_job_fails_its_step():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = start(tide)
        run = tide._stack.machines.runs[f"{saga_id}-g1"]
        run.given["args"]["order_id"] = 5
        (token,) = run.tokens
        run.fail(token, "SQS.SdkClientException", "", 0)
        run.flow.data["args"]["order_id"] = 5
        tide.run_for(CALM)

        # The compensation can't have its arguments either: that is a person's matter.
        assert ("refused" in json.dumps(run.flow.data["failed"])) is True
        assert tide.telemetry.counts["SagasNeedAttention"] >= 1
        assert shop.applied <= {"reserve"}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"token": ""},
        {"token": "x" * 2049},
        {"step": "no step"},
        {"role": "boss"},
        {"id": "x"},
        {"extra": 1},
        {"undoes": "a"},
    ],
)
def test_an_errand_that_is_none_is_refused(spoilt):
    shop, registry = open_shop()
    with Harness(registry) as tide:
        start(tide)
        spoilt_body = json.dumps(body(tide, **spoilt))
        tide.queues._queues["default"].messages.clear()
        tide.queues.put("default", spoilt_body)
        tide.drain()

        assert shop.calls == []
        assert [job.reason for job in tide.jobs()] == ["invalid_input"]


def test_a_program_without_sagas_refuses_their_messages():
    _, with_sagas = open_shop()
    with Harness(with_sagas) as tide:
        start(tide)
        text = json.dumps(body(tide))
    with Harness(JobRegistry(*[one for one in with_sagas if not one.kind.startswith("tidemill")])) as tide:
        tide.queues.put("default", text)
        tide.drain()
        assert [job.state for job in tide.jobs()] == [State.DEAD]


def test_a_result_that_is_too_large_to_tell_fails_its_step_and_is_undone():
    shop, registry = open_shop()
    with Harness(registry) as tide:
        saga_id = tide.sagas.start(PLACE, OrderArgs(order_id="x" * 2_048, cents=5)).saga_id
        tide.run_for(CALM)

        view = tide.sagas.get(PLACE, saga_id)
        assert view.state is SagaState.COMPENSATED
        assert "result_too_large" in (view.reason or "")
        assert job_of(tide, saga_id, "reserve").state is State.SUCCEEDED
        assert shop.undone["reserve"].succeeded
        assert shop.applied == set()


# --- trouble --------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", [None, "wrap", "charge"])
@pytest.mark.parametrize("call", ["claim", "conclude", "insert", "send", "keep_token", "find_token", "report", "find"])
@pytest.mark.parametrize("kind", ["crash_before", "crash_after", "throttle", "lose_answer"])
def test_whatever_call_goes_wrong_once_all_or_nothing_happens(kind, call, trouble):
    shop, registry = open_shop()
    if trouble:
        shop.before[trouble] = fails
    for after in range(0, 12, 3):
        shop.ledger.clear()
        with Harness(registry) as tide:
            saga_id = start(tide)
            getattr(tide.faults, kind)(call, after=after, by="worker")
            tide.run_for(minutes(90))
            tide.faults.forget()
            end = state(tide, saga_id)
            assert end.is_final, (kind, call, after, trouble, tide.story())
            assert shop.applied == (ALL if end is SagaState.SUCCEEDED else set()), (kind, call, after, trouble)
