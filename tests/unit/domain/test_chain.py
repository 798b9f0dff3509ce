"""The hash chain: whatever is changed, taken out, put in or moved is found, at the first fact that does not fit."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.streams import a_fact, some_facts
from tidemill.domain.chain import EMPTY, Break, Head, Recorded, chained, first_break, link
from tidemill.domain.fact import Fact

OTHER = {
    "id": "01a3185c-5000-7000-8000-ffffffffffff",
    "type": "account.opened",
    "data": b'{"cents":0}',
    "tenant": "zeta",
    "at": 1,
    "correlation_id": "another",
    "version": 2,
    "causation_id": "job-1",
    "subject": "account/8",
    "sequence": 99,
    "traceparent": "00-0",
    "hops": 1,
}
lengths = st.integers(1, 12)


def test_a_chain_fits_itself_whole_and_in_parts():
    recorded = some_facts(9)

    assert first_break(EMPTY, recorded) is None
    assert first_break(recorded[3].head, recorded[4:]) is None
    assert recorded[-1].head == Head(9, recorded[-1].hash)


@pytest.mark.parametrize("field", [field.name for field in fields(Fact)])
def test_every_field_of_a_fact_is_in_its_hash(field):
    fact = a_fact(1)

    assert link(EMPTY.hash, replace(fact, **{field: OTHER[field]})) != link(EMPTY.hash, fact)


def test_the_hash_of_the_fact_before_is_in_it_too():
    assert link("0" * 64, a := a_fact(2)) != link("1" * 64, a)


def test_the_hash_is_the_same_for_all_time():
    """Facts outlive every version of this code, so their hashes must too."""
    fact = Fact("0190aaaa-0000-7000-8000-000000000001", "a.b", b'{"x":1}', "acme", 5, "c", subject="a/1", sequence=1)

    assert link(EMPTY.hash, fact) == "fb2a065fc37e13b3cf5bf4fd524d9825550b8d8c5edad631f23a264a247811f4"


@given(lengths, st.data())
def test_one_changed_byte_is_found_at_its_fact(length, data):
    recorded = list(some_facts(length))
    at = data.draw(st.integers(0, length - 1))
    old = recorded[at].fact.data
    byte = data.draw(st.integers(0, len(old) - 1))
    changed = old[:byte] + bytes([old[byte] ^ data.draw(st.integers(1, 255))]) + old[byte + 1 :]
    recorded[at] = replace(recorded[at], fact=replace(recorded[at].fact, data=changed))

    assert first_break(EMPTY, recorded) == Break(at + 1, "altered")


@given(lengths, st.data())
def test_an_altered_fact_with_a_hash_that_fits_is_found_at_the_next_one(length, data):
    recorded = list(some_facts(length + 1))
    at = data.draw(st.integers(0, length - 1))
    before = recorded[at - 1].head if at else EMPTY
    recorded[at : at + 1] = chained(before, [replace(recorded[at].fact, data=b'{"cents":0}')])

    assert first_break(EMPTY, recorded) == Break(at + 2, "altered")


@given(st.integers(2, 12), st.data())
def test_a_fact_that_is_taken_out_is_found(length, data):
    recorded = list(some_facts(length))
    at = data.draw(st.integers(0, length - 2))
    del recorded[at]

    assert first_break(EMPTY, recorded) == Break(at + 1, "missing")


@given(st.integers(2, 12), st.data())
def test_facts_that_change_places_are_found(length, data):
    recorded = list(some_facts(length))
    one, other = sorted(data.draw(st.sets(st.integers(0, length - 1), min_size=2, max_size=2)))
    first, second = recorded[one].fact, recorded[other].fact
    # With the versions of the places that they are in now.
    recorded[one] = Recorded(replace(second, sequence=one + 1), recorded[one].hash)
    recorded[other] = Recorded(replace(first, sequence=other + 1), recorded[other].hash)

    assert first_break(EMPTY, recorded) == Break(one + 1, "altered")


@given(lengths, st.data())
def test_a_cut_tail_fits_and_only_a_kept_head_tells(length, data):
    recorded = some_facts(length)
    left = recorded[: data.draw(st.integers(0, length - 1))]

    assert first_break(EMPTY, left) is None
    assert (left[-1].head if left else EMPTY) != recorded[-1].head
