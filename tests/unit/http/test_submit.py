"""Submitting one job, and many."""

import pytest

from tidemill.domain.envelope import decode
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.strict_json import load_strict

LOOSE = {"kind": "loose", "args": {"anything": {"ü": [1, None, "𝄞"]}}}


def sent(world, lane="default"):
    return [decode(load_strict(delivery.body, "body")) for delivery in world.queues.receive(lane)]


def test_a_job_is_accepted_with_its_link(world):
    answer = world.call("POST", "/jobs", LOOSE)
    assert answer.status == 202
    assert answer.json["state"] == "queued"
    assert answer.json["created"] is True
    assert answer.headers["Location"] == answer.json["link"] == f"/jobs/{answer.json['id']}"
    assert world.call("GET", answer.json["link"]).json["id"] == answer.json["id"]
    assert [envelope.ref.id for envelope in sent(world)] == [answer.json["id"]]
    assert world.telemetry.counts["JobsSubmitted"] == 1


def test_a_body_in_base64_is_the_same_job(world):
    plain = world.call("POST", "/jobs", {**LOOSE, "key": "k"})
    again = world.call("POST", "/jobs", {**LOOSE, "key": "k"}, encoded=True)
    assert (plain.status, again.status) == (202, 200)


def test_every_field_reaches_the_job(world):
    request = {
        "kind": "media.thumb",
        "args": {"bucket": "b", "width": 16},
        "key": "k:1",
        "tenant": "acme",
        "lane": "critical",
        "delay_seconds": 90.5,
        "expires_in_seconds": 3600,
        "correlation_id": "order 17",
    }
    answer = world.call("POST", "/jobs", request)
    assert answer.status == 202, answer.text
    job = world.call("GET", answer.json["link"]).json
    assert (job["kind"], job["tenant"], job["lane"], job["key"]) == ("media.thumbnail", "acme", "critical", "k:1")
    assert job["correlation_id"] == "order 17"
    assert (job["created_at"], job["due_at"]) == ("2027-01-15T08:00:00.000Z", "2027-01-15T08:01:30.500Z")
    assert job["expires_at"] == "2027-01-15T09:00:00.000Z"


def test_a_seen_key_answers_200_with_the_first_job(world):
    first = world.call("POST", "/jobs", {**LOOSE, "key": "k"})
    second = world.call("POST", "/jobs", {**LOOSE, "key": "k"})
    assert (first.status, second.status) == (202, 200)
    assert second.json == {**first.json, "created": False}
    assert second.headers["Location"] == first.headers["Location"]
    assert world.queues.count("default") == 1
    assert world.telemetry.counts["JobsRepeated"] == 1


def test_a_seen_key_with_other_arguments_is_refused(world):
    first = world.call("POST", "/jobs", {**LOOSE, "key": "k"})
    second = world.call("POST", "/jobs", {"kind": "loose", "args": {}, "key": "k"})
    assert (second.status, second.json["code"], second.json["job_id"]) == (422, "key_conflict", first.json["id"])
    assert world.queues.count("default") == 1


def test_a_final_job_whose_kind_refuses_a_rerun_answers_409(world):
    ref = world.submitted(kind="pay.once", key="k")
    world.client.cancel(ref.id)
    answer = world.call("POST", "/jobs", {"kind": "pay.once", "args": {}, "key": "k"})
    assert (answer.status, answer.json["code"]) == (409, "job_final")
    assert world.queues.count("default") == 1


@pytest.mark.parametrize("header", ["k:1", '"k:1"'])
def test_the_key_may_come_in_the_header(world, header):
    first = world.call("POST", "/jobs", LOOSE, headers={"idempotency-key": header})
    assert world.store.jobs[JobRef("default", first.json["id"])].key == "k:1"
    second = world.call("POST", "/jobs", {**LOOSE, "key": "k:1"}, headers={"Idempotency-Key": header})
    assert (first.status, second.status) == (202, 200)


def test_two_different_keys_are_refused(world):
    answer = world.call("POST", "/jobs", {**LOOSE, "key": "a"}, headers={"idempotency-key": "b"})
    assert (answer.status, answer.fields) == (422, {"key"})
    assert world.is_empty


@pytest.mark.parametrize("header", ["", '""', "two words", "k" * 97, '"a", "b"'])
def test_a_bad_key_in_the_header_is_refused(world, header):
    answer = world.call("POST", "/jobs", LOOSE, headers={"idempotency-key": header})
    assert (answer.status, answer.fields) == (422, {"Idempotency-Key"})
    assert world.is_empty


def test_a_key_header_for_a_batch_is_refused(world):
    answer = world.call("POST", "/jobs/batch", {"jobs": [LOOSE]}, headers={"idempotency-key": "k"})
    assert (answer.status, answer.fields) == (422, {"Idempotency-Key"})
    assert world.is_empty


def test_a_batch_answers_job_by_job_in_order(world):
    world.submitted(key="old", args={"anything": 1})
    jobs = [
        {**LOOSE, "key": "a"},
        {"kind": "nope", "args": {}},
        {**LOOSE, "key": "a"},
        {"kind": "loose", "args": {"anything": 1}, "key": "old"},
        {"kind": "loose", "args": {"anything": 2}, "key": "old"},
        LOOSE,
    ]
    answer = world.call("POST", "/jobs/batch", {"jobs": jobs})
    results = answer.json["results"]
    assert answer.status == 202
    assert [result["index"] for result in results] == list(range(6))
    assert [result.get("created", result.get("code")) for result in results] == [
        True,
        "unknown_kind",
        False,
        False,
        "key_conflict",
        True,
    ]
    assert results[0]["id"] == results[2]["id"]
    for result in results:
        if "link" in result:
            assert world.call("GET", result["link"]).json["id"] == result["id"]
    assert world.queues.count("default") == 3
    assert world.telemetry.counts["JobsRefused"] == 2


def test_ten_thousand_jobs_are_a_batch(world):
    answer = world.call("POST", "/jobs/batch", {"jobs": [{"kind": "loose", "args": {}}] * 10_000})
    assert answer.status == 202
    assert len({result["id"] for result in answer.json["results"]}) == 10_000
    assert world.queues.count("default") == 10_000


def test_an_outage_of_the_queue_is_503_with_a_time_to_come_back(world):
    world.queues.outage = UnavailableError("send", "ThrottlingException")
    one = world.call("POST", "/jobs", LOOSE)
    many = world.call("POST", "/jobs/batch", {"jobs": [LOOSE, {"kind": "nope", "args": {}}]})
    for answer in (one, many):
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
    assert [result["code"] for result in many.json["results"]] == ["unavailable", "unknown_kind"]
    assert not world.store.jobs


def test_a_link_on_a_named_stage_begins_with_the_stage(world):
    assert world.call("POST", "/jobs", LOOSE, stage="live").json["link"].startswith("/live/jobs/")


def test_a_long_delay_is_parked_in_the_table(world):
    ref = world.submitted(delay_seconds=86_400)
    assert world.store.jobs[ref].state is State.SCHEDULED
    assert world.queues.count("default") == 0
    assert world.call("GET", f"/jobs/{ref.id}").json["due_at"] == "2027-01-16T08:00:00.000Z"
