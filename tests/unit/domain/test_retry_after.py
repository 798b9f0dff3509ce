"""The wait that a response asks for, in every form that is in use."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from tidemill import seconds
from tidemill.domain.limits import MAX_DELAY
from tidemill.domain.retry_after import requested_wait, retry_after

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


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
        (format_datetime(NOW, usegmt=True).replace("12:00:00", "12:00:45"), seconds(45)),
        ("nan", None),
        ("inf", None),
        ("1e400", MAX_DELAY),
        ("later", None),
    ],
)
def test_a_rate_limits_reset_is_read_as_seconds_as_a_unix_time_or_as_a_date(header, value, expected):
    assert requested_wait({header: value}, NOW) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("limit=100, remaining=0, reset=50", seconds(50)),
        ('"default";r=0;t=30', seconds(30)),
        ("t=7", seconds(7)),
        ('"default";r=50', None),
        ("reset=soon", None),
        ("preset=5", None),
        ("reset=" + "9" * 400, MAX_DELAY),
    ],
)
def test_the_one_header_of_the_ietf_draft_is_read_in_both_of_its_forms(value, expected):
    assert requested_wait({"RateLimit": value}, NOW) == expected


@pytest.mark.parametrize("header", ["retry-after-ms", "x-ms-retry-after-ms"])
def test_retry_after_in_milliseconds_goes_before_its_seconds(header):
    assert retry_after({header: "1500", "Retry-After": "2"}, NOW) == seconds(1.5)
    assert retry_after({header: "soon", "Retry-After": "2"}, NOW) == seconds(2)
    assert retry_after({header: "9" * 400, "Retry-After": "2"}, NOW) == MAX_DELAY


def test_retry_after_goes_before_the_reset():
    assert requested_wait({"X-RateLimit-Reset": "5", "retry-after": "7"}, NOW) == seconds(7)
    assert requested_wait({"X-RateLimit-Reset": "5", "retry-after-ms": "7000"}, NOW) == seconds(7)


def test_a_reset_is_no_retry_after_and_no_header_says_nothing():
    assert retry_after({"X-RateLimit-Reset": "5"}, NOW) is None
    assert requested_wait({}, NOW) is None
