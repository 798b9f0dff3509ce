"""Reading, listing and cancelling."""

import json
from datetime import timedelta

import pytest

from tidemill.domain.errors import UnavailableError
from tidemill.domain.failure import Failure
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Bury, Complete
from tidemill.domain.ports import Unwritten

NEVER = 4_000_000_000_000
BOOM = Failure("ValueError", "boom", "trace", "f" * 16)
UUID = "0190a5b0-0000-7000-8000-000000000000"


def test_a_succeeded_job_comes_with_its_result(world):
    ref = world.submitted(key="k")
    world.concluded(ref, Complete('{"url":"s3://b/ü","n":[1,null]}', NEVER))
    job = world.call("GET", f"/jobs/{ref.id}").json
    assert job["result"] == {"url": "s3://b/ü", "n": [1, None]}
    assert (job["state"], job["attempt"], job["finished_at"]) == ("succeeded", 1, "2027-01-15T08:00:00.001Z")
    assert "failures" not in job


def test_a_job_that_returned_nothing_has_a_null_result(world):
    ref = world.submitted()
    world.concluded(ref, Complete(None, NEVER))
    assert world.call("GET", f"/jobs/{ref.id}").json["result"] is None


def test_a_job_without_end_has_no_result(world):
    job = world.call("GET", f"/jobs/{world.submitted().id}").json
    assert "result" not in job
    assert "failures" not in job


def test_failures_are_answered_when_asked_for(world):
    job = world.call("GET", f"/jobs/{world.submitted().id}?failures=true").json
    assert job["failures"] == []


def test_a_dead_job_always_comes_with_its_failures(world):
    ref = world.submitted()
    world.concluded(ref, Bury("permanent", BOOM, NEVER))
    job = world.call("GET", f"/jobs/{ref.id}").json
    assert (job["state"], job["reason"], job["error"]) == ("dead", "permanent", "f" * 16)
    assert [failure["message"] for failure in job["failures"]] == ["boom"]


def test_the_latest_hundred_failures_are_enough(world):
    ref = world.submitted()
    world.concluded(ref, Bury("permanent", BOOM, NEVER))
    world.store.failures[ref] *= 300
    assert len(world.call("GET", f"/jobs/{ref.id}").json["failures"]) == 100


def test_a_running_job_has_no_due_time(world):
    ref = world.submitted()
    world.running(ref)
    job = world.call("GET", f"/jobs/{ref.id}").json
    assert (job["state"], job["due_at"], job["started_at"]) == ("running", None, "2027-01-15T08:00:00.001Z")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_job_that_is_not_there_is_404(world, method):
    answer = world.call(method, f"/jobs/{UUID}")
    assert (answer.status, answer.json["code"], answer.json["job_id"]) == (404, "job_not_found", UUID)


def test_a_job_whose_retention_is_over_is_404(world):
    ref = world.submitted()
    world.concluded(ref, Complete(None, world.clock.now_ms() + 10))
    assert world.call("GET", f"/jobs/{ref.id}").status == 200
    world.clock.advance(timedelta(seconds=1))
    assert world.call("GET", f"/jobs/{ref.id}").status == 404


def test_a_waiting_job_is_cancelled_once_and_for_all(world):
    ref = world.submitted()
    for _ in range(2):
        answer = world.call("DELETE", f"/jobs/{ref.id}")
        assert (answer.status, answer.json["state"]) == (200, "cancelled")
    assert world.store.jobs[ref].state is State.CANCELLED


def test_a_running_job_is_asked_to_stop(world):
    ref = world.submitted()
    world.running(ref)
    for _ in range(2):
        answer = world.call("DELETE", f"/jobs/{ref.id}")
        assert (answer.status, answer.json["state"], answer.json["cancel_asked"]) == (202, "running", True)
    assert world.store.jobs[ref].cancel_asked


def test_a_running_job_is_killed(world):
    ref = world.submitted()
    world.running(ref)
    answer = world.call("DELETE", f"/jobs/{ref.id}?kill=true")
    assert (answer.status, answer.json["state"], answer.json["reason"]) == (200, "cancelled", "killed")


def test_a_finished_job_is_not_cancelled(world):
    done = world.submitted()
    world.concluded(done, Complete(None, NEVER))
    for query in ("", "?kill=true"):
        assert world.call("DELETE", f"/jobs/{done.id}{query}").status == 409
    assert world.store.jobs[done].state is State.SUCCEEDED


class TestCancelByFilter:
    def test_a_page_of_scheduled_jobs(self, world):
        refs = {world.submitted(delay_seconds=86_400 + i).id for i in range(3)}
        other = world.submitted()
        foreseen = world.call("DELETE", "/jobs?state=scheduled&dry_run=true").json
        assert set(foreseen["cancelled"]) == refs
        assert {job.state for job in world.store.jobs.values()} == {State.SCHEDULED, State.QUEUED}

        done = world.call("DELETE", "/jobs?state=scheduled").json

        assert (set(done["cancelled"]), done["asked"], done["cursor"]) == (refs, [], None)
        assert world.store.jobs[other].state is State.QUEUED
        assert world.call("DELETE", "/jobs?state=scheduled").json["cancelled"] == []

    def test_of_one_kind_whatever_their_state(self, world):
        waiting, running, done = world.submitted(), world.submitted(), world.submitted()
        world.running(running)
        world.concluded(done, Complete(None, NEVER))

        answer = world.call("DELETE", "/jobs?kind=loose").json

        assert (answer["cancelled"], answer["asked"], answer["over"]) == ([waiting.id], [running.id], [done.id])

    def test_what_aws_did_not_answer_for_is_named(self, world, monkeypatch):
        ref = world.submitted(delay_seconds=86_400)
        error = UnavailableError("cancel", "ThrottlingException")
        monkeypatch.setattr(world.store, "move", lambda verb, before, after: Unwritten(error))
        assert world.call("DELETE", "/jobs?state=scheduled").json["unanswered"] == [ref.id]

    @pytest.mark.parametrize("query", ["", "?state=dead", "?state=running", "?kind=loose&kill=yes", "?nothing=1"])
    def test_a_bad_filter_cancels_nothing(self, world, query):
        ref = world.submitted()
        assert world.call("DELETE", f"/jobs{query}").status == 400
        assert world.store.jobs[ref].state is State.QUEUED


def test_jobs_are_listed_by_state_page_by_page(world):
    refs = {world.submitted(delay_seconds=86_400 + i).id for i in range(5)}
    seen, target = [], "/jobs?state=scheduled&limit=2"
    cursor = ""
    for _ in range(3):
        page = world.call("GET", target + cursor).json
        seen += [job["id"] for job in page["jobs"]]
        cursor = f"&cursor={page['cursor']}"
    assert page["cursor"] is None
    assert len(seen) == 5
    assert set(seen) == refs


def test_jobs_are_listed_by_kind_and_day(world):
    ref = world.submitted()
    world.submitted(kind="blob", args={"text": "x"})
    assert [job["id"] for job in world.call("GET", "/jobs?kind=loose").json["jobs"]] == [ref.id]
    assert world.call("GET", "/jobs?kind=loose&day=2027-01-15").json["jobs"] != []
    assert world.call("GET", "/jobs?kind=loose&day=2027-01-14").json["jobs"] == []
    assert world.call("GET", "/jobs?state=dead&kind=loose").json["jobs"] == []


def test_a_result_is_nobodys_to_cache(world):
    answer = world.call("GET", f"/jobs/{world.submitted().id}")
    assert answer.headers["Cache-Control"] == "no-store"
    assert json.loads(answer.text)["link"]
