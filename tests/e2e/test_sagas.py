"""Sagas on a deployed stack: one that happens, one that is undone, one that is cancelled too late, and one key."""

import pytest
from trials.selling import Order

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill.domain.saga_state import SagaState
from tidemill.errors import SagaStateError

pytestmark = pytest.mark.slow
NAME = "trial.place-order"
TENANT = "acme"


def ended(ground, saga_id):
    seen = []

    def is_over():
        seen[:] = [ground.program.sagas.get(NAME, saga_id, TENANT)]
        return seen[0].state.is_final or seen[0].state is SagaState.NEEDS_ATTENTION

    assert wait_until(is_over, 2 * PATIENCE_S), seen
    return seen[0]


def test_a_saga_happens(ground, measured):
    diary = ground.diary("saga-happens")
    order = Order(diary=str(diary.path), name="it", cents=5)

    receipt = ground.program.sagas.start(NAME, order, key="happens", tenant=TENANT)
    view = ended(ground, receipt.saga_id)

    assert view.state is SagaState.SUCCEEDED, view
    assert [line["word"] for line in diary.lines()] == ["booked", "paid", "sent"]
    assert "booking " in diary.lines("sent")[0]["receipt"]
    again = ground.program.sagas.start(NAME, order, key="happens", tenant=TENANT)
    assert (again.saga_id, again.created) == (receipt.saga_id, False)
    with pytest.raises(SagaStateError, match="nothing is left to cancel"):
        ground.program.sagas.cancel(NAME, receipt.saga_id, TENANT)
    entered = [event.state for event in ground.program.sagas.history(NAME, receipt.saga_id, TENANT) if event.state]
    assert set(entered) == {"where to begin", "book", "pay", "send"}
    took = (view.execution.stopped_at or 0) - view.execution.started_at
    measured(f"a saga of three steps took {took:,} ms")


def test_a_saga_whose_pivot_fails_is_undone(ground):
    diary = ground.diary("saga-undone")
    order = Order(diary=str(diary.path), name="it", cents=0)

    receipt = ground.program.sagas.start(NAME, order, tenant=TENANT)
    view = ended(ground, receipt.saga_id)

    assert view.state is SagaState.COMPENSATED, view
    assert [line["word"] for line in diary.lines()] == ["booked", "cancelled"]
    assert diary.lines("cancelled")[0]["succeeded"] is True
    dead = next(part.job for part in view.parts if part.step == "pay" and part.job is not None)
    assert (dead.state, dead.reason) == ("dead", "saga_over")


def test_a_saga_whose_execution_was_stopped_goes_on_where_it_was(ground):
    diary = ground.diary("saga-stopped")
    order = Order(diary=str(diary.path), name="it", cents=5)
    program = ground.program

    receipt = program.sagas.start(NAME, order, tenant=TENANT)
    history = lambda: {event.state for event in program.sagas.history(NAME, receipt.saga_id, TENANT)}  # noqa: E731
    assert wait_until(lambda: "book" in history(), PATIENCE_S)
    machine = program.settings.sagas[NAME].replace(":stateMachine:", ":execution:")
    program.clients.step_functions.stop_execution(executionArn=f"{machine}:{receipt.saga_id}-g1")
    assert program.sagas.get(NAME, receipt.saga_id, TENANT).state is SagaState.NEEDS_ATTENTION
    program.sagas.acting_as("ann").resume(NAME, receipt.saga_id, TENANT)
    view = ended(ground, receipt.saga_id)

    assert (view.state, view.generation) == (SagaState.SUCCEEDED, 2), view
    assert [line["word"] for line in diary.lines()] == ["booked", "paid", "sent"]
    assert "go on" in history()
    trail = program.desk.trail(tenant=TENANT).entries
    assert ("ann", "resume") in {(one.actor, one.action) for one in trail}


def test_a_saga_that_is_cancelled_at_once_leaves_nothing(ground):
    diary = ground.diary("saga-cancelled")
    order = Order(diary=str(diary.path), name="it", cents=5)

    receipt = ground.program.sagas.start(NAME, order, tenant=TENANT)
    ground.program.sagas.cancel(NAME, receipt.saga_id, TENANT)
    view = ended(ground, receipt.saga_id)

    assert (view.state, view.cancelled) == (SagaState.COMPENSATED, True), view
    assert not diary.lines("paid")
    assert len(diary.lines("booked")) == len(diary.lines("cancelled"))
