"""No argument of a job is left in the evidence of its failure."""

import json
import time
import urllib.parse
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, SecretBytes, SecretStr, field_serializer

from tidemill import JobArgs
from tidemill.domain import limits
from tidemill.domain.hiding import HIDDEN, hide, strings_of

# Without the letters and brackets of the mark itself, so that whatever is found was really left.
TEXTS = st.text(alphabet=st.characters(exclude_characters="[hide n]"), min_size=4, max_size=60)


class Colour(StrEnum):
    RED = "very red"


@dataclass(frozen=True)
class Point:
    label: str


class Inner(BaseModel):
    name: str


class Everything(JobArgs, kind="test.everything"):
    plain: str = "plain text"
    short: str = "abc"
    blank: str = "     "
    number: int = 123456
    price: Decimal = Decimal("98765.4321")
    truth: bool = True
    nothing: str | None = None
    secret: SecretStr = SecretStr("pass phrase")
    secret_bytes: SecretBytes = SecretBytes(b"byte phrase")
    raw: bytes = b"raw bytes"
    many: tuple[str, ...] = ("first item", "second item")
    some: frozenset[str] = frozenset({"set member"})
    keyed: dict[str, Any] = Field(default_factory=lambda: {"a key of data": {"deeper": ["down here"]}})
    inner: Inner = Inner(name="inner name")
    point: Point = Point("label text")
    colour: Colour = Colour.RED
    day: date = date(2026, 11, 22)
    at: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)
    id: UUID = UUID("01934f6e-0000-7000-8000-00000000abcd")
    other: str = Field(default="by its alias", alias="anders")


def test_every_string_of_the_arguments_is_found_wherever_it_is():
    found = set(strings_of(Everything()))

    assert found >= {
        "plain text",
        "pass phrase",
        "byte phrase",
        "raw bytes",
        "first item",
        "second item",
        "set member",
        "a key of data",
        "deeper",
        "down here",
        "inner name",
        "label text",
        "very red",
        "2026-11-22",
        "2026-11-22T12:00:00Z",
        "2026-11-22 12:00:00+00:00",
        "01934f6e-0000-7000-8000-00000000abcd",
        "by its alias",
    }


def test_numbers_short_words_and_the_names_of_fields_are_not():
    found = strings_of(Everything())

    assert not {"abc", "     ", "123456", "True", "None", "plain", "anders", "name"} & set(found)
    assert not any(one.isdecimal() for one in found)


def test_the_longest_come_first_and_each_once():
    found = strings_of(Everything(plain="first item"))

    assert list(found) == sorted(found, key=len, reverse=True)
    assert len(set(found)) == len(found)


class Sealed(JobArgs, kind="test.sealed"):
    password: SecretStr

    @field_serializer("password")
    def _open(self, value: SecretStr) -> str:
        return value.get_secret_value()


class Stubborn(JobArgs, kind="test.stubborn"):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: str = "a stubborn name"
    thing: Any = None

    @field_serializer("thing")
    def _never(self, value: Any) -> str:
        raise RuntimeError(value)


class Mute:
    def __str__(self):
        raise RuntimeError("mute")


def test_a_secret_that_travels_is_found():
    assert strings_of(Sealed(password=SecretStr("open sesame")))[0] == "open sesame"


def test_arguments_that_cannot_be_written_are_still_searched():
    circle: list[Any] = ["in a circle"]
    circle.append(circle)

    assert strings_of(Stubborn(thing=Mute())) == ("a stubborn name",)
    assert set(strings_of(Stubborn(thing=b"\xffodd bytes"))) == {"a stubborn name", "odd bytes", "\\xffodd bytes"}
    assert strings_of(Stubborn(thing=circle)) == ("a stubborn name", "in a circle")


def test_the_bytes_of_a_message_that_fits_no_model_are_searched_too():
    canonical = b'{"a":["some text",{"the key":"more text"}],"n":123456,"t":true}'

    assert strings_of(canonical) == ("more text", "some text")


@pytest.mark.parametrize("canonical", [b"", b"\xff", b"{", b"[" * 100_000, b"null", b"7"])
def test_bytes_without_strings_are_no_error(canonical):
    assert strings_of(canonical) == ()


@given(st.lists(TEXTS, max_size=5), st.lists(st.text(max_size=20) | TEXTS, max_size=6), st.data())
def test_whatever_is_hidden_is_not_in_the_text(hidden, pieces, data):
    text = "".join(data.draw(st.permutations([*pieces, *hidden])))

    result = hide(text, hidden)

    assert not [value for value in hidden if value in result]


@given(st.text(max_size=200), st.lists(st.text(min_size=1, max_size=10)))
def test_a_text_without_any_of_it_stays_as_it_is(text, hidden):
    absent = [value for value in hidden if value.isalnum() and value.isascii() and value not in text]

    assert hide(text, absent) == text
    assert hide(text, ()) == text


@given(TEXTS)
def test_a_string_is_known_in_each_of_its_forms(value):
    for form in (
        repr(value),
        ascii(value),
        repr({"k": [value]}),
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        urllib.parse.quote(value, errors="replace"),
        urllib.parse.quote(value, safe="", errors="replace"),
        urllib.parse.urlencode({"k": value}, errors="replace"),
    ):
        assert HIDDEN in hide(form, [value])
    assert hide(f"<{repr(value)[1:-1]}>", [value]) == f"<{HIDDEN}>"


@pytest.mark.parametrize("form", ["Ada%20Love%2Flace", "Ada%20Love/lace", "Ada+Love%2Flace", "Ada Love/lace"])
def test_a_string_is_known_in_each_spelling_of_a_url(form):
    assert hide(f"https://example.com/?q={form}&p=1", ["Ada Love/lace"]) == f"https://example.com/?q={HIDDEN}&p=1"


@given(st.text(alphabet="abcdefgh ", min_size=33, max_size=300), st.integers(32, 300), TEXTS)
def test_a_long_string_that_was_cut_short_is_known_by_its_beginning(value, length, rest):
    assert value[:32] not in hide(f"{value[:length]}{rest}", [value])
    assert hide(f"({value[:length]}...)", [value]) == f"({HIDDEN}...)"


@pytest.mark.parametrize(
    ("text", "hidden", "expected"),
    [
        ("abcdefgh", ["abcd", "cdefgh"], HIDDEN),
        ("abcdefgh", ["abcd", "efgh"], HIDDEN),
        ("abcd efgh", ["abcd", "efgh"], f"{HIDDEN} {HIDDEN}"),
        ("abcdef", ["abcdef", "bcde"], HIDDEN),
        ("aaaaaaaa", ["aaaa"], HIDDEN),
        ("-abcd", ["abcd"], f"-{HIDDEN}"),
        ("the hidden door", ["hidden"], f"the {HIDDEN} door"),
        ("no such [hidden]", ["such"], f"no {HIDDEN} [hidden]"),
        ("name: Ada", ["  Ada"], "name: Ada"),
        ("name: Grace", ["  Grace "], f"name: {HIDDEN}"),
        ("abc", [""], "abc"),
        ("\ud800x", ["\ud800x"], HIDDEN),
    ],
)
def test_occurrences_that_meet_become_one(text, hidden, expected):
    assert hide(text, hidden) == expected


@given(st.integers(32, 200), st.lists(TEXTS, min_size=1, max_size=4), st.data())
def test_a_cut_leaves_no_part_of_a_hidden_string(searched, hidden, data):
    filler = st.text(alphabet="_", max_size=60)
    text = "".join(part for value in hidden for part in (data.draw(filler), value))
    whole = hide(text, hidden)

    part = hide(text, hidden, searched)

    assert whole.startswith(part)
    if len(text) <= searched:
        assert part == whole


@pytest.mark.parametrize("secret", ["Q" * 8, "Q" * 31, "Q" * 32, "Q" * 500])
def test_a_string_at_the_cut_goes_with_it(secret):
    for at in range(64 - min(len(secret), 40), 65):
        assert "Q" not in hide("-" * at + secret + "-" * 99, [secret], 64)
    assert hide("-" * 99, [secret], 64) == "-" * 32


def test_the_most_that_a_message_can_hold_is_hidden_within_a_second():
    class Many(JobArgs, kind="test.many"):
        items: tuple[str, ...]

    args = Many(items=tuple(f"{number:04x}" for number in range(limits.MAX_ARGS_BYTES // 7 - 2)))
    args.canonical()

    start = time.process_time()
    hide("x" * 5_000, strings_of(args))

    assert time.process_time() - start < 1.0
