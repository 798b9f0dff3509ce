"""A dependency that is down for a while."""

import pytest

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import State

pytestmark = pytest.mark.slow
LEAST_S = 20
# Four receives of one message; after the last of them the table keeps the job.
LEAST_DEFERRALS = 4


def test_an_outage_costs_no_attempt_and_its_job_succeeds_afterwards(ground, outage, measured):
    """The job has one attempt and needs all receives of its message: it is parked, and sent again by the janitor."""
    seen = []

    def has_waited_long_and_is_parked() -> bool:
        seen[:] = [ground.job(outage.ref)]
        return outage.lasted_s >= LEAST_S and seen[0].deferrals >= LEAST_DEFERRALS and seen[0].state is State.SCHEDULED

    assert wait_until(has_waited_long_and_is_parked, LEAST_S + PATIENCE_S), seen
    (parked,) = seen
    assert (parked.attempt, parked.crashes, parked.reason) == (0, 0, "unavailable")
    assert outage.ref not in ground.in_dlq("default")

    outage.end()
    measured(f"an outage of {outage.lasted_s:.0f} s: {parked.deferrals} deferrals, {parked.attempt} attempts")
    ground.sweep()

    job = ground.ended(outage.ref)
    assert (job.state, job.attempt, job.generation, job.result) == (State.SUCCEEDED, 1, 1, "1")
    assert len(ground.diary("outage").lines("calls")) == job.deferrals + 1
