"""The programs of docs/delays.md, run."""

from datetime import timedelta

import pytest

from examples.guide.delayed import Remind, plan, planned, postpone, remind, send_now, undo_window
from examples.guide.replying import Quote, price_of, quote
from tidemill import JobRegistry, State, days, hours, minutes, seconds
from tidemill.testing import Harness
from tidemill.testing.faults import Process


@pytest.fixture
def tide():
    with Harness(JobRegistry(remind, quote)) as tide:
        yield tide


def test_a_reminder_is_planned_and_postponed(tide):
    appointment = tide.now + days(2)
    job_id = plan(tide.client, appointment)
    postpone(tide.client, job_id, appointment + days(1))

    assert planned(tide.client) == [appointment + days(1) - timedelta(hours=1)]
    tide.run_for(days(2))
    assert tide.job(job_id).state is State.SCHEDULED
    tide.run_for(hours(23) + seconds(2))
    assert tide.client.result(job_id) == "Don't forget the dentist"


def test_what_waits_in_its_window_is_sent_now(tide):
    job_id = undo_window(tide.client)
    tide.run_for(minutes(1))
    send_now(tide.client, job_id)
    tide.drain()

    assert tide.job(job_id).state is State.SUCCEEDED
    assert [job.args for job in tide.submitted()] == [Remind(about="the letter")]


def test_a_price_is_asked_for(tide):
    def sleep(span):
        tide.run_for(seconds(span))

    tide.faults.lose_answer("insert", by=Process.CLIENT)

    assert price_of(tide.client, "pen", sleep) == "300 cents"
    assert [job.args for job in tide.submitted()] == [Quote(item="pen")]
    assert price_of(tide.client, "unicorn", sleep) == "no price: permanent"
    assert price_of(tide.client, "ship", lambda _: tide.advance(seconds(9))).startswith("look again later")
