"""When a job is to start, as callers say it."""

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest

from tests.builders import NOW
from tidemill import days, hours, seconds
from tidemill.domain.due import check_delay, due_at, parse_moment
from tidemill.domain.errors import InputError

HERE = datetime.fromtimestamp(NOW / 1000, UTC)


class NoZone(tzinfo):
    """A zone that does not say what it is."""

    def utcoffset(self, when):
        return None


def code_of(refused):
    (violation,) = refused.value.violations
    return violation.field, violation.code


@pytest.mark.parametrize(
    ("moment", "due"),
    [
        (HERE + seconds(1), NOW + 1_000),
        (HERE + days(365), NOW + 365 * 86_400_000),
        (HERE, NOW),
        (HERE - seconds(30), NOW),
        (HERE + timedelta(microseconds=1), NOW + 1),
        (HERE + timedelta(microseconds=1_999), NOW + 2),
        ((HERE + hours(1)).astimezone(ZoneInfo("Europe/Paris")), NOW + 3_600_000),
        ((HERE + hours(1)).astimezone(timezone(timedelta(hours=-11))), NOW + 3_600_000),
    ],
)
def test_a_moment_is_the_same_in_every_zone_and_never_early(moment, due):
    assert due_at(moment, NOW, "to") == due


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (HERE.replace(tzinfo=None) + hours(1), "naive"),
        ((HERE + hours(1)).replace(tzinfo=NoZone()), "naive"),
        (HERE - seconds(30) - timedelta(milliseconds=1), "past"),
        (datetime.min.replace(tzinfo=UTC), "past"),
        (HERE + days(365) + timedelta(milliseconds=1), "range"),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))), "range"),
        (date(2027, 1, 1), "type"),
        ("2027-01-01T00:00:00Z", "type"),
        (NOW, "type"),
        (None, "type"),
    ],
)
def test_what_is_no_moment_of_the_year_ahead_is_refused(moment, code):
    with pytest.raises(InputError) as refused:
        due_at(moment, NOW, "to")

    assert code_of(refused) == ("to", code)


def test_both_passes_of_an_hour_that_comes_twice_are_told_apart():
    first = datetime(2027, 10, 31, 2, 30, tzinfo=ZoneInfo("Europe/Paris"))

    assert due_at(first.replace(fold=1), NOW, "to") - due_at(first, NOW, "to") == 3_600_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-15T09:00:00Z", datetime(2027, 1, 15, 9, tzinfo=UTC)),
        ("2027-01-15t09:00:00z", datetime(2027, 1, 15, 9, tzinfo=UTC)),
        ("2027-01-15 09:00+01:00", datetime(2027, 1, 15, 8, tzinfo=UTC)),
        ("2027-01-15T09:00:00.250-03:30", datetime(2027, 1, 15, 12, 30, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_as_rfc_3339_writes_it(text, moment):
    assert parse_moment(text, "run_at") == moment


@pytest.mark.parametrize(
    "text",
    [
        "2027-01-15T09:00:00",
        "2027-01-15",
        "20270115T090000Z",
        "2027-02-30T09:00:00Z",
        "2027-01-15T24:00:00Z",
        "2027-01-15T09:00:00+99:00",
        "2027-01-15T09:00:00Z\n",
        "٢٠٢٧-01-15T09:00:00Z",
        "now",
        "",
        1_800_000_000,
        True,
        None,
        [],
    ],
)
def test_any_other_text_is_refused_and_says_what_is_wanted(text):
    with pytest.raises(InputError, match="2026-12-01T09:00:00") as refused:
        parse_moment(text, "run_at")

    assert code_of(refused) == ("run_at", "format")


@pytest.mark.parametrize("span", [seconds(0), seconds(0.001), days(365)])
def test_a_delay_is_at_most_a_year(span):
    assert check_delay(span, "delay") == span


@pytest.mark.parametrize("span", [seconds(-1), days(365) + seconds(1), timedelta.max, 5, None, "5m"])
def test_any_other_delay_is_refused(span):
    with pytest.raises(InputError, match="delay"):
        check_delay(span, "delay")
