"""The guide's job that waits for approval, on the virtual clock."""

import pytest

from examples.guide import approving
from examples.guide.approving import Decision, Release
from tidemill import JobRegistry, State, days, hours
from tidemill.errors import AnswerLateError
from tidemill.testing import Harness, assert_state, assert_succeeded


@pytest.fixture
def tide():
    approving.SENT.clear()
    with Harness(JobRegistry(approving.release)) as tide:
        yield tide


@pytest.fixture
def waiting(tide):
    job = tide.run_one(Release(order=7, cents=95_000))
    assert_state(tide, job, State.SCHEDULED)
    return job


def test_an_approved_order_is_shipped_at_once(tide, waiting):
    tide.run_for(hours(5))
    tide.client.answer(waiting.ref.id, "approval", Decision(granted=True), by="ada")
    tide.drain()

    assert_succeeded(tide, waiting)
    assert tide.client.result(waiting.ref.id) == "shipped order 7"
    assert len(approving.SENT) == 1


def test_a_refused_order_is_not_shipped(tide, waiting):
    tide.client.answer(waiting.ref.id, "approval", {"granted": False, "note": "too dear"})
    tide.drain()

    assert tide.client.result(waiting.ref.id) == "refused: too dear"


def test_the_approver_is_reminded_and_after_three_days_it_is_too_late(tide, waiting):
    tide.run_for(days(2) + hours(1))
    assert approving.SENT[1:] == ["reminder 1 of order 7", "reminder 2 of order 7"]
    tide.run_for(days(1))

    assert tide.client.result(waiting.ref.id) == "nobody answered: kept"
    with pytest.raises(AnswerLateError):
        tide.client.answer(waiting.ref.id, "approval", {"granted": True})
    assert tide.calls(waiting).reminders == [("approval", 1), ("approval", 2)]


def test_an_answer_may_come_first(tide):
    job = tide.client.submit(Release(order=7, cents=1))
    tide.client.answer(job.job_id, "approval", {"granted": True})
    tide.drain()

    assert tide.client.result(job.job_id) == "shipped order 7"


@pytest.mark.parametrize("call", ["answer", "find", "wait_of"])
def test_an_answer_that_its_sender_repeats_is_given_once(tide, waiting, call):
    tide.faults.lose_answer(call, by="client")
    with pytest.raises(Exception, match="unavailable"):
        tide.client.answer(waiting.ref.id, "approval", {"granted": True})
    tide.client.answer(waiting.ref.id, "approval", {"granted": True})
    tide.drain_until_idle()

    assert tide.client.result(waiting.ref.id) == "shipped order 7"


@pytest.mark.parametrize("call", ["ask", "wait_of", "conclude", "open"])
@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "throttle"])
def test_a_worker_in_trouble_before_it_waits_waits_all_the_same(tide, call, fault):
    getattr(tide.faults, fault)(call, by="worker")
    job = tide.client.submit(Release(order=7, cents=1))
    tide.run_for(hours(3))
    assert_state(tide, job, State.SCHEDULED)
    tide.client.answer(job.job_id, "approval", {"granted": True})
    tide.drain_until_idle()

    assert tide.client.result(job.job_id) == "shipped order 7"


@pytest.mark.parametrize("call", ["wait_of", "remember", "conclude"])
@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_worker_that_dies_with_the_answer_in_hand_is_followed_by_one_that_has_it(tide, waiting, call, fault):
    getattr(tide.faults, fault)(call, by="worker")
    tide.client.answer(waiting.ref.id, "approval", {"granted": True})
    tide.drain_until_idle()

    assert tide.client.result(waiting.ref.id) == "shipped order 7"
