"""`client.run`: submit, wait, and the result or a typed reason why there is none."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel

from tidemill import JobArgs, JobRegistry, PermanentError, Retry, days, job, minutes, seconds
from tidemill.domain.result import decode_result
from tidemill.errors import (
    InputError,
    IntegrityError,
    JobFailedError,
    JobUnfinishedError,
    KeyConflictError,
    UnansweredError,
)
from tidemill.service.replying import Replies
from tidemill.testing import Harness
from tidemill.testing.faults import Process


class Quote(JobArgs, kind="reply.quote"):
    cents: int = 0


class Price(BaseModel):
    cents: int
    at: datetime


@pytest.fixture
def tide():
    @job(Quote, retry=Retry(max_attempts=1))
    def quote(args: Quote, ctx: Any) -> Price | None:
        if args.cents < 0:
            raise PermanentError("no such price")
        return Price(cents=args.cents, at=datetime.fromisoformat("2027-01-15T08:00:00Z")) if args.cents else None

    with Harness(JobRegistry(quote)) as tide:
        yield tide


WAIT = seconds(30)


def run(tide, args=None, *, wait=WAIT, **options):
    """As in the cloud: workers work while the caller sleeps."""
    return tide.client.run(args or Quote(cents=7), wait=wait, sleep=lambda s: tide.run_for(seconds(s)), **options)


def test_the_result_is_what_the_function_says_it_returns(tide):
    assert run(tide) == Price(cents=7, at=datetime.fromisoformat("2027-01-15T08:00:00Z"))
    assert run(tide, Quote()) is None


def test_a_job_that_failed_for_good_says_why_and_is_not_retryable(tide):
    with pytest.raises(JobFailedError, match="no such price") as failed:
        run(tide, Quote(cents=-1))

    error = failed.value
    assert (error.state, error.reason, error.failure.type, error.retryable) == (
        "dead",
        "permanent",
        "tidemill.domain.signals.PermanentError",
        False,
    )
    assert error.job_id == tide.jobs()[0].ref.id


def test_so_does_one_that_expired_or_was_cancelled(tide):
    with pytest.raises(JobFailedError, match="is expired"):
        tide.client.run(
            Quote(), expires_in=seconds(2), sleep=lambda _: (tide.advance(seconds(3)), tide.drain()), wait=minutes(1)
        )
    with pytest.raises(JobFailedError, match="is cancelled"):
        tide.client.run(Quote(), sleep=lambda _: tide.client.cancel(tide.jobs()[-1].ref.id), delay=minutes(5))


def test_one_that_is_not_done_in_time_goes_on_and_can_be_waited_for_again(tide):
    with pytest.raises(JobUnfinishedError) as late:
        run(tide, delay=minutes(2))
    assert (late.value.state, late.value.retryable) == ("queued", False)

    found = run(tide, wait=minutes(5), job_id=late.value.job_id)

    assert (found.cents, len(tide.jobs())) == (7, 1)


def test_no_wait_looks_once(tide):
    with pytest.raises(JobUnfinishedError):
        run(tide, wait=seconds(0))


@pytest.mark.parametrize(("call", "options"), [("send", {}), ("insert", {}), ("insert", {"key": "k"})])
def test_a_submit_without_an_answer_is_safe_to_repeat_under_the_id_that_the_error_has(tide, call, options):
    tide.faults.lose_answer(call, by=Process.CLIENT)

    with pytest.raises(UnansweredError, match="no second job") as unanswered:
        run(tide, **options)
    assert unanswered.value.retryable
    again = options or {"job_id": unanswered.value.job_id}

    assert run(tide, **again).cents == 7
    assert [job.ref.id for job in tide.jobs()] == [unanswered.value.job_id]


def test_a_read_without_an_answer_is_made_again(tide):
    tide.faults.throttle("find", times=3, after=1, by=Process.CLIENT)

    assert run(tide).cents == 7


def test_only_an_outage_until_the_end_is_one(tide):
    tide.faults.throttle("find", times=1_000, after=1, by=Process.CLIENT)

    with pytest.raises(UnansweredError) as unanswered:
        run(tide)
    tide.faults.forget()

    assert run(tide, job_id=unanswered.value.job_id).cents == 7


def test_it_reads_about_twenty_times_in_thirty_seconds(tide, monkeypatch):
    reads = []
    find = tide._stack.store.find
    monkeypatch.setattr(tide._stack.store, "find", lambda refs: reads.append(tide.clock.now_ms()) or find(refs))

    with pytest.raises(JobUnfinishedError):
        run(tide, delay=minutes(2))

    # One more read is the submit's, of an id that was chosen.
    assert 20 <= len(reads) - 1 <= 26
    pauses = [later - earlier for earlier, later in pairwise(reads[1:])]
    assert min(pauses[:1]) >= 70
    assert max(pauses) <= 2_400


@pytest.mark.parametrize("wait", [seconds(-1), days(366), 30, None])
def test_a_bad_wait_is_refused_before_anything_is_written(tide, wait):
    with pytest.raises(InputError, match="wait"):
        run(tide, wait=wait)

    assert tide.jobs() == []


def test_what_a_submit_refuses_is_refused(tide):
    run(tide, key="k")

    with pytest.raises(KeyConflictError):
        run(tide, Quote(cents=8), key="k")


def test_a_kind_that_the_registry_does_not_know_any_more_is_answered_as_json(tide):
    run(tide)
    (done,) = tide.jobs()
    waiting: Any = None

    assert Replies(tide._stack.store, JobRegistry(), waiting, lambda _: '{"a":1}')._decoded(done, '{"a":1}') == {"a": 1}


# --- types ------------------------------------------------------------------------------------------


@dataclass
class Point:
    x: int


def to_point(args: Any, ctx: Any) -> Point: ...


async def to_points(args: Any, ctx: Any) -> dict[str, Point]: ...


def to_hidden(args: Any, ctx: Any) -> Hidden: ...  # noqa: F821 - what is tested


def to_anything(args, ctx): ...


class ToPoint:
    def __call__(self, args: Any, ctx: Any) -> Point: ...


def to_later(args: Any, ctx: Any) -> Awaitable[int]: ...


@pytest.mark.parametrize(
    ("text", "function", "value"),
    [
        ('{"x":1}', to_point, Point(1)),
        ('{"a":{"x":1}}', to_points, {"a": Point(1)}),
        ('{"x":1}', to_hidden, {"x": 1}),
        ('{"x":1}', to_anything, {"x": 1}),
        ('{"x":1}', ToPoint(), Point(1)),
        ("1", to_later, 1),
        ('{"x":1}', None, {"x": 1}),
        (None, to_anything, None),
        ("3", len, 3),
    ],
)
def test_a_result_has_its_annotations_type_where_there_is_one(text, function, value):
    assert decode_result(text, function) == value


@pytest.mark.parametrize("text", ['{"x":"secret"}', "[]", None])
def test_a_result_of_another_type_is_an_error_that_does_not_quote_it(text):
    with pytest.raises(IntegrityError) as refused:
        decode_result(text, to_point)

    assert "secret" not in str(refused.value)
