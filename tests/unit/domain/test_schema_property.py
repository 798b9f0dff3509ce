"""Whatever two models are: where nothing is called breaking, the new one reads all that the old one writes."""

from typing import Annotated, Any, Literal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from tidemill import JobArgs
from tidemill.domain.schema.comparing import compare
from tidemill.domain.schema.shape import schema_of

FIELDS = ("a", "b", "c")
NUMBERS = st.integers(-3, 3)
WORDS = ("", "x", "xy", "xyz")
# Whether a field is there at all is part of what is drawn.
ABSENT = object()


def bounds(number):
    return st.fixed_dictionaries({}, optional=dict.fromkeys(("ge", "gt", "le", "lt"), number)).filter(
        lambda given: not ({"ge", "gt"} <= given.keys() or {"le", "lt"} <= given.keys())
    )


@st.composite
def lengths(draw):
    least, most = draw(st.integers(0, 2)), draw(st.integers(1, 4))
    return {"min_length": least, "max_length": most} if draw(st.booleans()) else {}


def limited(base, limits):
    return limits.map(lambda given: Annotated[base, Field(**given)] if given else base)


def models(fields):
    return fields.map(
        lambda given: create_model(
            "Inner", **{name: one for name, one in given.items() if one is not ABSENT}, __base__=BaseModel
        )
    )


def field_of(types):
    return st.one_of(
        st.just(ABSENT),
        types.map(lambda one: (one, ...)),
        types.map(lambda one: (one | None if not isinstance(one, type(Any)) else one, None)),
    )


LEAVES = st.one_of(
    limited(int, bounds(NUMBERS)),
    limited(float, bounds(NUMBERS)),
    limited(int, st.sampled_from([{"multiple_of": 2}, {"multiple_of": 3}, {"multiple_of": 6}])),
    limited(str, lengths()),
    st.sampled_from([bool, Any, Annotated[str, Field(pattern="^x")]]),
    st.lists(st.sampled_from([*WORDS, 0, 1, True, None]), min_size=1, max_size=4).map(
        lambda values: Literal[tuple(values)]
    ),
)
TYPES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: list[one]),
        inner.map(lambda one: set[int]),
        inner.map(lambda one: dict[str, one]),
        st.tuples(inner, inner).map(lambda two: tuple[two]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1] if two[0] is not Any and two[1] is not Any else Any),
        models(st.fixed_dictionaries({name: field_of(inner) for name in FIELDS})),
    ),
    max_leaves=4,
)
MODELS = st.fixed_dictionaries({name: field_of(TYPES) for name in FIELDS})

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.sampled_from([0.5, 1.0, 2.5]), st.sampled_from(WORDS)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*FIELDS, "d"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def made(fields):
    return create_model("Made", __base__=JobArgs, **{name: one for name, one in fields.items() if one is not ABSENT})


@st.composite
def neighbours(draw):
    """Two models, the second mostly the first with one field drawn anew."""
    old = draw(MODELS)
    if draw(st.booleans()):
        name = draw(st.sampled_from(FIELDS))
        return old, {**old, name: draw(field_of(TYPES))}
    return old, draw(MODELS)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(neighbours(), st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, JSON)), min_size=4, max_size=12))
def test_what_is_not_called_breaking_can_be_read(pair, documents):
    old, new = (made(fields) for fields in pair)
    breaking = [change for change in compare(schema_of(old), schema_of(new), "args") if change.breaking]
    assume(not breaking)
    for document in documents:
        try:
            written = old.from_input(document).canonical()
        except Exception:  # noqa: BLE001, S112 - not every document is one of the old model's
            continue
        new.from_message(written, 1)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(MODELS)
def test_a_model_never_breaks_itself(fields):
    schema = schema_of(made(fields))

    assert compare(schema, schema, "args") == []
