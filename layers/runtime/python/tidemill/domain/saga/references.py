"""Typed references: what a step takes from the saga's arguments or from an earlier step, as data that can be checked.

`given.order_id` and `reserve.result.reservation_id` are values that name a field. Which field there is and of which
type it is are known when the saga is built, so that a slip is an error there and not in a running saga.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from tidemill.domain.errors import DefinitionError

# What a reference to the saga's own arguments begins with, where one to a step has the step's name.
ARGS: Final = ""
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reference leads.

    Attributes:
        step: the name of the step that it belongs to, or ARGS.
        type: as the model declares it. For the whole result of a step this is what its function returns.
    """

    step: str
    path: tuple[str, ...]
    type: Any

    def __str__(self) -> str:
        start = "the saga's arguments" if self.step == ARGS else f"{self.step}.result"
        return ".".join((start, *self.path))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Reference:
    """One field that is known once the saga runs.

    Attribute access goes one field deeper, as in `given.address.city`.

    Raises:
        DefinitionError: there is no such field, it has an alias, or what it is of has no fields.
    """

    _place: Place

    def __getattr__(self, name: str) -> Reference:
        if name.startswith("__"):
            raise AttributeError(name)
        place = self._place
        return Reference(Place(place.step, (*place.path, name), _field_type(place, name)))

    def __repr__(self) -> str:
        return str(self._place)

    def is_(self, value: str | float | bool) -> Condition:  # noqa: FBT001 - the value that is compared with
        """Whether it equals a text, a number or a flag."""
        return Condition(self, "equals", value)

    def above(self, value: float) -> Condition:
        """Whether it is a number greater than `value`."""
        return Condition(self, "above", value)

    def below(self, value: float) -> Condition:
        """Whether it is a number less than `value`."""
        return Condition(self, "below", value)


@dataclass(frozen=True, slots=True)
class Condition:
    """Under which a step runs. `negated`: it runs where this does not hold."""

    reference: Reference
    relation: str
    value: str | float | bool
    negated: bool = False

    def __post_init__(self) -> None:
        wanted = type(self.value)
        if wanted not in (str, int, float, bool) or (self.relation != "equals" and wanted in (str, bool)):
            raise DefinitionError(
                f"a condition on {self.reference!r} compares with {self.value!r}. "
                "Fix: is_(...) takes a text, a number or a flag, above(...) and below(...) a number"
            )
        place = place_of(self.reference)
        if not any(_comparable(one, wanted) for one in members_of(place.type)):
            raise DefinitionError(
                f"a condition compares {place}, which is {name_of(place.type)}, with "
                f"{self.value!r}. Fix: compare it with a value of its type"
            )

    def __invert__(self) -> Condition:
        """The opposite, written `~condition`."""
        return Condition(self.reference, self.relation, self.value, not self.negated)


def arguments(model: type[M]) -> Any:
    """What a saga will be started with, to refer to.

    given = arguments(PlaceOrderArgs)
    step("charge", charge_card, args={"cents": given.cents}, timeout=minutes(5))
    """
    return Reference(Place(ARGS, (), model))


def place_of(reference: Reference) -> Place:
    """Where a reference leads. Its own attributes are those of what it refers to."""
    return reference._place  # noqa: SLF001 - see above


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The types that a union allows; of any other type, itself."""
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,)


def name_of(annotation: Any) -> str:
    """A type in a message."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _field_type(place: Place, name: str) -> Any:
    model = place.type
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise DefinitionError(
            f"{place} is {name_of(model)}, which has no field {name!r}. Fix: refer to a field of a pydantic "
            "model; a job says with its return type what it returns"
        )
    field = model.model_fields.get(name)
    if field is None:
        known = ", ".join(model.model_fields) or "none"
        raise DefinitionError(f"{place} has no field {name!r}. Fix: name one of {model.__name__}: {known}")
    if field.alias or field.serialization_alias or field.validation_alias:
        # Which of its names stands in the JSON is a matter of how it is written.
        raise DefinitionError(f"{place}.{name} has an alias. Fix: refer to a field without one")
    return field.annotation


def _comparable(annotation: Any, wanted: type) -> bool:
    if annotation is Any:
        return True
    if not isinstance(annotation, type):
        return wanted in {type(value) for value in get_args(annotation)}
    if wanted is bool or issubclass(annotation, bool):
        return wanted is bool and issubclass(annotation, bool)
    return issubclass(annotation, str) if wanted is str else issubclass(annotation, int | float)
