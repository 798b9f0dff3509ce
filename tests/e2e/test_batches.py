"""A batch on a deployed stack: every child is counted, once, and its callback knows it.

`CHILDREN=10000 python -m pytest tests/e2e/test_batches.py` is the same with as many as a batch may have.
"""

import os
import time

import pytest
from trials.fleet import Boat, FleetIn
from trials.metered import meter

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import State
from tidemill.batches import Batch

pytestmark = pytest.mark.slow
# The bound on what a child may cost above a plain job, in write units.
MOST_ABOVE = 1.2
CHILDREN = int(os.environ.get("CHILDREN", "300"))


def test_a_batch_of_many_is_counted_exactly_and_its_callback_runs_once(ground, measured):
    client, diary, began, mine = ground.client, ground.diary("fleet"), time.monotonic(), []
    boats = [Boat(diary=str(diary.path), number=number) for number in range(CHILDREN)]
    unmetered = meter(lambda _, writes: mine.append(writes))
    try:
        batch_id = client.start(Batch(boats, then=FleetIn()), key=f"fleet-{CHILDREN}").batch_id
    finally:
        unmetered()
    started = time.monotonic()

    assert wait_until(lambda: client.batches.get(batch_id).is_over, PATIENCE_S + CHILDREN / 10)

    took = time.monotonic() - began
    view = client.batches.get(batch_id)
    assert (view.succeeded, view.failed, view.cancelled) == (CHILDREN, 0, 0)
    results = [result.value for result in client.batches.results(batch_id)]
    assert results == list(range(CHILDREN))
    # The callback is kept until its turn, and the batch has a place in the due index, which it leaves.
    above = sum(mine) + sum(line["writes"] for line in diary.lines()) + 1 + 2 + 2
    measured(
        f"batch: {CHILDREN:,} children submitted in {started - began:.1f} s, all over in {took:.1f} s; "
        f"{above / CHILDREN:.3f} write units a child above those of plain jobs"
    )
    assert above <= MOST_ABOVE * CHILDREN
    (told,) = wait_for_callbacks(ground)
    assert told.state is State.SUCCEEDED
    assert told.result == f'"{CHILDREN} of {CHILDREN}"'


def wait_for_callbacks(ground):
    from tidemill.domain.job import day_of
    from tidemill.service.listing import Query

    def found():
        now_ms = ground.program.clock.now_ms()
        days = dict.fromkeys(day_of(at_ms) for at_ms in (now_ms, now_ms - 3_600_000))
        return [job for day in days for job in ground.program.listing.jobs(Query(kind="trial.fleet-in", day=day)).jobs]

    assert wait_until(lambda: any(job.state.is_final for job in found()), PATIENCE_S)
    return found()
