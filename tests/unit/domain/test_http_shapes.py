"""The exceptions that services raise when they ask to wait, as their own clients and pages have them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill import DependencyDownError, RateLimitedError, TransientError, seconds
from tidemill.domain.classify import Classification, FailureClass, classify
from tidemill.domain.errors import InputError
from tidemill.domain.http_shape import headers_of, status_of
from tidemill.domain.limits import MAX_DELAY
from tidemill.domain.retry_after import is_exhausted, requested_wait, retry_after

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
IN_A_MINUTE = str(int(NOW.timestamp()) + 60)
LIMITED, DOWN = FailureClass.RATE_LIMITED, FailureClass.UNAVAILABLE
PERMANENT, TRANSIENT = FailureClass.PERMANENT, FailureClass.TRANSIENT


def error(name="ClientError", /, **attributes):
    made = type(name, (Exception,), {})("boo")
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


def answer(status, **headers):
    return SimpleNamespace(status_code=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


class HttplibResponse(dict):
    """httplib2's, which are their own headers."""

    status = 403


SERVICES = {
    "github primary limit": (
        error(response=answer(403, x_ratelimit_remaining="0", x_ratelimit_reset=IN_A_MINUTE)),
        Classification(LIMITED, seconds(60)),
    ),
    "github secondary limit": (
        error(response=answer(403, retry_after="60", x_ratelimit_remaining="14", x_ratelimit_reset="9999999999")),
        Classification(LIMITED, seconds(60)),
    ),
    "github without the right": (
        error(response=answer(403, x_ratelimit_remaining="4999", x_ratelimit_reset=IN_A_MINUTE)),
        Classification(PERMANENT),
    ),
    "pygithub": (error("RateLimitExceededException", status=403, data={}, headers={}), Classification(LIMITED)),
    "stripe": (
        error(http_status=429, code="rate_limit", headers={"Retry-After": "2"}),
        Classification(LIMITED, seconds(2)),
    ),
    "stripe card": (error(http_status=402, code="card_declined", headers={}), Classification(PERMANENT)),
    "stripe conflict": (error(http_status=409, headers={"Retry-After": "3"}), Classification(TRANSIENT, seconds(3))),
    "stripe in text": (error(http_status="429", headers=None), Classification(LIMITED)),
    "azure": (
        error(status_code=429, response=answer(429, x_ms_retry_after_ms="1500")),
        Classification(LIMITED, seconds(1.5)),
    ),
    "azure without an answer": (error(status_code=503, response=None), Classification(DOWN)),
    "cosmos": (error(status_code=429, headers={"x-ms-retry-after-ms": "42"}), Classification(LIMITED, seconds(0.042))),
    "openai": (
        error(
            status_code=429,
            response=answer(
                429,
                x_ratelimit_remaining_requests="59",
                x_ratelimit_reset_requests="1s",
                x_ratelimit_remaining_tokens="0",
                x_ratelimit_reset_tokens="6m0s",
            ),
        ),
        Classification(LIMITED, seconds(360)),
    ),
    "openai in milliseconds": (
        error(response=answer(429, retry_after_ms="250", retry_after="1")),
        Classification(LIMITED, seconds(0.25)),
    ),
    "anthropic": (
        error(
            response=answer(
                429,
                anthropic_ratelimit_requests_remaining="0",
                anthropic_ratelimit_requests_reset="2026-11-22T12:00:30Z",
            )
        ),
        Classification(LIMITED, seconds(30)),
    ),
    "anthropic overloaded": (error(status_code=529, response=answer(529)), Classification(DOWN)),
    "anthropic overloaded says when": (
        error(response=answer(529, retry_after="5")),
        Classification(LIMITED, seconds(5)),
    ),
    "google api core": (error(code=HTTPStatus.TOO_MANY_REQUESTS, response=None), Classification(LIMITED)),
    "google api core down": (error(code=HTTPStatus.SERVICE_UNAVAILABLE, response=None), Classification(DOWN)),
    "googleapiclient": (error(resp=HttplibResponse({"retry-after": "4"})), Classification(LIMITED, seconds(4))),
    "googleapiclient limit": (
        error(resp=HttplibResponse(), error_details=[{"reason": "userRateLimitExceeded"}]),
        Classification(LIMITED),
    ),
    "googleapiclient refused": (
        error(resp=HttplibResponse(), error_details=[{"reason": "forbidden"}]),
        Classification(PERMANENT),
    ),
    "slack": (error("SlackApiError", response=answer(429, Retry_After="30")), Classification(LIMITED, seconds(30))),
    "slack of old": (
        error(response={"ok": False, "status_code": 429, "headers": {"Retry-After": "30"}}),
        Classification(LIMITED, seconds(30)),
    ),
    "discord": (
        error(status=429, headers={"X-RateLimit-Reset": "1e9", "X-RateLimit-Reset-After": "64.57"}),
        Classification(LIMITED, seconds(64.57)),
    ),
    "too large for now": (error(response=answer(413, retry_after="60")), Classification(LIMITED, seconds(60))),
    "exhausted 503": (
        error(response=answer(503, ratelimit="limit=10, remaining=0, reset=9")),
        Classification(LIMITED, seconds(9)),
    ),
    "timeout says when": (error(response=answer(408, retry_after="7")), Classification(TRANSIENT, seconds(7))),
    "500 says when": (error(response=answer(500, retry_after="7")), Classification(TRANSIENT, seconds(7))),
    "404 says when": (error(response=answer(404, retry_after="7")), Classification(PERMANENT)),
    "two headers of a name": (
        error(status=429, headers=[("Retry-After", "5"), (b"retry-after", b"9")]),
        Classification(LIMITED, seconds(9)),
    ),
    "an unreadable wait beside a good one": (
        error(response=answer(429, retry_after="soon", x_ratelimit_reset="5")),
        Classification(LIMITED, seconds(5)),
    ),
    "openai with another name": (
        error(status=429, headers={"x-ratelimit-reset-tokens_usage_based": "9ms"}),
        Classification(LIMITED, seconds(0.009)),
    ),
    "exit": (SystemExit(404), Classification(TRANSIENT)),
    "exit unavailable": (SystemExit(503), Classification(TRANSIENT)),
    "a code that is no status": (error(code=1045), Classification(TRANSIENT)),
    "a truth that is no status": (error(status=True), Classification(TRANSIENT)),
}


@pytest.mark.parametrize(("raised", "expected"), SERVICES.values(), ids=SERVICES.keys())
def test_a_service_is_understood(raised, expected):
    assert classify(raised, NOW) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"minute";r=0;t=20, "day";r=900;t=80000', seconds(20)),
        ('"day";r=900;t=80000, "minute";r=0;t=20', seconds(20)),
        ('"minute";r=0;t=20, "day";r=0;t=80000', seconds(80_000)),
        ('"minute";r=3;t=20, "day";r=900;t=80000', seconds(20)),
        ('"minute";t=20;r=0', seconds(20)),
    ],
)
def test_of_several_limits_the_exhausted_one_counts(value, expected):
    assert requested_wait({"RateLimit": value}, NOW) == expected
    assert is_exhausted({"RateLimit": value}, NOW) == ("r=0" in value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("6m0s", seconds(360)),
        ("1h2m3.5s", seconds(3723.5)),
        ("20ms", seconds(0.02)),
        ("2026-11-22T12:00:09+00:00", seconds(9)),
        ("1795348860.5", seconds(60.5)),
        ("h", None),
        ("5x", None),
    ],
)
def test_a_reset_is_read_as_a_span_and_as_a_date_of_iso_8601(value, expected):
    assert requested_wait({"X-RateLimit-Reset": value}, NOW) == expected


@pytest.mark.parametrize("kind", [RateLimitedError, DependencyDownError])
def test_a_wait_that_a_job_names_is_a_span_or_seconds(kind):
    assert kind(retry_after=30).retry_after == kind(retry_after=30.0).retry_after == seconds(30)
    assert kind(retry_after=float("inf")).retry_after == MAX_DELAY
    assert kind().retry_after is None

    for wrong in ("30", True, float("nan"), NOW, object()):
        with pytest.raises(InputError, match=rf"{kind.__name__}\.retry_after: must be a span such as seconds\(30\)"):
            kind(retry_after=wrong)


# --- whatever comes ------------------------------------------------------------------------------


class RaisingError(Exception):
    pass


class Raising:
    def __init__(self, error):
        object.__setattr__(self, "error", error)

    def _raise(self, *_):
        raise object.__getattribute__(self, "error")

    __getattr__ = __str__ = __repr__ = __bool__ = __int__ = __eq__ = __hash__ = __iter__ = __len__ = _raise


MOMENTS = st.datetimes(timezones=st.just(UTC))
SAID = st.integers().map(str) | st.floats().map(str) | MOMENTS.map(datetime.isoformat) | MOMENTS.map(format_datetime)
TEXTS = SAID | st.text(max_size=60) | st.text(alphabet=string.digits + ' .,:;=-+eTZhmsrt"', max_size=40)
NUMBERS = st.integers() | st.floats() | st.integers(100, 599)
RAISINGS = st.sampled_from([RaisingError(), SystemExit(3), KeyboardInterrupt(), RecursionError()]).map(Raising)
THINGS = st.none() | TEXTS | NUMBERS | st.binary(max_size=20) | RAISINGS
NAMES = st.sampled_from(
    [
        "Retry-After", "retry-after-ms", "RateLimit", "RateLimit-Reset", "RateLimit-Remaining", "X-RateLimit-Reset",
        "X-RateLimit-Remaining", "x-ratelimit-reset-tokens", "x-ratelimit-remaining-tokens", "X-RateLimit-Reset-After",
    ]
)  # fmt: skip
READABLE = st.dictionaries(NAMES, TEXTS, max_size=6)
HEADERS = st.dictionaries(NAMES | TEXTS, THINGS, max_size=6) | READABLE | THINGS | st.lists(THINGS, max_size=3)
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(["status", "code", "status_code", "http_status", "reason", "error_details"], THINGS),
        "headers": HEADERS,
        "resp": HEADERS,
        "response": THINGS
        | HEADERS
        | st.builds(lambda status, headers: SimpleNamespace(status_code=status, headers=headers), THINGS, HEADERS)
        | st.fixed_dictionaries(
            {},
            optional={
                "Error": THINGS | st.fixed_dictionaries({"Code": THINGS}),
                "ResponseMetadata": THINGS | st.fixed_dictionaries({"HTTPStatusCode": THINGS, "HTTPHeaders": HEADERS}),
            },
        ),
    },
)


def in_bounds(wait):
    return wait is None or timedelta(0) <= wait <= MAX_DELAY


def test_what_can_be_read_is_read_beside_what_cannot():
    mute = Raising(RaisingError())

    assert classify(error(status=429, headers=mute), NOW) == Classification(LIMITED)
    assert classify(error(status=mute, http_status=503, response=mute), NOW) == Classification(DOWN)
    assert (
        classify(error(status=429, response=SimpleNamespace(headers={"Retry-After": "5", "x": mute})), NOW).failure
        is LIMITED
    )


class MuteError(Exception):
    def __getattribute__(self, name):
        raise KeyboardInterrupt(name)


def test_an_exception_that_answers_nothing_is_transient():
    assert classify(MuteError(), NOW) == Classification(TRANSIENT)
    assert classify(ExceptionGroup("g", [MuteError()]), NOW) == Classification(TRANSIENT)


@given(ATTRIBUTES, st.sampled_from([Exception, ValueError, TransientError, BaseException, SystemExit]))
@settings(deadline=None)  # a busy machine is no error
def test_no_object_whatever_breaks_the_classification(attributes, base):
    made = base("boo")
    for name, value in attributes.items():
        if (base, name) != (SystemExit, "code"):
            setattr(made, name, value)
    outer = ExceptionGroup("g", [made]) if isinstance(made, Exception) else BaseExceptionGroup("g", [made])

    for one in (made, outer):
        meant = classify(one, NOW)
        assert isinstance(meant, Classification)
        assert in_bounds(meant.wait)
    status = status_of(made)
    assert status is None or 100 <= status < 600
    assert all(type(text) is str for pair in headers_of(made).items() for text in pair)


@given(READABLE)
@settings(deadline=None)
def test_no_header_whatever_leaves_the_bounds(headers):
    assert isinstance(headers, Mapping)
    assert in_bounds(requested_wait(headers, NOW))
    assert in_bounds(retry_after(headers, NOW))
    assert is_exhausted(headers, NOW) in (True, False)
