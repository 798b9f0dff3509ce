"""Schedules made at run time, tried out in memory: they tick by the virtual clock."""

from datetime import UTC, datetime

import pytest

from examples.guide.runtime_schedules import about_stock, registry, subscribe
from tidemill import State, days, hours
from tidemill.errors import StaleVersionError
from tidemill.testing import Harness


@pytest.fixture
def tide():
    with Harness(registry, now=datetime(2027, 3, 26, 12, tzinfo=UTC)) as tide:
        yield tide


def results(tide):
    return [tide.client.result(job.ref.id, "acme") for job in tide.jobs() if job.state is State.SUCCEEDED]


def test_a_report_comes_every_morning_and_the_clocks_may_move(tide):
    subscribe(tide.client, "ada", "acme")

    tide.run_for(days(4))

    # In the night to the 28th Paris goes over to summer time.
    assert [job.started_at for job in tide.jobs()] == [
        int(datetime(2027, 3, day, hour, tzinfo=UTC).timestamp() * 1_000) + 1
        for day, hour in ((27, 6), (28, 5), (29, 5), (30, 5))
    ]
    assert results(tide)[0] == "sales of ada for 2027-03-27"


def test_a_change_holds_from_the_next_tick_on(tide):
    version = subscribe(tide.client, "ada", "acme")
    tide.run_for(days(1))
    about_stock(tide.client, "ada", "acme", version)
    tide.run_for(days(1))

    assert results(tide) == ["sales of ada for 2027-03-27", "stock of ada for 2027-03-28"]
    with pytest.raises(StaleVersionError, match="in version 2, last changed by tester"):
        about_stock(tide.client, "ada", "acme", version)


def test_a_day_that_was_missed_is_filled_in(tide):
    subscribe(tide.client, "ada", "acme")
    start, end = datetime(2027, 3, 20, tzinfo=UTC), datetime(2027, 3, 26, tzinfo=UTC)

    assert tide.client.schedules.backfill("report.ada", start, end, tenant="acme", dry_run=True).created == 6
    tide.client.schedules.backfill("report.ada", start, end, tenant="acme")
    tide.run_for(hours(1))

    assert len(results(tide)) == 6


def test_a_report_now_is_of_today(tide):
    subscribe(tide.client, "ada", "acme")

    tide.client.schedules.trigger("report.ada", tenant="acme")
    tide.drain()

    assert results(tide) == ["sales of ada for 2027-03-26"]
