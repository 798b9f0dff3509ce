"""Jobs tried out in memory: in milliseconds, with minutes of waits between attempts."""

from datetime import date

import pytest

from examples.guide import lanes, resuming, retries, steps, telling
from examples.guide.charging import ANSWERS, Charge, charge
from examples.guide.report import BuildReport, CloseYear, build_report, close_year
from examples.guide.submitting import charge_all, charge_once
from examples.guide.waiting import AskAll, ask_all
from tidemill import JobRegistry, State, days, hours, minutes, seconds
from tidemill.errors import InputError, JobNotFoundError
from tidemill.testing import Harness, assert_succeeded


@pytest.fixture
def tide():
    with Harness(JobRegistry(charge, build_report, close_year, ask_all)) as tide:
        yield tide


def submit(tide, monkeypatch, answer):
    monkeypatch.setitem(ANSWERS, "mine", answer)
    return tide.client.submit(Charge(card="mine", cents=100)).job_id


def test_a_card_is_charged_and_the_result_kept(tide, monkeypatch):
    job_id = submit(tide, monkeypatch, "paid")

    tide.drain()

    assert tide.client.result(job_id) == f"paid under {job_id}"


def test_a_refused_card_is_not_tried_again(tide, monkeypatch):
    job_id = submit(tide, monkeypatch, "card expired")

    tide.run_for(minutes(10))

    job = tide.client.get(job_id)
    assert (job.state, job.reason, job.attempt) == (State.DEAD, "permanent", 1)
    assert tide.client.failures(job_id)[0].failure.message == "card expired"


def test_a_service_that_comes_back_is_asked_again(tide, monkeypatch):
    job_id = submit(tide, monkeypatch, "down")

    tide.drain()
    assert tide.client.get(job_id).state is State.RETRYING
    tide.run_for(seconds(10))
    assert tide.client.get(job_id).state is State.SCHEDULED  # two minutes: parked
    monkeypatch.setitem(ANSWERS, "mine", "paid")
    tide.run_for(minutes(3))

    job = tide.client.get(job_id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 3)


def test_waiting_for_a_rate_limit_costs_no_attempt(tide, monkeypatch):
    job_id = submit(tide, monkeypatch, "busy")

    tide.run_for(minutes(5))
    assert not tide.client.get(job_id).state.is_final
    monkeypatch.setitem(ANSWERS, "mine", "paid")
    tide.run_for(minutes(5))

    job = tide.client.get(job_id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)


def test_results_are_read_back_until_their_retention_is_over(tide):
    report = tide.client.submit(BuildReport(first=date(2026, 11, 22), amounts=(1, 2))).job_id
    asked = tide.client.submit(AskAll(names=("Ada", "Grace"))).job_id
    tide.drain()

    assert tide.client.result(report) == {"first": "2026-11-22", "total": 3}
    assert tide.client.result(asked) == ["Ada is well", "Grace is well"]
    tide.advance(days(8))
    with pytest.raises(JobNotFoundError):
        tide.client.get(report)


def test_a_job_runs_in_its_kinds_lane_or_in_the_one_that_a_submit_names(tide):
    assert tide.client.submit(AskAll(names=())).job.lane == "default"
    assert tide.client.submit(AskAll(names=()), lane="bulk").job.lane == "bulk"
    assert tide.client.submit(CloseYear(year=2025)).job.lane == "critical"


def test_a_lane_that_grants_too_little_time_is_refused():
    with Harness(lanes.registry) as tide:
        done = tide.run_one(lanes.Render(scene="sea"))

        assert tide.client.result(done.ref.id) == "sea.png"
        with pytest.raises(InputError, match="grants a job"):
            tide.client.submit(lanes.Render(scene="sea"), lane="default")


def test_one_job_per_key(tide):
    first = charge_once(tide.client, "order-1", 100)

    assert charge_once(tide.client, "order-1", 100) == first
    assert tide.client.get(first, tenant="acme").lane == "critical"


def test_of_many_jobs_each_has_its_own_answer(tide):
    accepted, again, refused = charge_all(tide.client, [("1", 100), ("2", 200), ("1", 999)])

    assert (len(accepted), again, len(refused)) == (2, [], 1)
    assert "other arguments" in refused[0]


def test_waits_between_attempts():
    def waits(policy, chance=1.0):
        return [policy.delay(attempt, seconds(0), lambda: chance) for attempt in range(1, policy.max_attempts)]

    assert waits(retries.DEFAULT) == [seconds(2), seconds(4), seconds(8), seconds(16)]
    assert waits(retries.EXPLICIT) == [seconds(1), seconds(5), seconds(30), *[minutes(5)] * 3]
    assert waits(retries.PATIENT) == [hours(1)] * 24
    assert waits(retries.NONE, 0.0)[:3] == [seconds(1), seconds(2), seconds(4)]
    assert waits(retries.EQUAL, 0.0)[:3] == [seconds(0.5), seconds(1), seconds(2)]
    assert waits(retries.FULL, 0.0)[:3] == [seconds(0)] * 3
    assert retries.DECORRELATED.delay(2, seconds(4), lambda: 1.0) == seconds(12)


def test_a_paid_order_is_paid_and_mailed_once(monkeypatch):
    provider = steps.Provider()
    monkeypatch.setattr(steps, "provider", provider)
    with Harness(JobRegistry(steps.pay_order)) as tide:
        tide.faults.crash_after_step("charge")
        done = tide.client.submit(steps.PayOrder(order="order-1", cents=100))
        tide.drain_until_idle()

        assert_succeeded(tide, done, {"charge_id": "ch-1", "cents": 100})
    assert (len(provider.charges), provider.mails) == (1, ["order-1: ch-1"])


def test_an_import_goes_on_in_the_next_invocation(monkeypatch):
    class Slowly(list):
        def extend(self, rows):
            tide.advance(seconds(30))
            super().extend(rows)

    monkeypatch.setattr(resuming, "imported", Slowly())
    with Harness(JobRegistry(resuming.import_rows)) as tide:
        done = tide.client.submit(resuming.ImportRows(rows=4_000))
        tide.drain_until_idle()

        # Twenty minutes of work, and no attempt was lost to the soft timeout.
        assert_succeeded(tide, done, 4_000)
        assert (tide.job(done).attempt, tide.failures(done)) == (1, [])
    assert resuming.imported == list(range(4_000))


def test_a_death_is_told_once():
    telling.told.clear()
    with Harness(telling.registry) as tide:
        tide.client.submit(telling.Charge(customer="ada"))
        tide.drain_until_idle()

    assert telling.told == ["guide.charge died: permanent"]
