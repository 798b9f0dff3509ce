"""From an exception to what it means for the job."""

import email.message
import json
import ssl
import urllib.error
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
import requests
from botocore.exceptions import ClientError, ParamValidationError
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tidemill import PermanentError, RateLimitedError, TransientError, seconds
from tidemill.domain.classify import Classification, FailureClass, classify, is_deterministic
from tidemill.domain.errors import FenceLostError, InputError, UnavailableError
from tidemill.domain.limits import MAX_DELAY
from tidemill.domain.signals import DependencyDownError

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PERMANENT, TRANSIENT = FailureClass.PERMANENT, FailureClass.TRANSIENT
DOWN, LIMITED = FailureClass.UNAVAILABLE, FailureClass.RATE_LIMITED
MISTAKE = Classification(TRANSIENT, deterministic=True)


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


def of_botocore(code, status=400, **headers):
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {k.replace("_", "-"): v for k, v in headers.items()}}
    return ClientError({"Error": {"Code": code, "Message": "boo"}, "ResponseMetadata": metadata}, "PutItem")


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
        (413, PERMANENT),
        (422, PERMANENT),
        (423, TRANSIENT),
        (425, TRANSIENT),
        (429, LIMITED),
        (500, TRANSIENT),
        (502, DOWN),
        (503, DOWN),
        (504, DOWN),
        (521, DOWN),
        (509, LIMITED),
        (524, TRANSIENT),
        (529, DOWN),
        (599, TRANSIENT),
        (301, TRANSIENT),
    ],
)
def test_an_http_status_is_recognised_in_every_clients_shape(shape, status, expected):
    assert classify(shape(status), NOW).failure is expected


@SHAPES
def test_a_503_that_says_when_is_a_request_to_wait(shape):
    assert classify(shape(503, Retry_After="7"), NOW) == Classification(LIMITED, seconds(7))


@SHAPES
def test_a_gateway_that_says_when_is_down_until_then_and_a_limits_reset_says_nothing_of_that(shape):
    assert classify(shape(502, Retry_After="7"), NOW) == Classification(DOWN, seconds(7))
    assert classify(shape(502, X_RateLimit_Reset="3600"), NOW) == Classification(DOWN)
    assert classify(shape(503, X_RateLimit_Reset="3600"), NOW) == Classification(DOWN)


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
        ("9" * 400, MAX_DELAY),
        ("999999999999999", MAX_DELAY),
        ("99999999999", MAX_DELAY),
        ("Fri, 31 Dec 9999 23:59:59 -2300", MAX_DELAY),
        ("", None),
        ("soon", None),
        ("-5", seconds(0)),
        ("1.5", seconds(1.5)),
        ("60, 60", seconds(60)),
        ("5, 60", seconds(60)),
        ("2026-11-22T12:01:00Z", seconds(60)),
        ("2026-11-22T13:01:00+01:00", seconds(60)),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
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


@pytest.mark.parametrize("value", ["-30", "1e11", "1e13"])
def test_a_wild_reset_is_bounded(value):
    assert timedelta(0) <= classify(of_httpx(429, X_RateLimit_Reset=value), NOW).wait <= MAX_DELAY


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
        ("InternalError", DOWN),
        ("InternalServerError", DOWN),
        ("ServiceUnavailable", DOWN),
        ("RequestTimeout", DOWN),
        ("503", DOWN),
        ("401", PERMANENT),
        ("429", LIMITED),
        ("412", PERMANENT),
        ("AWS.SimpleQueueService.NonExistentQueue", PERMANENT),
        ("BadRequestException", PERMANENT),
        ("ForbiddenException", PERMANENT),
        ("InvalidAccessKeyId", PERMANENT),
        ("InvalidArgument", PERMANENT),
        ("InvalidParameterValueException", PERMANENT),
        ("KMSAccessDeniedException", PERMANENT),
        ("MissingParameter", PERMANENT),
        ("NoSuchEntity", PERMANENT),
        ("NoSuchUpload", PERMANENT),
        ("NotAuthorizedException", PERMANENT),
        ("NotFoundException", PERMANENT),
        ("QueueDoesNotExist", PERMANENT),
        ("SignatureDoesNotMatch", PERMANENT),
        ("UnauthorizedException", PERMANENT),
        ("InvalidDBInstanceState", TRANSIENT),
        ("KMSThrottlingException", LIMITED),
        ("OverLimit", LIMITED),
        ("ThrottlingError", LIMITED),
        ("ExpiredToken", TRANSIENT),
        ("ExpiredIteratorException", TRANSIENT),
        ("RequestTimeTooSkewed", TRANSIENT),
        ("TransactionConflictException", TRANSIENT),
        ("ConditionalCheckFailedException", TRANSIENT),
    ],
)
def test_an_aws_error_is_recognised_by_its_code(code, expected):
    assert classify(of_botocore(code), NOW).failure is expected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, TRANSIENT),
        (401, PERMANENT),
        (403, PERMANENT),
        (404, PERMANENT),
        (409, TRANSIENT),
        (429, LIMITED),
        (500, DOWN),
        (501, TRANSIENT),
        (503, DOWN),
        (509, LIMITED),
    ],
)
def test_an_aws_error_of_an_unknown_code_is_recognised_by_its_status(status, expected):
    assert classify(of_botocore("NewWordException", status), NOW).failure is expected


def test_a_code_that_is_known_goes_before_the_status():
    assert classify(of_botocore("SlowDown", 503, retry_after="9"), NOW) == Classification(LIMITED, seconds(9))
    assert classify(of_botocore("AccessDenied", 500), NOW).failure is PERMANENT
    assert classify(of_botocore("ExpiredToken", 403), NOW).failure is TRANSIENT
    assert classify(of_botocore("ServiceUnavailable", 503, retry_after="9"), NOW) == Classification(DOWN, seconds(9))


@pytest.mark.parametrize(
    "response",
    [{}, {"ResponseMetadata": "x"}, {"Error": None}, {"Error": "text"}, {"Error": {}}, {"Error": {"Code": None}}, None],
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
        (RuntimeError("what"), Classification(TRANSIENT)),
        (ValueError("what"), MISTAKE),
        (TypeError("what"), MISTAKE),
        (InputError.at("step", "is taken"), MISTAKE),
        (FenceLostError("id", 3), Classification(TRANSIENT)),
        (SystemExit(1), Classification(TRANSIENT)),
        (TimeoutError(), Classification(TRANSIENT)),
        (RateLimitedError(), Classification(LIMITED)),
        (RateLimitedError("slow", seconds(9)), Classification(LIMITED, seconds(9))),
        (RateLimitedError("slow", seconds(-9)), Classification(LIMITED, seconds(0))),
        (RateLimitedError("slow", timedelta(days=4000)), Classification(LIMITED, MAX_DELAY)),
        (RateLimitedError("slow", 30), Classification(LIMITED, seconds(30))),
        (RateLimitedError("slow", 1.5), Classification(LIMITED, seconds(1.5))),
        (RateLimitedError("slow", 1e300), Classification(LIMITED, MAX_DELAY)),
        (RateLimitedError("slow", float("-inf")), Classification(LIMITED, seconds(0))),
        (a_validation_error(), Classification(PERMANENT)),
        (requests.ConnectionError("boo"), Classification(DOWN)),
        (ConnectionRefusedError(), Classification(DOWN)),
        (UnavailableError("PutItem", "throttled"), Classification(DOWN)),
        (DependencyDownError(), Classification(DOWN)),
        (DependencyDownError("the bank is closed", seconds(9)), Classification(DOWN, seconds(9))),
        (DependencyDownError("the bank is closed", timedelta(days=4000)), Classification(DOWN, MAX_DELAY)),
        (DependencyDownError("the bank is closed", 30), Classification(DOWN, seconds(30))),
    ],
    ids=repr,
)
def test_what_a_job_raises_says_what_becomes_of_it(error, expected):
    assert classify(error, NOW) == expected


def raised_from(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (ConnectionRefusedError(), Classification(DOWN)),
        (of_httpx(503), Classification(DOWN)),
        (of_httpx(429, Retry_After="5"), Classification(LIMITED, seconds(5))),
        (raised_from(RuntimeError(), ConnectionRefusedError()), Classification(DOWN)),
        # What the cause says of this request may be different for the caller.
        (of_httpx(404), MISTAKE),
        (PermanentError(), MISTAKE),
        (KeyError("x"), MISTAKE),
    ],
)
def test_an_unknown_error_means_what_it_was_raised_from_if_that_is_a_dependencys_doing(cause, expected):
    assert classify(raised_from(ValueError("wrapped"), cause), NOW) == expected


@pytest.mark.parametrize("error", [PermanentError(), TransientError(), of_httpx(404)])
def test_what_an_error_says_itself_goes_before_its_cause(error):
    assert classify(raised_from(error, ConnectionRefusedError()), NOW) == classify(error, NOW)
    assert classify(error, NOW).failure is not DOWN


def test_a_chain_without_end_is_followed_only_so_far():
    error = RuntimeError()
    assert classify(raised_from(error, error), NOW) == Classification(TRANSIENT)

    for _ in range(10_000):
        error = raised_from(RuntimeError(), error)
    assert classify(error, NOW) == Classification(TRANSIENT)


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ([ConnectionRefusedError(), of_httpx(429, Retry_After="5")], Classification(DOWN)),
        ([of_httpx(429, Retry_After="9"), of_httpx(429, Retry_After="5")], Classification(LIMITED, seconds(9))),
        ([ConnectionRefusedError(), TransientError()], Classification(TRANSIENT)),
        ([ValueError(), ConnectionRefusedError()], Classification(TRANSIENT)),
        ([ValueError(), KeyError()], MISTAKE),
        ([ConnectionRefusedError(), ExceptionGroup("inner", [PermanentError()])], Classification(PERMANENT)),
    ],
)
def test_of_a_groups_failures_the_gravest_counts(errors, expected):
    assert classify(ExceptionGroup("several", errors), NOW) == expected


def a_json_error():
    try:
        json.loads("<html>")
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        TypeError(),
        AttributeError(),
        NameError(),
        UnboundLocalError(),
        KeyError(),
        IndexError(),
        ValueError(),
        UnicodeDecodeError("utf-8", b"", 0, 1, "x"),
        ZeroDivisionError(),
        OverflowError(),
        AssertionError(),
        NotImplementedError(),
        RecursionError(),
        ImportError(),
        ModuleNotFoundError(),
        SyntaxError(),
        ParamValidationError(report="Missing required parameter"),
    ],
    ids=repr,
)
def test_a_mistake_in_the_code_is_told_from_bad_luck(error):
    assert is_deterministic(error)
    assert classify(error, NOW) == MISTAKE


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(),
        OSError(),
        MemoryError(),
        TimeoutError(),
        ConnectionResetError(),
        EOFError(),
        a_json_error(),
        requests.exceptions.JSONDecodeError("x", "<html>", 0),
        ssl.SSLCertVerificationError(),
        SystemExit(),
        Exception(),
    ],
    ids=repr,
)
def test_what_may_go_better_next_time_is_no_mistake(error):
    assert not is_deterministic(error)
    assert not classify(error, NOW).deterministic
