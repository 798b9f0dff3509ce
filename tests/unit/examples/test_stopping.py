"""The guide's job that gives the money back when it is asked to stop."""

import pytest

from examples.guide import stopping
from tidemill import JobRegistry, State, seconds
from tidemill.testing import Harness, assert_state, assert_succeeded


@pytest.fixture
def tide():
    stopping.ASKED.clear()
    with Harness(JobRegistry(stopping.ship)) as tide:
        yield tide


def test_what_nobody_stops_is_charged_and_shipped(tide):
    assert_succeeded(tide, tide.run_one(stopping.Ship(order="1", cents=100)))

    assert stopping.ASKED == ["charge 100", "ship 1"]


@pytest.mark.parametrize("dies", [None, "charge", "refund"])
def test_what_is_stopped_gives_the_money_back_although_a_worker_dies(tide, monkeypatch, dies):
    ask = stopping.ask

    def asked(what, key):
        answer = ask(what, key)
        if what.startswith("charge"):
            tide.client.cancel(sent.job_id)
            tide.advance(seconds(5))
        return answer

    monkeypatch.setattr(stopping, "ask", asked)
    if dies:
        tide.faults.crash_inside_step(dies)
    sent = tide.client.submit(stopping.Ship(order="1", cents=100))
    tide.drain_until_idle()

    refund = f"refund {sent.job_id}/charge"
    assert_state(tide, sent, State.CANCELLED)
    assert ["charge 100", refund, *([refund] if dies == "refund" else [])] == stopping.ASKED
