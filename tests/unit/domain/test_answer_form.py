"""From a declared answer to a form, and from what is filled in to the answer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Literal

import pytest
from pydantic import Field

from tidemill import JobArgs
from tidemill.domain.answer_form import Entry
from tidemill.domain.answer_schema import form_of
from tidemill.domain.answers import checked_answer
from tidemill.domain.errors import InputError


class Carrier(Enum):
    SHIP = "ship"
    PLANE = "plane"


class Level(Enum):
    LOW = 1
    HIGH = 2


class Inner(JobArgs):
    deep: int


class Decision(JobArgs):
    """All that a form knows, and a part that it does not."""

    granted: bool = Field(title="May it?", description="It can't be undone.")
    carrier: Carrier = Carrier.SHIP
    level: Level | None = None
    parcels: int = Field(ge=1, le=9)
    share: float = 0.5
    price: Decimal | None = None
    on: date | None = None
    note: str = ""
    code: str = Field(default="A1", max_length=4)
    inner: Inner | None = None
    tags: list[str] = Field(default=[])


FULL = {
    "answer.granted": "true",
    "answer.carrier": '"plane"',
    "answer.level": "2",
    "answer.parcels": " 3 ",
    "answer.share": "1e-1",
    "answer.price": "10.10",
    "answer.on": "2026-11-27",
    "answer.note": "two\r\nlines",
    "answer.code": "B2",
    "answer.inner": '{"deep": 1}',
    "answer.tags": '["a"]',
}


def entries_of(returns: Any) -> dict[str, Entry]:
    return {field.path: field.entry for field in form_of(returns).fields}


def given(returns: Any, entries: dict[str, str]) -> str:
    """The answer as the job will see it."""
    return checked_answer("kind", {"name": returns}, "name", form_of(returns).filled_in(entries))[1]


def test_each_field_has_the_entry_that_fits_it():
    assert entries_of(Decision) == {
        "answer.granted": Entry.CHOICE,
        "answer.carrier": Entry.CHOICE,
        "answer.level": Entry.CHOICE,
        "answer.parcels": Entry.INTEGER,
        "answer.share": Entry.NUMBER,
        "answer.price": Entry.TEXT,
        "answer.on": Entry.DATE,
        "answer.note": Entry.TEXT,
        "answer.code": Entry.TEXT,
        "answer.inner": Entry.JSON,
        "answer.tags": Entry.JSON,
    }
    granted, carrier, level, parcels, *_ = form_of(Decision).fields
    assert (granted.label, granted.hint, granted.choices) == ("May it?", "It can't be undone.", (True, False))
    assert (carrier.choices, carrier.default, carrier.is_required) == (("ship", "plane"), '"ship"', False)
    assert (level.choices, level.takes_null) == ((1, 2), True)
    assert (parcels.low, parcels.high, parcels.must_be_filled_in) == (1, 9, True)


def test_what_is_filled_in_fits_the_model():
    assert given(Decision, FULL) == (
        '{"carrier":"plane","code":"B2","granted":true,"inner":{"deep":1},"level":2,"note":"two\\nlines",'
        '"on":"2026-11-27","parcels":3,"price":"10.10","share":0.1,"tags":["a"]}'
    )


def test_what_is_left_empty_is_left_out():
    empty = dict.fromkeys(FULL, "")

    assert form_of(Decision).filled_in({**empty, "answer.granted": "false", "answer.parcels": "1"}) == {
        "granted": False,
        "parcels": 1,
    }


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("answer.granted", "yes"),
        ("answer.granted", "1"),
        ("answer.granted", ""),
        ("answer.carrier", '"cart"'),
        ("answer.carrier", "ship"),
        ("answer.level", "true"),
        ("answer.parcels", "1.5"),
        ("answer.parcels", "three"),
        ("answer.parcels", "true"),
        ("answer.share", "NaN"),
        ("answer.share", "1e999"),
        ("answer.share", '"1"'),
        ("answer.inner", "{"),
        ("answer.more", "x"),
        ("granted", "true"),
    ],
)
def test_what_is_no_value_of_its_sort_is_refused_by_name(path, text):
    with pytest.raises(InputError) as refused:
        form_of(Decision).filled_in({**FULL, path: text})
    assert [violation.field for violation in refused.value.violations] == [path]


def test_every_fault_is_told_at_once():
    with pytest.raises(InputError) as refused:
        form_of(Decision).filled_in({"answer.share": "x"})
    assert {one.field for one in refused.value.violations} == {"answer.granted", "answer.parcels", "answer.share"}


@pytest.mark.parametrize(
    ("returns", "text", "value"),
    [
        (bool, "false", "false"),
        (int, "12", "12"),
        (float, "12", "12"),
        (str, "free", '"free"'),
        (str, "", '""'),
        (Literal["yes", "no"], '"no"', '"no"'),
        (Literal["only"], '"only"', '"only"'),
        (Carrier, '"ship"', '"ship"'),
        (bool | None, "", "null"),
        (int | None, "", "null"),
        (date, "2026-11-27", '"2026-11-27"'),
        (list[int], "[1]", "[1]"),
        (dict[str, int], '{"a": 1}', '{"a":1}'),
        (int | bool, "1", "1"),
        (Any, '"x"', '"x"'),
    ],
)
def test_an_answer_that_is_no_model_is_one_field(returns, text, value):
    (field,) = form_of(returns).fields

    assert field.path == "answer"
    assert given(returns, {"answer": text}) == value


def test_a_model_without_fields_asks_for_nothing():
    class Done(JobArgs):
        """Nothing to say but that it is done."""

    assert form_of(Done).fields == ()
    assert form_of(Done).filled_in({}) == {}


def test_a_model_of_itself_is_asked_for_as_json():
    class Tree(JobArgs):
        leaf: int = 0
        below: Tree | None = None

    Tree.model_rebuild(_types_namespace={"Tree": Tree})
    assert entries_of(Tree) == {"answer.leaf": Entry.INTEGER, "answer.below": Entry.JSON}


def test_an_answer_is_told_in_the_words_of_its_form():
    told = form_of(Decision).told({"granted": True, "parcels": 2, "level": None, "gone": "x"})

    assert told == [("May it?", "Yes"), ("Level", "not given"), ("Parcels", "2"), ("gone", "x")]
    assert form_of(bool).told(False) == [("Answer", "No")]
