"""What a caller sends stays out of logs, metrics and refusals."""

import pytest

CANARY = "canary-4242424242"


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": "media.thumbnail", "args": {"bucket": CANARY, "width": 1}},
        {"kind": "media.thumbnail", "args": {"bucket": "b", "width": CANARY}},
        {"kind": "media.thumbnail", "args": {"bucket": "b", "width": 16, "mode": CANARY}},
        {"kind": "media.thumbnail", "args": {"bucket": "b", "width": 16, "tags": {"a": [CANARY * 3]}}},
        {"kind": "loose", "args": CANARY},
        {"kind": "loose", "args": {}, "key": f"{CANARY} "},
        {"kind": "loose", "args": {}, "tenant": f"{CANARY}#"},
        {"kind": "loose", "args": {}, "delay_seconds": CANARY},
        {"kind": "loose", "args": {}, "expires_in_seconds": CANARY},
        {"kind": "loose", "args": {}, "job_id": CANARY},
        {"kind": "loose", "args": {}, "correlation_id": CANARY * 9},
        f'{{"kind": "loose", "args": {{"anything": "{CANARY}"}}',
        f'{{"kind": "loose", "args": {{"anything": "{CANARY}\\ud800"}}}}',
        f'{{"kind": "loose", "args": {{"anything": {{"a": 1, "a": "{CANARY}"}}}}}}',
    ],
)
@pytest.mark.parametrize("path", ["/jobs", "/jobs/batch"])
def test_no_value_is_echoed_or_logged(world, path, request_):
    body = {"jobs": [request_]} if path.endswith("batch") and isinstance(request_, dict) else request_
    answer = world.call("POST", path, body)
    assert 400 <= answer.status < 500
    assert CANARY not in answer.text
    assert CANARY not in "".join(world.telemetry.lines)
    assert world.is_empty


def test_a_conflict_does_not_echo_the_key(world):
    world.submitted(key=CANARY)
    answer = world.call("POST", "/jobs", {"kind": "loose", "args": {"anything": CANARY}, "key": CANARY})
    assert answer.status == 422
    assert CANARY not in answer.text


def test_an_accepted_job_leaves_its_id_and_kind_in_the_log(world):
    answer = world.call("POST", "/jobs", {"kind": "loose", "args": {"anything": CANARY}, "key": CANARY})
    assert answer.json["id"] in world.telemetry.lines[0]
    assert CANARY not in "".join(world.telemetry.lines)
