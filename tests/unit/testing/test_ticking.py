"""`Harness.tick` sends what EventBridge Scheduler would send."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from tidemill import Cron, JobArgs, JobRegistry, Schedule, State, job
from tidemill.testing import Harness, context

NINE = datetime(2027, 1, 15, 9, tzinfo=UTC)


class Report(JobArgs, kind="test.report"):
    depth: int = 1


@job(Report, lane="bulk", schedule=Schedule(Cron("@daily"), args=Report(depth=3), tenant="acme"))
def report(args, ctx):
    return [args.depth, ctx.scheduled_at and ctx.scheduled_at.isoformat()]


@pytest.fixture
def tide():
    with Harness(JobRegistry(report)) as tide:
        yield tide


def test_it_is_a_job_of_the_kinds_lane_and_the_schedules_tenant(tide):
    ref = tide.tick("test.report", at=NINE)

    tide.drain()

    job = tide.job(ref)
    assert (job.state, job.lane, ref.tenant) == (State.SUCCEEDED, "bulk", "acme")
    assert tide.client.result(ref.id, tenant="acme") == [3, "2027-01-15T09:00:00+00:00"]


def test_one_moment_is_one_tick_in_every_zone(tide):
    here = NINE.astimezone(timezone(timedelta(hours=5, minutes=45)))

    assert tide.tick("test.report", at=here) == tide.tick("test.report", at=NINE.replace(microsecond=1))


def test_it_is_this_minutes_unless_said_otherwise(tide):
    tide.advance(timedelta(seconds=59))

    assert tide.tick("test.report") == tide.tick("test.report", at=tide.now - timedelta(seconds=59))


def test_what_can_not_be_is_said(tide):
    with pytest.raises(AssertionError, match=r"no schedule 'nightly'; the registry has test.report"):
        tide.tick("nightly")
    with pytest.raises(AssertionError, match="has no time zone"):
        tide.tick("test.report", at=NINE.replace(tzinfo=None))


def test_a_function_alone_is_told_its_time():
    ctx = context(report, scheduled_at_ms=int(NINE.timestamp() * 1000))

    assert report(Report(), ctx) == [1, "2027-01-15T09:00:00+00:00"]
    assert ctx.next_attempt().scheduled_at == NINE
    assert context(report).scheduled_at is None
