"""Cursors: there and back, and nowhere else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.aws.strategies import ID, NAME
from tidemill.aws.cursor import START, Position, decode, encode
from tidemill.aws.items import SHARDS
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef

REF = JobRef("acme", "00000000-0000-7000-8000-000000000000")
SHARD = st.integers(0, SHARDS - 1)
TENANT = NAME.filter(lambda name: re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name))
POSITIONS = st.builds(Position, SHARD) | st.builds(
    Position, SHARD, st.from_regex(r"\A[0-9]{13}\Z"), st.builds(JobRef, TENANT, ID)
)


@given(POSITIONS, st.text())
def test_there_and_back(position, scope):
    cursor = encode(position, scope)

    assert decode(cursor, scope) == position
    assert re.fullmatch(r"[A-Za-z0-9_-]+", cursor)


def test_no_cursor_is_the_start():
    assert decode(None, "any") == START


@given(POSITIONS, st.text(), st.text())
def test_another_listing_refuses_it(position, scope, other):
    if scope != other:
        with pytest.raises(InputError):
            decode(encode(position, scope), other)


@given(st.text())
def test_any_text_is_refused_with_its_field(text):
    with pytest.raises(InputError) as refused:
        decode(text, "scope")

    assert [violation.field for violation in refused.value.violations] == ["cursor"]


@given(POSITIONS, st.data())
def test_one_changed_letter_is_refused(position, data):
    cursor = encode(position, "scope")
    place = data.draw(st.integers(0, len(cursor) - 1))
    letter = data.draw(st.sampled_from("ABCDabcd0189-_").filter(lambda letter: letter != cursor[place]))

    with pytest.raises(InputError):
        decode(cursor[:place] + letter + cursor[place + 1 :], "scope")


@pytest.mark.parametrize(
    "position",
    [
        Position(SHARDS),
        Position(0, "12", REF),
        Position(0, "1" * 13, JobRef("a#b", REF.id)),
        Position(0, "1" * 13, JobRef("acme", "x")),
    ],
)
def test_a_well_sealed_cursor_still_names_a_place_that_can_be(position):
    with pytest.raises(InputError):
        decode(encode(position, "scope"), "scope")
