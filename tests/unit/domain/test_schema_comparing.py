"""Which change of a schema would let new code misread, or refuse, what old code wrote."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from tidemill import JobArgs
from tidemill.domain.schema.comparing import compare
from tidemill.domain.schema.shape import schema_of


class Line(BaseModel):
    sku: str
    count: int = 1


class LineWithPrice(Line):
    price: int


class LineWithNote(Line):
    note: str | None = None


class Node(BaseModel):
    value: int
    kids: list["Node"] = []


class NodeOfText(BaseModel):
    value: str
    kids: list["NodeOfText"] = []


class Card(BaseModel):
    by: Literal["card"] = "card"
    number: str


class Cash(BaseModel):
    by: Literal["cash"] = "cash"


class CashInCoins(BaseModel):
    by: Literal["cash"] = "cash"
    coins: int


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int


Paid = Annotated[Card | Cash, Field(discriminator="by")]
PaidOtherwise = Annotated[Card | CashInCoins, Field(discriminator="by")]
# One list of choices, where a union would be two.
MAYBE_X = Literal["x", None]  # noqa: PYI061


def model(**fields):
    given = {
        name: one if isinstance(one, tuple) and len(one) == 2 and not isinstance(one[0], tuple) else (one, ...)
        for name, one in fields.items()
    }
    return create_model("Made", __base__=JobArgs, **given)


def changes(old, new):
    return compare(schema_of(model(**old)), schema_of(model(**new)), "args")


BREAKING = {
    "a required field is new": ({"a": int}, {"a": int, "b": int}, "args.b is new and required"),
    "a field is required": ({"a": (int, 1)}, {"a": int}, "args.a could be left out, and is required"),
    "another type": ({"a": str}, {"a": int}, "args.a was string, and is integer"),
    "a number is whole": ({"a": float}, {"a": int}, "args.a was number, and is integer"),
    "null is refused": ({"a": int | None}, {"a": int}, "args.a no longer takes null"),
    "anything is something": ({"a": Any}, {"a": int}, "args.a took anything, and is integer"),
    "a choice is gone": ({"a": Literal["x", "y"]}, {"a": Literal["x"]}, 'args.a no longer takes "y"'),
    "choices where there were none": ({"a": str}, {"a": Literal["x"]}, 'args.a was string, and is "x" only'),
    "true is not one": ({"a": Literal[True]}, {"a": Literal[1]}, "args.a no longer takes true"),
    "a higher minimum": ({"a": Annotated[int, Field(ge=1)]}, {"a": Annotated[int, Field(ge=2)]}, "args.a has minimum"),
    "an open minimum": ({"a": Annotated[int, Field(ge=1)]}, {"a": Annotated[int, Field(gt=1)]}, "args.a has minimum"),
    "a first maximum": ({"a": int}, {"a": Annotated[int, Field(le=2)]}, "args.a has maximum 2"),
    "a lower maximum": ({"a": Annotated[int, Field(lt=3)]}, {"a": Annotated[int, Field(lt=2)]}, "args.a has maximum"),
    "a multiple": ({"a": int}, {"a": Annotated[int, Field(multiple_of=5)]}, "args.a has multipleOf 5"),
    "a longer text": ({"a": str}, {"a": Annotated[str, Field(min_length=1)]}, "args.a has minLength 1"),
    "a shorter text": (
        {"a": Annotated[str, Field(max_length=9)]},
        {"a": Annotated[str, Field(max_length=8)]},
        "args.a has maxLength 8, and had 9",
    ),
    "a pattern": ({"a": str}, {"a": Annotated[str, Field(pattern="^x")]}, "args.a has pattern"),
    "a choice that breaks a limit": (
        {"a": Literal["x", "yyy"]},
        {"a": Annotated[str, Field(max_length=2)]},
        'args.a no longer takes "yyy"',
    ),
    "within a list": ({"a": list[str]}, {"a": list[int]}, "args.a[] was string, and is integer"),
    "within a mapping": ({"a": dict[str, str]}, {"a": dict[str, int]}, "args.a{} was string, and is integer"),
    "within a model in a list": (
        {"a": list[Line]},
        {"a": list[LineWithPrice]},
        "args.a[].price is new and required",
    ),
    "within a model that may be null": (
        {"a": Line | None},
        {"a": LineWithPrice | None},
        "args.a.price is new and required",
    ),
    "within a type that holds itself": ({"a": Node}, {"a": NodeOfText}, "args.a.value was integer, and is string"),
    "a member of a union": ({"a": int | str}, {"a": int}, "args.a no longer takes string"),
    "a tagged member": ({"a": Paid}, {"a": PaidOtherwise}, "args.a.coins is new and required"),
    "a tag that could be left out": ({"a": Cash}, {"a": Paid}, "args.a.by tells the members of a union apart"),
    "a list is a set": ({"a": list[int]}, {"a": set[int]}, "args.a is a set now"),
    "a list is a tuple": ({"a": list[int]}, {"a": tuple[int, int]}, "args.a was any number of elements, and is 2"),
    "a longer tuple": ({"a": tuple[int]}, {"a": tuple[int, int]}, "args.a was 1 elements, and is 2"),
    "within a tuple": ({"a": tuple[int, str]}, {"a": tuple[int, int]}, "args.a[1] was string, and is integer"),
    "fewer elements": ({"a": list[int]}, {"a": Annotated[list[int], Field(max_length=2)]}, "args.a has maxItems 2"),
    "a mapping is a model": ({"a": dict[str, int]}, {"a": Line}, "args.a.sku is new and required"),
    "a mapping of anything is a model": ({"a": dict[str, Any]}, {"a": Line}, "args.a.sku is new and required"),
    "a model is a mapping": ({"a": Line}, {"a": dict[str, int]}, "args.a.sku was string, and is integer"),
    "choices of names": (
        {"a": dict[str, int]},
        {"a": dict[Literal["x"], int]},
        'args.a was string, and is "x" only',
    ),
    "what was free is given a type": ({"a": Open}, {"a": Line}, "args.a.sku is new and required"),
}
COMPATIBLE = {
    "nothing": ({"a": int}, {"a": int}, None),
    "an optional field is new": ({"a": int}, {"a": int, "b": (int, 1)}, "args.b is new, and may be left out"),
    "a field may be left out": ({"a": int}, {"a": (int, 1)}, "args.a may be left out now"),
    "a field is gone": ({"a": int, "b": int}, {"a": int}, "args.b is gone"),
    "another default": ({"a": (int, 1)}, {"a": (int, 2)}, "args.a is 2 if left out, and was 1"),
    "a whole number is any": ({"a": int}, {"a": float}, "args.a was integer, and is number"),
    "null is taken": ({"a": int}, {"a": int | None}, "args.a takes more than before"),
    "anything is taken": ({"a": int}, {"a": Any}, "args.a takes anything now"),
    "a choice more": ({"a": Literal["x"]}, {"a": Literal["x", "y"]}, "args.a takes more than before"),
    "any text instead of choices": ({"a": Literal["x"]}, {"a": str}, None),
    "any number instead of choices": ({"a": Literal[1, 2]}, {"a": Annotated[int, Field(ge=1)]}, None),
    "choices of a type that may be null": ({"a": MAYBE_X}, {"a": str | None}, None),
    "null among choices": ({"a": Literal["x"] | None}, {"a": MAYBE_X}, None),
    "a lower minimum": ({"a": Annotated[int, Field(gt=1)]}, {"a": Annotated[int, Field(ge=1)]}, "args.a has minimum"),
    "no maximum": ({"a": Annotated[int, Field(le=2)]}, {"a": int}, "args.a has maximum none"),
    "a part of the multiple": (
        {"a": Annotated[int, Field(multiple_of=10)]},
        {"a": Annotated[int, Field(multiple_of=5)]},
        "args.a has multipleOf 5",
    ),
    "a shorter text": (
        {"a": Annotated[str, Field(min_length=2)]},
        {"a": Annotated[str, Field(min_length=1)]},
        "args.a",
    ),
    "no pattern": ({"a": Annotated[str, Field(pattern="^x")]}, {"a": str}, "args.a has pattern none"),
    "within a model in a list": ({"a": list[Line]}, {"a": list[LineWithNote]}, "args.a[].note is new"),
    "a type that holds itself": ({"a": Node}, {"a": Node}, None),
    "a member of a union more": ({"a": int}, {"a": int | str}, "args.a takes more than before"),
    "the members of a union in another order": ({"a": int | str}, {"a": str | int}, None),
    "a tagged member more": ({"a": Annotated[Card, Field()]}, {"a": Card | Cash}, "args.a takes more than before"),
    "a tuple is a list": ({"a": tuple[int, str]}, {"a": list[int | str]}, None),
    "more elements": (
        {"a": Annotated[list[int], Field(max_length=2)]},
        {"a": Annotated[list[int], Field(max_length=3)]},
        "args.a has maxItems 3",
    ),
    "choices of names, one more": (
        {"a": dict[Literal["x"], int]},
        {"a": dict[Literal["x", "y"], int]},
        None,
    ),
    "a mapping of anything": ({"a": dict[str, int]}, {"a": dict[str, Any]}, None),
    "a model is a mapping of anything": ({"a": Line}, {"a": dict[str, Any]}, None),
    "words": (
        {"a": Annotated[int, Field(description="old", title="Old")]},
        {"a": Annotated[int, Field(description="new")]},
        None,
    ),
}


@pytest.mark.parametrize("case", BREAKING)
def test_what_breaks_is_called_so_and_named(case):
    old, new, said = BREAKING[case]
    found = changes(old, new)

    assert [str(one) for one in found if one.breaking and str(one).startswith(said)], found


@pytest.mark.parametrize("case", COMPATIBLE)
def test_what_breaks_nothing_passes(case):
    old, new, said = COMPATIBLE[case]
    found = changes(old, new)

    assert [str(one) for one in found if one.breaking] == []
    assert said is None or [one for one in found if str(one).startswith(said)], found


def test_nothing_is_said_of_what_is_equal():
    for old, _, _ in [*BREAKING.values(), *COMPATIBLE.values()]:
        assert changes(old, old) == []


def test_what_can_not_be_compared_is_called_breaking():
    new = {"type": "object", "properties": {"a": {"type": "string", "not": {"enum": ["x"]}}}}

    assert [one.breaking for one in compare({"type": "object", "properties": {"a": {"type": "string"}}}, new, "args")]


def test_a_schema_that_nobody_can_write_down_is_anything():
    class Custom:
        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            from pydantic_core import core_schema

            return core_schema.no_info_plain_validator_function(lambda value: value)

    assert schema_of(model(a=Custom)) == {}


def test_a_field_may_be_called_as_a_keyword_is():
    found = schema_of(model(title=str, description=int, properties=bool))

    assert sorted(found["properties"]) == ["description", "properties", "title"]
    assert found["required"] == ["description", "properties", "title"]
