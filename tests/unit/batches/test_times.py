"""Children and callbacks that start at a time: one that has passed is refused with the whole flow, or not at all."""

from __future__ import annotations

import pytest

from tests.unit.batches.conftest import Flock, Plain, Work
from tidemill import Submission, days, minutes, seconds
from tidemill.batches import Batch, BatchState, Chain, Graph
from tidemill.errors import InputError, KeyConflictError
from tidemill.testing import Crashed, Process


def at(flock: Flock, span, n: int = 2) -> Submission:
    """A job that starts so long from now."""
    return Submission(Work(n=n), run_at=flock.tide.now + span)


PAST = days(-3)
LATE = {
    "children[1].run_at": lambda flock: Batch([Work(n=1), at(flock, PAST)]),
    "steps[1].run_at": lambda flock: Chain(Work(n=1), at(flock, PAST)),
    "steps[0].run_at": lambda flock: Chain(at(flock, PAST), Work(n=1)),
    "nodes.x.run_at": lambda flock: Graph({"x": at(flock, PAST)}),
    "then.run_at": lambda flock: Batch([Work(n=1)], then=at(flock, PAST)),
    "on_failure.run_at": lambda flock: Batch([Work(n=1)], on_failure=at(flock, PAST)),
    "steps[1].children[0].run_at": lambda flock: Chain(Work(n=1), Batch([at(flock, PAST)])),
}


@pytest.mark.parametrize("key", ["k", None])
@pytest.mark.parametrize("field", LATE)
def test_a_moment_that_has_passed_is_named_and_nothing_is_written(flock, field, key):
    with pytest.raises(InputError, match="is in the past") as caught:
        flock.client.start(LATE[field](flock), key=key)

    assert [violation.field for violation in caught.value.violations] == [field]
    assert flock.tide.jobs() == []
    assert flock.store.records == {}
    assert flock.store.held == {}
    assert flock.client.start(Batch([Work(n=1)]), key=key).created


def test_ten_of_them_are_named_together(flock):
    with pytest.raises(InputError) as caught:
        flock.client.start(Batch([at(flock, PAST) for _ in range(12)]))

    assert [violation.field for violation in caught.value.violations] == [f"children[{i}].run_at" for i in range(10)]


def test_one_that_has_just_passed_is_now(flock):
    assert flock.run(Batch([at(flock, seconds(-20))])).state is BatchState.SUCCEEDED


@pytest.mark.parametrize("sort", [Batch, lambda jobs: Chain(*jobs)], ids=["batch", "chain"])
def test_a_repeat_is_answered_whatever_the_time_is_by_then(flock, sort):
    flow = sort([Work(n=1), at(flock, minutes(10))])
    first = flock.client.start(flow, key="k")
    for span in (seconds(10 * 60 + 5), days(1)):
        flock.tide.run_for(span)
        again = flock.client.start(flow, key="k")
        assert (again.created, again.batch_id) == (False, first.batch_id)
    assert flock.ran == [1, 2]


def test_a_moment_that_was_now_is_the_same_moment_later(flock):
    flow = Batch([at(flock, seconds(-20))], then=Submission(Plain(name="x"), run_at=flock.tide.now))
    flock.client.start(flow, key="k")
    flock.tide.run_for(minutes(5))

    assert not flock.client.start(flow, key="k").created


def test_a_submit_goes_on_after_the_time_of_a_child_and_starts_it_at_once():
    flock = Flock()
    flow = Batch([Work(n=1)] * 500 + [at(flock, minutes(10))])
    flock.tide.faults.crash_after("advance", by=Process.CLIENT)
    with pytest.raises(Crashed):
        flock.client.start(flow, key="k")
    flock.tide.drain(limit=5_000)
    flock.tide.run_for(minutes(30))
    client = flock.tide._stack.client()
    assert client.start(flow, key="k").batch.submitted == 501
    flock.tide.drain(limit=5_000)

    assert flock.ran.count(2) == 1


def test_another_moment_is_another_flow(flock):
    flock.client.start(Batch([at(flock, minutes(10))]), key="k")

    for flow in (Batch([at(flock, minutes(11))]), Batch([at(flock, PAST)])):
        with pytest.raises(KeyConflictError, match=r"already belongs to batch .* Fix: start the same flow"):
            flock.client.start(flow, key="k")
