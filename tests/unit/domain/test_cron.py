"""What five fields mean, what EventBridge Scheduler is told, and which texts are refused."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.domain.cron_expressions import Meant, expressions, fires_by_scheduler
from tidemill.domain.cron import Cron, Every
from tidemill.domain.duration import days, hours, minutes, seconds
from tidemill.domain.errors import DefinitionError, InputError

MINUTE = timedelta(minutes=1)
MOMENTS = st.integers(0, 7 * 366 * 86_400).map(
    lambda second: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
)
FRIDAY = datetime(2026, 11, 27, 16, 0, tzinfo=UTC)


def walked(meant: Meant, after: datetime, span: timedelta) -> list[datetime]:
    """The same as `next_fires`, by looking at every minute."""
    first = after.replace(second=0, microsecond=0) + MINUTE
    every = (first + MINUTE * number for number in range(span // MINUTE))
    return [moment for moment in every if meant.holds(moment)]


@settings(deadline=None, max_examples=150)
@given(expressions(), MOMENTS)
def test_next_fires_are_those_of_a_walk_over_every_minute(meant, after):
    span = days(4)
    until = after.replace(second=0, microsecond=0) + span

    fires = list(takewhile(lambda fire: fire <= until, Cron(meant.text).fires(after)))

    assert fires == walked(meant, after, span)


@settings(deadline=None, max_examples=300)
@given(expressions(), st.lists(MOMENTS, min_size=1, max_size=20))
@example(Meant("0 0 13 * 5", {0}, {0}, {13}, set(range(1, 13)), {5}), [datetime(2026, 11, 13, tzinfo=UTC)])
def test_what_scheduler_is_told_names_the_same_minutes(meant, moments):
    cron = Cron(meant.text)

    assert all(len(expression) <= 256 for expression in cron.expressions)
    for moment in moments:
        # A minute that is likely to be one of them.
        near = moment.replace(minute=min(meant.minutes), hour=max(meant.hours))
        for wall in (moment, near):
            assert any(fires_by_scheduler(one, wall) for one in cron.expressions) == meant.holds(wall)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 9 * * MON-FRI", ["cron(0 9 ? * MON-FRI *)"]),
        ("* * * * *", ["cron(* * * * ? *)"]),
        ("*/15 8-18 * * *", ["cron(0/15 8-18 * * ? *)"]),
        ("0,30 9-17/2 1,15 jan-mar *", ["cron(0,30 9,11,13,15,17 1,15 1-3 ? *)"]),
        ("0 0 * * 0", ["cron(0 0 ? * SUN *)"]),
        ("0 0 * * 7", ["cron(0 0 ? * SUN *)"]),
        ("0 0 * * FRI-SUN", ["cron(0 0 ? * SUN,FRI,SAT *)"]),
        ("0 0 13 * FRI", ["cron(0 0 13 * ? *)", "cron(0 0 ? * FRI *)"]),
        ("@yearly", ["cron(0 0 1 1 ? *)"]),
        ("@Monthly", ["cron(0 0 1 * ? *)"]),
        ("@weekly", ["cron(0 0 ? * SUN *)"]),
        ("@daily", ["cron(0 0 * * ? *)"]),
        ("@hourly", ["cron(0 * * * ? *)"]),
        (" 0  9 * * 1 ", ["cron(0 9 ? * MON *)"]),
        ("0 0 29 2 *", ["cron(0 0 29 2 ? *)"]),
    ],
)
def test_an_expression_in_schedulers_words(text, told):
    assert list(Cron(text).expressions) == told


def test_either_day_field_is_enough():
    fires = Cron("0 0 13 * FRI").next_fires(datetime(2026, 11, 8, tzinfo=UTC), 4)

    assert [fire.strftime("%a %d") for fire in fires] == ["Fri 13", "Fri 20", "Fri 27", "Fri 04"]


def test_a_leap_day_is_waited_for():
    assert [fire.year for fire in Cron("0 0 29 2 *").next_fires(datetime(2097, 1, 1, tzinfo=UTC), 2)] == [2104, 2108]


def test_the_last_year_ends_it():
    assert Cron("@daily").next_fires(datetime(2199, 12, 30, tzinfo=UTC), 9) == [datetime(2199, 12, 31, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("0 0 30 2 *", "cron.day-of-month", "'30' in month '2' is a date that no year has"),
        ("0 0 31 2,4,6,9,11 *", "cron.day-of-month", "is a date that no year has"),
        ("0 0 30,31 FEB MON", "cron.day-of-month", "is a date that no year has"),
        ("60 * * * *", "cron.minute", "'60' is no minute. Fix: write 0 to 59"),
        ("* 24 * * *", "cron.hour", "'24' is no hour. Fix: write 0 to 23"),
        ("* * 0 * *", "cron.day-of-month", "'0' is no day-of-month. Fix: write 1 to 31"),
        ("* * * 13 *", "cron.month", "Fix: write 1 to 12, or JAN to DEC"),
        ("* * * * 8", "cron.day-of-week", "Fix: write 0 to 7, or SUN to SAT"),
        ("* * * * FRO", "cron.day-of-week", "'FRO' is no day-of-week"),
        ("MON * * * *", "cron.minute", "'MON' is no minute"),
        ("5,,6 * * * *", "cron.minute", "'' is no minute"),
        ("-5 * * * *", "cron.minute", "'' is no minute"),
        ("1-2-3 * * * *", "cron.minute", "'2-3' is no minute"),
        ("\N{SUPERSCRIPT ONE} * * * *", "cron.minute", "is no minute"),
        ("0 22-2 * * *", "cron.hour", "'22-2' runs backwards. Fix: write two ranges: 22-23,0-2"),
        ("*/0 * * * *", "cron.minute", "Fix: write a step of 1 to 59"),
        ("*/90 * * * *", "cron.minute", "Fix: write a step of 1 to 59"),
        ("*/ * * * *", "cron.minute", "Fix: write a step of 1 to 59"),
        ("5-5/1 * * * *", "cron.minute", "Fix: write a step of none"),
        ("0 9 ? * MON", "cron.day-of-month", "'?' is EventBridge's own sign. Fix: write *"),
        ("0 9 * * 5#2", "cron.day-of-week", "an extension that five-field cron does not have"),
        ("0 9 3W * *", "cron.day-of-month", "an extension that five-field cron does not have"),
        ("0 0 */2 * MON", "cron.day-of-month", "both must match, which EventBridge can't say"),
        ("0 0 1 * */2", "cron.day-of-month", "both must match, which EventBridge can't say"),
        ("* * * *", "cron", "has 4 fields, not five"),
        ("0 * * * * *", "cron", "Fix: leave seconds and years out"),
        ("cron(0 9 * * ? *)", "cron", "Fix: leave the word and the parentheses out"),
        ("", "cron", "has 0 fields"),
        ("@dayly", "cron", "did you mean '@daily'?"),
        ("@reboot", "cron", "nothing here boots"),
        (None, "cron", "must be a string"),
    ],
)
def test_what_is_refused_names_the_field_the_text_and_the_fix(text, field, says):
    with pytest.raises(DefinitionError) as caught:
        Cron(text)

    assert f"{field}: " in str(caught.value)
    assert says in str(caught.value)
    assert repr(text)[:60] in str(caught.value)


@given(st.text(alphabet="0123456789*/-,MONSUJA@ ?#LW", max_size=30))
def test_any_text_is_an_expression_or_a_definition_error(text):
    with suppress(DefinitionError):
        assert Cron(text).expressions


@pytest.mark.parametrize("tz", ["", "Europe/", "../etc/passwd", "Europe Paris", 5, "E" * 51])
def test_what_can_be_no_zone_is_refused_when_it_is_written(tz):
    with pytest.raises(DefinitionError, match="no time zone is called"):
        Cron("@daily", tz=tz)


@pytest.mark.parametrize(("tz", "near"), [("Europe/Pariss", "Europe/Paris"), ("america/new_york", "America/New_York")])
def test_an_unknown_zone_is_refused_with_those_near_to_it(tz, near):
    with pytest.raises(InputError, match=f"is no time zone that this machine knows. Fix: did you mean .*{near}"):
        Cron("@daily", tz=tz).next_fires(FRIDAY, 1)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(InputError, match="after: has no time zone"):
        Cron("@daily").next_fires(FRIDAY.replace(tzinfo=None), 1)


@pytest.mark.parametrize(
    ("span", "told", "said"),
    [
        (minutes(1), "rate(1 minute)", "every minute"),
        (minutes(5), "rate(5 minutes)", "every 5 minutes"),
        (minutes(90), "rate(90 minutes)", "every 90 minutes"),
        (hours(1), "rate(1 hour)", "every hour"),
        (hours(36), "rate(36 hours)", "every 36 hours"),
        (days(1), "rate(1 day)", "every day"),
        (days(365), "rate(365 days)", "every 365 days"),
    ],
)
def test_a_span_in_schedulers_words(span, told, said):
    assert Every(span).expressions == (told,)
    assert str(Every(span)) == said


@pytest.mark.parametrize("span", [seconds(0), seconds(30), seconds(90), minutes(-5), days(366), 5, None])
def test_a_span_that_scheduler_can_not_count_is_refused(span):
    with pytest.raises(DefinitionError, match="Fix: "):
        Every(span)


@given(
    st.integers(1, 10_000).map(minutes),
    MOMENTS,
    st.timedeltas(-days(30), days(30)),
)
def test_a_span_counts_from_its_creation(span, since, later):
    fires = Every(span).next_fires(since + later, 3, since=since)

    assert all((fire - since) % span == timedelta(0) for fire in fires)
    assert [second - first for first, second in pairwise(fires)] == [span, span]
    assert fires[0] > since + later if later >= timedelta(0) else fires[0] == since
    assert fires[0] - span <= since + later or fires[0] == since
