"""Large bodies and results over HTTP: taken up to what Lambda carries, and never a 5xx."""

import json

import pytest

from tidemill.domain import limits
from tidemill.domain.outcome import Complete

LIMIT = 6 * 1024 * 1024


def result_of(world, text):
    ref = world.submitted()
    world.running(ref)
    kept = world.payloads.put(ref, "result/1", text.encode())
    world.concluded(ref, Complete(kept, world.clock.now_ms() + 1_000_000))
    return ref


def submit(world, target, text):
    job = {"kind": "blob", "args": {"text": text}}
    return world.call("POST", target, {"jobs": [job]} if target.endswith("batch") else job)


@pytest.mark.parametrize("target", ["/jobs", "/jobs/batch"])
@pytest.mark.parametrize("size", [limits.MAX_ARGS_BYTES, 1_000_000, limits.MAX_PAYLOAD_BYTES - 100])
def test_large_arguments_are_accepted_and_stored(world, target, size):
    answer = submit(world, target, "x" * size)

    assert answer.status == 202
    ((ref, _),) = world.payloads.kept
    assert ref.id in answer.text
    assert [len(body) < 1_000 for body in (found.body for found in world.queues.receive("default"))] in ([True], [])


@pytest.mark.parametrize("target", ["/jobs", "/jobs/batch"])
def test_larger_ones_are_refused_with_the_number_and_the_way_out(world, target):
    answer = submit(world, target, "x" * limits.MAX_PAYLOAD_BYTES)

    assert answer.status == 422
    assert str(limits.MAX_PAYLOAD_BYTES) in answer.text
    assert "Fix: store the data in S3" in answer.text
    assert world.is_empty
    assert world.payloads.kept == {}


def test_a_request_can_not_claim_bytes_that_are_stored_already(world):
    submit(world, "/jobs", "x" * limits.MAX_ARGS_BYTES)
    ((_, name),) = world.payloads.kept
    receipt = {"name": name, "sha256": "0" * 64, "size": 9}

    for forged in ({"kind": "blob", "stored": receipt}, {"kind": "blob", "args": {}, "stored": receipt}):
        answer = world.call("POST", "/jobs", forged)
        assert answer.status == 422
        assert "stored" in {violation["field"] for violation in answer.json["violations"]}


@pytest.mark.parametrize(
    "text", [json.dumps("r" * 200_000), json.dumps("ü" * 400_000, ensure_ascii=False), json.dumps([1] * 10**6)]
)
def test_a_large_result_is_answered_whole(world, text):
    answer = world.call("GET", f"/jobs/{result_of(world, text).id}")

    assert (answer.status, answer.json["result"]) == (200, json.loads(text))


def test_no_answer_is_larger_than_what_lambda_returns(world):
    # All quotes: each is two characters in the string that the runtime makes of the body.
    text = json.dumps([""] * 1_700_000, separators=(",", ":"))
    assert len(text) < limits.MAX_PAYLOAD_BYTES

    answer = world.call("GET", f"/jobs/{result_of(world, text).id}?failures=true")

    assert (answer.status, answer.json["state"]) == (200, "succeeded")
    assert "result" not in answer.json
    assert f"has {len(text)} bytes" in answer.json["result_omitted"]
    assert "Fix: " in answer.json["result_omitted"]


@pytest.mark.parametrize("size", [limits.MAX_PAYLOAD_BYTES - 2, 4_000_000])
def test_what_is_answered_fits(world, size):
    event_text = world.call("GET", f"/jobs/{result_of(world, json.dumps('r' * (size - 2))).id}").text

    assert len(json.dumps(event_text)) < LIMIT


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_a_harmed_result_hides_no_job(world, harm):
    ref = result_of(world, '"secret"')
    world.payloads.kept = {} if harm == "gone" else dict.fromkeys(world.payloads.kept, b'"evil"')

    answer = world.call("GET", f"/jobs/{ref.id}")

    assert (answer.status, answer.json["state"]) == (200, "succeeded")
    assert "result" not in answer.json
    assert "Fix: " in answer.json["result_omitted"]
    assert "evil" not in answer.text
