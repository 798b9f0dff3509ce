"""From an exception to what it means for the job."""

import email.message
import urllib.error
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import requests
from botocore.exceptions import ClientError
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tidemill import PermanentError, RateLimitedError, TransientError, seconds
from tidemill.domain.classify import Classification, FailureClass, classify, requested_wait
from tidemill.domain.limits import MAX_DELAY

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PERMANENT, TRANSIENT, LIMITED = FailureClass.PERMANENT, FailureClass.TRANSIENT, FailureClass.RATE_LIMITED


def of_requests(status, **headers):
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return requests.HTTPError("boo", response=response)


def of_httpx(status, **headers):
    error = Exception("boo")
    error.response = SimpleNamespace(status_code=status, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return error


def of_aiohttp(status, **headers):
    error = Exception("boo")
    error.status, error.headers = status, {k.replace("_", "-"): v for k, v in headers.items()}
    return error


def of_urllib(status, **headers):
    message = email.message.Message()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return urllib.error.HTTPError("http://x", status, "boo", message, None)


def of_botocore(code):
    return ClientError({"Error": {"Code": code, "Message": "boo"}}, "PutItem")


def with_response(response):
    error = Exception("boo")
    error.response = response
    return error


SHAPES = pytest.mark.parametrize("shape", [of_requests, of_httpx, of_aiohttp, of_urllib])


@SHAPES
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, PERMANENT),
        (401, PERMANENT),
        (403, PERMANENT),
        (404, PERMANENT),
        (408, TRANSIENT),
        (409, TRANSIENT),
        (410, PERMANENT),
        (422, PERMANENT),
        (423, TRANSIENT),
        (425, TRANSIENT),
        (429, LIMITED),
        (500, TRANSIENT),
        (502, TRANSIENT),
        (503, TRANSIENT),
        (504, TRANSIENT),
        (301, TRANSIENT),
    ],
)
def test_an_http_status_is_recognised_in_every_clients_shape(shape, status, expected):
    assert classify(shape(status), NOW).failure is expected


@SHAPES
def test_a_503_that_says_when_is_a_request_to_wait(shape):
    assert classify(shape(503, Retry_After="7"), NOW) == Classification(LIMITED, seconds(7))


@SHAPES
def test_retry_after_is_read_in_both_of_its_forms(shape):
    date = format_datetime(NOW + seconds(90), usegmt=True)

    assert classify(shape(429, Retry_After="120"), NOW).wait == seconds(120)
    assert classify(shape(429, Retry_After=date), NOW).wait == seconds(90)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", seconds(0)),
        (format_datetime(NOW - seconds(90), usegmt=True), seconds(0)),
        ("Sun, 22 Nov 2026 12:01:00", seconds(60)),
        ("Sun, 22 Nov 2026 13:01:00 +0100", seconds(60)),
        ("9" * 400, None),
        ("99999999999", MAX_DELAY),
        ("Fri, 31 Dec 9999 23:59:59 -2300", MAX_DELAY),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("nan", None),
        ("Mon, 99 Zzz 2026", None),
        ("Mon, 01 Jan 2026 00:00:00 +9999999999999", None),
    ],
)
def test_an_ill_formed_retry_after_says_nothing_and_no_value_leaves_the_bounds(value, expected):
    assert classify(of_httpx(429, Retry_After=value), NOW) == Classification(LIMITED, expected)


@given(st.text(max_size=40))
@example("Mon, 01 Jan 2026 00:00:00 +9999999999999")
def test_no_header_whatever_breaks_the_classification(value):
    for header in ("Retry_After", "X_RateLimit_Reset", "RateLimit_Reset"):
        wait = classify(of_httpx(429, **{header: value}), NOW).wait

        assert wait is None or timedelta(0) <= wait <= MAX_DELAY


@pytest.mark.parametrize(
    "header", ["RateLimit-Reset", "X-RateLimit-Reset", "x-rate-limit-reset", "X-RateLimit-Reset-After"]
)
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30", seconds(30)),
        ("1.5", seconds(1.5)),
        (str(int(NOW.timestamp()) + 45), seconds(45)),
        (str(int(NOW.timestamp()) - 45), seconds(0)),
        (str(int(NOW.timestamp() * 1000) + 45_000), seconds(45)),
        ("nan", None),
        ("inf", None),
        ("1e400", None),
        ("later", None),
    ],
)
def test_a_rate_limits_reset_is_read_as_seconds_or_as_a_unix_time(header, value, expected):
    assert requested_wait({header: value}, NOW) == expected


@pytest.mark.parametrize("value", ["-30", "1e11", "1e13"])
def test_a_wild_reset_is_bounded(value):
    assert timedelta(0) <= classify(of_httpx(429, X_RateLimit_Reset=value), NOW).wait <= MAX_DELAY


def test_retry_after_goes_before_the_reset():
    assert requested_wait({"X-RateLimit-Reset": "5", "retry-after": "7"}, NOW) == seconds(7)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", LIMITED),
        ("ProvisionedThroughputExceededException", LIMITED),
        ("SlowDown", LIMITED),
        ("AccessDenied", PERMANENT),
        ("NoSuchKey", PERMANENT),
        ("ValidationException", PERMANENT),
        ("404", PERMANENT),
        ("InternalError", TRANSIENT),
        ("ServiceUnavailable", TRANSIENT),
        ("ConditionalCheckFailedException", TRANSIENT),
    ],
)
def test_an_aws_error_is_recognised_by_its_code(code, expected):
    assert classify(of_botocore(code), NOW).failure is expected


@pytest.mark.parametrize(
    "response", [{}, {"Error": None}, {"Error": "text"}, {"Error": {}}, {"Error": {"Code": None}}, None]
)
def test_a_response_of_another_shape_is_no_crash(response):
    assert classify(with_response(response), NOW).failure is TRANSIENT


def a_validation_error():
    try:
        TypeAdapter(int).validate_python("x")
    except ValidationError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (PermanentError("no"), Classification(PERMANENT)),
        (TransientError("later"), Classification(TRANSIENT)),
        (ValueError("what"), Classification(TRANSIENT)),
        (SystemExit(1), Classification(TRANSIENT)),
        (TimeoutError(), Classification(TRANSIENT)),
        (RateLimitedError(), Classification(LIMITED)),
        (RateLimitedError("slow", seconds(9)), Classification(LIMITED, seconds(9))),
        (RateLimitedError("slow", seconds(-9)), Classification(LIMITED, seconds(0))),
        (RateLimitedError("slow", timedelta(days=4000)), Classification(LIMITED, MAX_DELAY)),
        (RateLimitedError("slow", 30), Classification(LIMITED)),
        (a_validation_error(), Classification(PERMANENT)),
        (requests.ConnectionError("boo"), Classification(TRANSIENT)),
    ],
    ids=repr,
)
def test_what_a_job_raises_says_what_becomes_of_it(error, expected):
    assert classify(error, NOW) == expected
