"""Schedules, deployed: Scheduler fires them into the lane's queue, and one tick makes one job."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from trials.ticking import tell_time

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S, STACK
from tidemill import State
from tidemill.domain.job import JobRef
from tidemill.domain.names import DEFAULT_TENANT
from tidemill.domain.tick import SCHEDULED_TIME, Tick
from tidemill.service.listing import Query

MINUTE, RARE = tell_time.schedules
# MiniStack looks every ten seconds; the first tick of a rate comes a minute after its creation.
TWO_TICKS_S = 200


@pytest.fixture
def scheduler(ground):
    return ground.cloud.client("scheduler")


def deployed(scheduler, name):
    return scheduler.get_schedule(GroupName=STACK, Name=name)


def tick_of(schedule, at):
    return Tick(schedule.title, int(at.timestamp()) * 1000)


def job_of(schedule, at):
    return JobRef(schedule.tenant, tick_of(schedule, at).job_id(schedule.tenant, tell_time.kind))


@pytest.fixture
def fire(ground, scheduler):
    """Send what the deployed schedule sends, for a time of the test's own."""

    def send(schedule, at):
        target = deployed(scheduler, schedule.title)["Target"]
        body = target["Input"].replace(SCHEDULED_TIME, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        queue = ground.program.settings.lanes["ticking"].queue_url
        ground.program.clients.sqs.send_message(QueueUrl=queue, MessageBody=body)
        assert target["Arn"].rpartition(":")[2] == queue.rpartition("/")[2]
        return job_of(schedule, at)

    return send


def ticked(ground):
    """The jobs that Scheduler made, and for which minute, newest first: those that tests made are for older times."""
    listed = ground.program.listing.jobs(Query(DEFAULT_TENANT, kind=tell_time.kind)).jobs
    told = [(job, *json.loads(job.result)) for job in listed if job.state is State.SUCCEEDED]
    assert {(name, attempt) for _, name, _, attempt in told} <= {("minute", "1")}
    ours = [(job, datetime.fromisoformat(time)) for job, _, time, _ in told]
    return [(job, at) for job, at in ours if datetime.now(UTC) - at < timedelta(hours=12)]


@pytest.mark.slow
@pytest.mark.late
def test_scheduler_fires_and_each_tick_makes_one_job(ground, measured):
    assert wait_until(lambda: len(ticked(ground)) >= 2, TWO_TICKS_S)

    ticks = ticked(ground)
    assert len({at for _, at in ticks}) == len(ticks)
    assert all(job.ref == job_of(MINUTE, at) for job, at in ticks)
    late = [job.created_at / 1000 - at.timestamp() for job, at in ticks]
    # The minute, and a worker that starts.
    assert all(0 <= seconds < 60 + PATIENCE_S for seconds in late)
    measured(f"{len(ticks)} ticks became jobs {min(late):.1f} to {max(late):.1f} s after their minute began")


def test_a_tick_that_fires_three_times_is_one_job(ground, fire):
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=400)

    refs = {fire(MINUTE, at) for _ in range(3)}

    (ref,) = refs
    job = ground.ended(ref)
    assert json.loads(job.result) == ["minute", f"{at:%Y-%m-%dT%H:%M:%SZ}", "1"]
    fire(MINUTE, at)
    assert wait_until(lambda: ground.is_empty("ticking"), PATIENCE_S)
    assert ground.job(ref) == job
    assert ground.in_dlq("ticking") == {}


def test_a_tick_that_expired_before_it_came_never_runs(ground, fire):
    now = datetime.now(UTC).replace(microsecond=0)

    late, in_time = fire(RARE, now - timedelta(hours=2)), fire(RARE, now)

    assert (ground.ended(late).state, ground.ended(late).attempt) == (State.EXPIRED, 1)
    assert json.loads(ground.ended(in_time).result)[0] == "rare <aws.scheduler.execution-id>"


def test_what_is_deployed_is_what_was_declared(scheduler):
    days, weekdays = (deployed(scheduler, f"trial.rare{half}") for half in ("", ".Weekdays"))

    assert [one["ScheduleExpression"] for one in (days, weekdays)] == list(RARE.timing.expressions)
    # MiniStack's CloudFormation loses the time zone: that is seen in the template only (docs/emulators.md).
    assert days["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 10}
    assert days["Target"] == weekdays["Target"]
    assert days["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 3600
    assert deployed(scheduler, "trial.minute")["ScheduleExpression"] == "rate(1 minute)"
