"""Schedules made at run time, deployed: the janitor's minute makes their jobs, to the second."""

import pytest
from trials.ticking import Tick

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import Every, State, minutes
from tidemill.domain.job import JobRef
from tidemill.domain.schedule_row import TickJob

TENANT = "runtime"
# Two ticks, and the minute of the janitor before the first.
TWO_TICKS_S = 240


@pytest.mark.slow
@pytest.mark.late
def test_each_tick_makes_one_job_to_the_second_until_the_schedule_is_deleted(ground, measured):
    schedules = ground.client.schedules
    schedules.create("trial.runtime", Tick(name="runtime"), Every(minutes(1)), tenant=TENANT, overlap="skip")
    try:
        assert wait_until(lambda: schedules.get("trial.runtime", tenant=TENANT).ticks >= 3, TWO_TICKS_S)
        row = schedules.get("trial.runtime", tenant=TENANT)
        done = row.made[:2]
        ended = [ground.ended(JobRef(TENANT, row.job_id(tick))) for tick in done]
    finally:
        deleted = schedules.delete("trial.runtime", tenant=TENANT)

    assert [job.state for job in ended] == [State.SUCCEEDED] * 2
    assert done[1].at - done[0].at == 60_000
    late = [(job.started_at - tick.at) / 1_000 for job, tick in zip(ended, done, strict=True)]
    measured(f"ticks of a schedule made at run time started {min(late):.2f} to {max(late):.2f} s after their time")
    # Never before its time; how soon after it depends on what else the machine does.
    assert all(0 <= seconds < PATIENCE_S for seconds in late)
    assert row.late == 0

    # What was sent ahead is withdrawn, and nothing comes after it.
    after = [tick for tick in row.made if tick not in deleted.made]
    jobs = [ground.job(JobRef(TENANT, row.job_id(tick))) for tick in after]
    assert all(job is not None and job.state is State.CANCELLED for job in jobs)
    following = JobRef(TENANT, row.job_id(TickJob(row.made[-1].at + 60_000)))
    assert not wait_until(lambda: runs(ground.job(following)), 5)


def runs(job):
    """A tick that was made between the look and the deletion has a record that is cancelled."""
    return job is not None and job.state is not State.CANCELLED
