"""Jobs tried out in memory: in milliseconds, with minutes of waits between attempts."""

from datetime import date

import pytest

from examples.guide import lanes, retries
from examples.guide.charging import ANSWERS, Charge, charge
from examples.guide.in_memory import MemoryLane
from examples.guide.remembering import idempotency_table
from examples.guide.report import BuildReport, CloseYear, build_report, close_year
from examples.guide.submitting import charge_all, charge_once
from examples.guide.waiting import AskAll, ask_all
from tidemill import JobRegistry, State, days, hours, minutes, seconds
from tidemill.errors import InputError, JobNotFoundError
from tidemill.settings import LaneSettings, RuntimeSettings


@pytest.fixture
def lane():
    return MemoryLane(JobRegistry(charge, build_report, close_year, ask_all))


def submit(lane, monkeypatch, answer):
    monkeypatch.setitem(ANSWERS, "mine", answer)
    return lane.client.submit(Charge(card="mine", cents=100)).job_id


def test_a_card_is_charged_and_the_result_kept(lane, monkeypatch):
    job_id = submit(lane, monkeypatch, "paid")

    lane.work()

    assert lane.client.result(job_id) == f"paid under {job_id}"


def test_a_refused_card_is_not_tried_again(lane, monkeypatch):
    job_id = submit(lane, monkeypatch, "card expired")

    lane.wait(minutes(10))

    job = lane.client.get(job_id)
    assert (job.state, job.reason, job.attempt) == (State.DEAD, "permanent", 1)
    assert lane.client.failures(job_id)[0].failure.message == "card expired"


def test_a_service_that_comes_back_is_asked_again(lane, monkeypatch):
    job_id = submit(lane, monkeypatch, "down")

    lane.work()
    assert lane.client.get(job_id).state is State.RETRYING
    lane.wait(seconds(10))
    assert lane.client.get(job_id).state is State.SCHEDULED  # two minutes: parked
    monkeypatch.setitem(ANSWERS, "mine", "paid")
    lane.wait(minutes(3))

    job = lane.client.get(job_id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 3)


def test_waiting_for_a_rate_limit_costs_no_attempt(lane, monkeypatch):
    job_id = submit(lane, monkeypatch, "busy")

    lane.wait(minutes(5))
    assert not lane.client.get(job_id).state.is_final
    monkeypatch.setitem(ANSWERS, "mine", "paid")
    lane.wait(minutes(5))

    job = lane.client.get(job_id)
    assert (job.state, job.attempt) == (State.SUCCEEDED, 1)


def test_results_are_read_back_until_their_retention_is_over(lane):
    report = lane.client.submit(BuildReport(first=date(2026, 11, 22), amounts=(1, 2))).job_id
    asked = lane.client.submit(AskAll(names=("Ada", "Grace"))).job_id
    lane.work()

    assert lane.client.result(report) == {"first": "2026-11-22", "total": 3}
    assert lane.client.result(asked) == ["Ada is well", "Grace is well"]
    lane.clock.advance(days(8))
    with pytest.raises(JobNotFoundError):
        lane.client.get(report)


def test_a_job_runs_in_its_kinds_lane_or_in_the_one_that_a_submit_names(lane):
    assert lane.client.submit(AskAll(names=())).job.lane == "default"
    assert lane.client.submit(AskAll(names=()), lane="bulk").job.lane == "bulk"
    assert lane.client.submit(CloseYear(year=2025)).job.lane == "critical"


def test_a_lane_that_grants_too_little_time_is_refused():
    gpu = MemoryLane(lanes.registry, "gpu")
    done = gpu.client.submit(lanes.Render(scene="sea")).job_id
    gpu.work()

    assert gpu.client.result(done) == "sea.png"
    with pytest.raises(InputError, match="grants a job"):
        gpu.client.submit(lanes.Render(scene="sea"), lane="default")


def test_one_job_per_key(lane):
    first = charge_once(lane.client, "order-1", 100)

    assert charge_once(lane.client, "order-1", 100) == first
    assert lane.client.get(first, tenant="acme").lane == "critical"


def test_of_many_jobs_each_has_its_own_answer(lane):
    accepted, again, refused = charge_all(lane.client, [("1", 100), ("2", 200), ("1", 999)])

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


def test_the_idempotency_table_is_in_the_environment():
    settings = RuntimeSettings(
        stack="s", table="t", lanes={"bulk": LaneSettings(queue_url="q", dlq_url="d")}, idempotency_table="records"
    )

    assert idempotency_table(settings.to_env()) == settings.to_env()["TIDEMILL_IDEMPOTENCY_TABLE"] == "records"
