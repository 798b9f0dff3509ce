"""The small jobs: each fails and succeeds when it says so."""

import asyncio
from io import BytesIO
from types import SimpleNamespace

import pytest

from jobs import fragile, registry
from jobs.flaky import Flaky, fail_then_succeed
from jobs.fragile import Fragile, measure_object
from jobs.ping import Ping, answer_ping
from tidemill import JobContext, TransientError
from tidemill.testing import context


def attempt(number: int) -> JobContext:
    return context(fail_then_succeed, attempt=number)


def test_the_registry_lists_every_job_and_its_lane() -> None:
    assert {definition.kind: definition.lane for definition in registry} == {
        "media.thumbnail": "bulk",
        "demo.ping": "default",
        "demo.flaky": "default",
        "demo.fragile": "bulk",
    }


def test_ping_is_async_and_answers_its_message() -> None:
    assert answer_ping.is_async
    assert asyncio.run(answer_ping(Ping(message="hello"), attempt(1))) == "hello"


def test_flaky_fails_as_often_as_it_was_told() -> None:
    for number in (1, 2):
        with pytest.raises(TransientError, match=f"attempt {number}"):
            fail_then_succeed(Flaky(failures=2), attempt(number))
    assert fail_then_succeed(Flaky(failures=2), attempt(3)) == 3


def test_flaky_has_attempts_enough_for_its_failures() -> None:
    assert fail_then_succeed.retry.max_attempts > max(
        m.le for m in Flaky.model_fields["failures"].metadata if hasattr(m, "le")
    )


def test_fragile_answers_the_size_of_its_object(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, str]] = []

    def get_object(**names: str) -> dict[str, BytesIO]:
        asked.append(names)
        return {"Body": BytesIO(b"twelve bytes")}

    monkeypatch.setattr(fragile, "storage", lambda: SimpleNamespace(get_object=get_object))
    assert measure_object(Fragile(bucket="photos", key="k"), attempt(1)) == 12
    assert asked == [{"Bucket": "photos", "Key": "k"}]
