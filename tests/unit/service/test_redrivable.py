"""What never runs again, whoever asks: a step whose saga is over, and a job whose lane was taken away."""

import pytest

from tests.builders import Greet
from tests.unit.service.conftest import PERMANENT, Slow, raising
from tests.unit.service.test_desk_care import working
from tidemill import days, hours
from tidemill.domain.closing import closed
from tidemill.domain.errors import JobStateError
from tidemill.domain.lifecycle import State
from tidemill.service.bulk import Care
from tidemill.service.canary import CanaryEnded
from tidemill.service.dead_filter import Filter
from tidemill.service.editing import Edit
from tidemill.service.manner import RESUME, Manner, Mode
from tidemill.service.redriving import NotRedriven, Redriven

RESTART = Manner(Mode.RESTART)
WAYS = {
    "redrive": lambda desk, job: desk.redrive(job.ref),
    "restart": lambda desk, job: desk.redrive(job.ref, RESTART),
    "edit": lambda desk, job: desk.edit(job.ref, Edit({"name": "eve"})),
    "dry run": lambda desk, job: desk.inspection.foresee(desk.inspection.dead(job.ref), RESUME),
    "dry run of an edit": lambda desk, job: desk.inspection.foresee_edit(job.ref, Edit({"name": "eve"})),
}


def take_away(world, lane):
    """A deployment without this lane: its queues are gone, the records of its jobs are not."""
    del world.queues._queues[lane], world.queues._dlqs[lane]
    world.lanes = tuple(name for name in world.lanes if name != lane)
    world.build(world.store, world.queues)


def close(world, job):
    """What the closer does once the saga is undone."""
    world.store.jobs[job.ref] = closed(world.job(job))
    return world.job(job)


@pytest.fixture
def closed_job(world):
    return close(world, world.kill())


@pytest.fixture
def left_behind(world):
    job = world.submit(Greet(), lane="bulk")
    world.does.append(raising(PERMANENT))
    world.invoke("bulk")
    assert world.state(job) is State.DEAD
    take_away(world, "bulk")
    return world.job(job)


@pytest.mark.parametrize("way", WAYS)
def test_a_step_whose_saga_is_over_is_refused_in_every_way(world, closed_job, way):
    with pytest.raises(JobStateError, match="its saga is over; start another saga"):
        WAYS[way](world.desk, closed_job)

    assert (world.job(closed_job), world.trail.entries) == (closed_job, {})


@pytest.mark.parametrize("way", WAYS)
def test_a_job_whose_lane_is_gone_is_refused_in_every_way(world, left_behind, way):
    with pytest.raises(JobStateError, match="the stack has no lane 'bulk' any more; deploy one of that name"):
        WAYS[way](world.desk, left_behind)

    assert (world.job(left_behind), world.trail.entries) == (left_behind, {})


@pytest.mark.parametrize("manner", [RESUME, RESTART])
def test_of_many_those_that_can_not_run_stop_no_other(world, left_behind, closed_job, manner):
    sound = world.kill()

    told = list(world.desk.redrive_all([left_behind, closed_job, sound], manner))

    assert [(type(one), one.ref) for one in told] == [
        (NotRedriven, left_behind.ref),
        (NotRedriven, closed_job.ref),
        (Redriven, sound.ref),
    ]


@pytest.mark.parametrize("by_lane", [True, False])
def test_a_step_whose_saga_is_over_is_no_canary(world, closed_job, by_lane):
    sound = world.kill()
    world.clock.advance(days(1))
    working(world)

    if by_lane:
        told = list(world.desk.redrive_lanes(("default",), Care(canary=1)))
    else:
        jobs, _ = world.desk.inspection.choose(Filter(lane="default"))
        told = list(world.desk.redrive_all(jobs, RESUME, Care(canary=1)))

    assert CanaryEnded(well=(sound.ref,)) in told
    assert world.job(closed_job) == closed_job


def test_a_parked_job_whose_lane_is_gone_keeps_no_other_waiting(world):
    behind = world.submit(Slow(), delay=hours(1))
    sound = world.submit(delay=hours(1))
    take_away(world, "bulk")
    world.clock.advance(hours(1))

    assert world.janitor.sweep() == 1
    assert (world.state(behind), world.state(sound)) == (State.SCHEDULED, State.QUEUED)
    assert world.telemetry.events("alert") == ["parked_without_lane"]


def test_a_job_whose_lane_is_gone_is_not_moved(world):
    behind = world.submit(Slow(), delay=hours(1))
    take_away(world, "bulk")

    with pytest.raises(JobStateError, match=r"it can't be moved\. Fix: the stack has no lane 'bulk' any more"):
        world.client.move(behind.ref.id, delay=hours(2))

    assert world.job(behind) == behind
