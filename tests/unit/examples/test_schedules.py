"""Scheduled jobs, tried out in memory: a tick is sent when the test says so."""

from datetime import UTC, datetime

import pytest

from examples.guide.schedules import registry
from tidemill import State, days, minutes
from tidemill.domain.cron import Cron
from tidemill.testing import Harness

FRIDAY = datetime(2027, 1, 15, 17, tzinfo=UTC)


@pytest.fixture
def tide():
    with Harness(registry) as tide:
        yield tide


def test_a_tick_is_done_for_its_own_time_however_late(tide):
    job = tide.tick("books.close-day", at=FRIDAY)
    tide.advance(days(1))

    tide.drain()

    assert tide.client.result(job.id) == "closed all for 2027-01-15 17:00"


def test_the_schedule_says_with_which_arguments_and_for_whom(tide):
    job = tide.tick("books.month")

    tide.drain()

    assert tide.client.result(job.id, tenant="acme").startswith("closed fees for 2027-01-15 08:00")


def test_a_tick_that_is_sent_again_makes_no_second_job(tide):
    jobs = {tide.tick("books.poll", at=FRIDAY) for _ in range(3)}

    tide.drain()

    assert {job.ref for job in tide.jobs()} == jobs


def test_of_those_that_piled_up_the_last_one_runs(tide):
    refs = [tide.tick("books.poll", at=tide.now - minutes(5) * number) for number in range(4)]

    tide.drain()

    assert [tide.job(ref).state for ref in refs] == [State.SUCCEEDED, *[State.EXPIRED] * 3]


def test_the_times_are_those_that_the_page_says(tide):
    paris, kathmandu = (schedule.timing for _, schedule in registry.schedules[:2])

    assert isinstance(paris, Cron)
    assert isinstance(kathmandu, Cron)
    assert [fire.strftime("%a %H:%M") for fire in paris.next_fires(FRIDAY, 2)] == ["Mon 17:00", "Tue 17:00"]
    assert kathmandu.next_fires(FRIDAY, 1) == [datetime(2027, 1, 31, 21, 15, tzinfo=UTC)]
