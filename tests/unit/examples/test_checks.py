"""Each check of the demo can fail, and says what is wrong."""

from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import pytest
from PIL import Image

from examples.demo import checks
from examples.demo.signed import Answer
from tidemill.domain.failure import Failure
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import AttemptFailure

DONE = Job(
    ref=JobRef("default", "id"),
    kind="demo.ping",
    lane="default",
    state=State.SUCCEEDED,
    fingerprint="",
    created_at=0,
    claimable_at=None,
    ttl_s=0,
    attempt=1,
    fence=1,
    concluded=1,
)
DEAD = replace(DONE, state=State.DEAD, reason="permanent")


def failure(attempt: int, message: str = "no such key") -> AttemptFailure:
    return AttemptFailure(1, attempt, 0, Failure("Error", message, "", ""))


def test_a_job_in_another_state_or_without_a_record_is_a_problem():
    assert checks.state_problem(DONE, State.SUCCEEDED) == ""
    assert "dead (permanent)" in checks.state_problem(DEAD, State.SUCCEEDED)
    assert "no record" in checks.state_problem(None, State.SUCCEEDED)


@pytest.fixture
def thumbnail():
    target = BytesIO()
    Image.new("RGB", (320, 214)).save(target, "JPEG")
    return target.getvalue()


def thumbnail_problem(data: bytes, **changes: object) -> str:
    result = {"size": len(data), "sha256": sha256(data).hexdigest()} | changes
    return checks.thumbnail_problem(DONE, result, data, width=320, format_="jpeg")


def test_a_thumbnail_is_opened(thumbnail):
    assert thumbnail_problem(thumbnail) == ""
    with pytest.raises(OSError, match="cannot identify"):
        thumbnail_problem(b"no picture")


@pytest.mark.parametrize(("size", "format_"), [((319, 214), "JPEG"), ((320, 213), "JPEG"), ((320, 214), "PNG")])
def test_a_thumbnail_of_another_size_or_format_is_a_problem(size, format_):
    target = BytesIO()
    Image.new("RGB", size).save(target, format_)

    assert thumbnail_problem(target.getvalue()) != ""


@pytest.mark.parametrize("wrong", [{"size": 1}, {"sha256": "0"}])
def test_a_thumbnail_that_is_not_the_one_of_the_result_is_a_problem(thumbnail, wrong):
    assert thumbnail_problem(thumbnail, **wrong) != ""


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        (DONE, ""),
        (None, "1 of 2 succeeded"),
        (DEAD, "1 of 2 succeeded"),
        (replace(DONE, attempt=2, result='"b"'), "more than one attempt"),
        (replace(DONE, result='"a"'), "another's result"),
    ],
    ids=["fine", "lost", "dead", "twice", "swapped"],
)
def test_one_bad_job_of_many_is_a_problem(job, problem):
    first = replace(DONE, ref=JobRef("default", "a"), result='"a"')
    second = job and replace(job, ref=JobRef("default", "b"), result=job.result or '"b"')

    found = checks.bulk_problem([first, second], {"a": '"a"', "b": '"b"'}, 2)

    assert (problem in found) if problem else found == ""


def test_a_flaky_job_has_failed_exactly_so_often():
    third = replace(DONE, attempt=3)

    assert checks.flaky_problem(third, [failure(1), failure(2)], 2) == ""
    assert checks.flaky_problem(third, [failure(1)], 2) != ""
    assert checks.flaky_problem(replace(DONE, attempt=4), [failure(1), failure(2)], 2) != ""
    assert checks.flaky_problem(DEAD, [failure(1), failure(2)], 2) != ""


def test_a_dead_job_has_its_reason_and_its_evidence():
    assert checks.reason_problem(DEAD, [failure(1)], "permanent", "such key") == ""
    assert "'poison'" in checks.reason_problem(DEAD, [failure(1)], "poison", "such key")
    assert "nothing of" in checks.reason_problem(DEAD, [failure(1, "other")], "permanent", "such key")
    assert "nothing of" in checks.reason_problem(DEAD, [], "permanent", "such key")
    assert checks.reason_problem(DONE, [failure(1)], "permanent", "such key") != ""


def test_a_redriven_job_is_the_next_generation_of_the_same_message():
    again = replace(DONE, generation=2, result="12")

    assert checks.redriven_problem(again, "dlq", 12) == ""
    assert checks.redriven_problem(again, "table", 12) != ""
    assert checks.redriven_problem(again, "dlq", 13) != ""
    assert checks.redriven_problem(replace(again, generation=1), "dlq", 12) != ""
    assert checks.redriven_problem(DEAD, "dlq", 12) != ""


def test_a_refusal_has_the_status_and_names_the_field():
    refused = Answer(422, {"violations": [{"field": "args.width"}]})

    assert checks.refused_problem(refused, 422, "args.width") == ""
    assert "does not name" in checks.refused_problem(refused, 422, "args.key")
    assert "answered 500" in checks.refused_problem(Answer(500, {}), 422, "args.width")


def test_a_repeated_key_is_answered_with_the_first_job():
    first = Answer(202, {"id": "a"})

    assert checks.repeated_problem(first, Answer(200, {"id": "a"})) == ""
    assert "two jobs" in checks.repeated_problem(first, Answer(200, {"id": "b"}))
    assert "not 202, then 200" in checks.repeated_problem(first, Answer(202, {"id": "a"}))
