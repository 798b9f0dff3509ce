from datetime import timedelta

import pytest

from tidemill.cli.durations import parse_duration, written
from tidemill.domain.errors import InputError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86_400), ("1h30m", 5400), ("365d", 31_536_000)],
)
def test_what_people_type(text, seconds):
    assert parse_duration(text, "delay") == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5M", "1.5h", "5m!", "٣m", "5ms", "1w", "9" * 20 + "s"])
def test_anything_else_is_refused_by_name(text):
    with pytest.raises(InputError, match=r"^delay: must be a duration such as 90s"):
        parse_duration(text, "delay")


@pytest.mark.parametrize("text", ["366d", "365d1s", "999999999d"])
def test_a_year_is_the_longest(text):
    with pytest.raises(InputError, match="at most 365d"):
        parse_duration(text, "delay")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (90, "90s"), (450, "450s"), (900, "15m"), (3600, "1h"), (345_600, "4d")]
)
def test_written_as_it_is_read(seconds, text):
    assert written(seconds) == text
    assert parse_duration(text, "delay") == timedelta(seconds=seconds)
