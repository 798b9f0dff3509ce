"""JSON as the RFC means it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill.domain.errors import InputError
from tidemill.domain.strict_json import check_depth, dump_canonical, load_strict

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)


def nested(levels: int) -> str:
    """A document with `levels` levels below its root."""
    return "[" * levels + "1" + "]" * levels


@given(VALUES)
def test_what_canonical_writes_strict_reads_back(value):
    assert load_strict(dump_canonical(value, "x"), "x") == value


@given(st.dictionaries(st.text(), st.integers()), st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_change_the_canonical_bytes(document, random):
    pairs = list(document.items())
    random.shuffle(pairs)

    assert dump_canonical(dict(pairs), "x") == dump_canonical(document, "x")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("NaN", "json"),
        ("[Infinity]", "json"),
        ('{"a":-Infinity}', "json"),
        ("1e999", "json"),
        ("-1e999", "json"),
        ("[1e999]", "json"),
        ('{"a":1,"a":2}', "json"),
        ('{"a":1,"\\u0061":2}', "json"),
        ('[{"b":{"a":1,"a":1}}]', "json"),
        ("1" * 5_000, "json"),
        ("", "json"),
        ("{", "json"),
        ("{} {}", "json"),
        ("{'a':1}", "json"),
        ("[1,]", "json"),
        ("01", "json"),
        ('"\t"', "json"),
        ("\ufeff{}", "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b'"\xff"', "encoding"),
        (b'"\xed\xa0\x80"', "encoding"),
        ('"\ud800"', "encoding"),
        ('"\\ud800"', "encoding"),
        ('"\\udc00\\ud800"', "encoding"),
        ('{"\\ud800":1}', "encoding"),
        (nested(33), "depth"),
        (nested(100_000), "depth"),
        ('{"a":' * 100_000, "depth"),
        ('{"a":' * 33 + "1" + "}" * 33, "depth"),
    ],
)
def test_anything_two_readers_could_read_differently_is_refused(text, code):
    with pytest.raises(InputError) as refused:
        load_strict(text, "body")

    (violation,) = refused.value.violations
    assert (violation.field, violation.code) == ("body", code)


def test_a_refusal_names_the_repeated_key_but_never_quotes_all_of_it():
    key = "k" * 1000

    with pytest.raises(InputError) as refused:
        load_strict(json.dumps({key: 1})[:-1] + f',"{key}":2}}', "body")

    assert "k" * 30 in str(refused.value)
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("text", [nested(32), '{"a":' * 32 + "1" + "}" * 32, '"\\ud83d\\ude00"', "1" * 4_000])
def test_what_is_just_within_the_bounds_is_read(text):
    assert load_strict(text, "body") is not None


def test_a_whole_pair_of_surrogates_is_one_character():
    assert load_strict('"\\ud83d\\ude00"', "body") == "\U0001f600"


@pytest.mark.parametrize(
    "document",
    [float("nan"), [float("inf")], {"a": "\ud800"}, {"\udfff": 1}, {1, 2}, object(), {1: 1, "1": 2}, b"bytes"],
)
def test_what_json_cannot_carry_has_no_canonical_form(document):
    with pytest.raises(InputError) as refused:
        dump_canonical(document, "args")

    assert refused.value.violations[0].field == "args"


def test_a_document_too_deep_for_the_parser_has_no_canonical_form():
    document: list[object] = []
    for _ in range(100_000):
        document = [document]

    with pytest.raises(InputError, match="deeper"):
        dump_canonical(document, "args")


def test_depth_counts_the_levels_below_the_root():
    check_depth({"a": [1]}, "x", 2)

    with pytest.raises(InputError):
        check_depth({"a": [1]}, "x", 1)
