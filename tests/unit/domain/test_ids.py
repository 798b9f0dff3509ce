"""Identities."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW
from tidemill.domain.ids import keyed_job_id, milliseconds_of, time_ordered_id
from tidemill.domain.names import check_job_id

TIMES = st.integers(min_value=0, max_value=(1 << 48) - 1)
BITS = st.integers(min_value=0, max_value=(1 << 74) - 1)
NAMES = st.text("ab:/-.@,=+_", min_size=1, max_size=6)


@given(TIMES, BITS)
def test_a_time_ordered_id_is_a_uuid_of_version_7_that_carries_its_time(now_ms, bits):
    made = time_ordered_id(now_ms, bits)

    assert uuid.UUID(made).version == 7
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert milliseconds_of(made) == now_ms
    assert check_job_id(made) == made


@given(TIMES, TIMES, BITS, BITS)
def test_a_later_id_sorts_after_an_earlier_one(one, two, bits, more_bits):
    if one < two:
        assert time_ordered_id(one, bits) < time_ordered_id(two, more_bits)


@given(BITS, BITS)
def test_every_one_of_the_74_random_bits_is_kept(bits, other):
    assert (time_ordered_id(NOW, bits) == time_ordered_id(NOW, other)) == (bits == other)


@given(st.tuples(NAMES, NAMES, NAMES), st.tuples(NAMES, NAMES, NAMES))
def test_keyed_ids_are_equal_only_for_equal_tenant_kind_and_key(one, two):
    assert (keyed_job_id(*one) == keyed_job_id(*two)) == (one == two)


def test_moving_a_separator_between_the_parts_makes_another_id():
    shifted = {
        keyed_job_id("a", "b.c", "d"),
        keyed_job_id("a.b", "c", "d"),
        keyed_job_id("a", "b", "c.d"),
        keyed_job_id("a/b", "c", "d"),
        keyed_job_id("a", "b/c", "d"),
    }

    assert len(shifted) == 5


def test_a_keyed_id_is_a_uuid_of_version_8_and_never_changes():
    made = keyed_job_id("acme", "media.thumbnail", "k1")

    assert uuid.UUID(made).version == 8
    assert uuid.UUID(made).variant == uuid.RFC_4122
    assert made == check_job_id(made)
    # Recorded once: another value would make every known key a new job.
    assert made == "f8506722-31cc-838a-8ab1-a6a34c4b6be4"
