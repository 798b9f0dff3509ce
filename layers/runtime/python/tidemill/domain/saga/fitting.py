"""Whether what a saga hands to a job is what the job takes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from tidemill.domain.args import JobArgs
from tidemill.domain.errors import DefinitionError
from tidemill.domain.saga.references import Reference, arguments, members_of, name_of, place_of

# What a job's fields are filled with: a reference, or a constant of JSON.
Filling: TypeAlias = Mapping[str, Any]


def filling_of(where: str, target: type[JobArgs], given: object, saga_args: type[JobArgs]) -> dict[str, Any]:
    """What fills each field of `target`; by name from the saga's arguments where nothing is given.

    Raises:
        DefinitionError: a field is missing, unknown, or filled with what it does not take.
    """
    if given is None:
        names = [name for name in target.model_fields if name in saga_args.model_fields]
        given = {name: getattr(arguments(saga_args), name) for name in names}
    if not isinstance(given, Mapping):
        raise DefinitionError(f"{where}: args is {given!r}. Fix: args={{'field': reference or constant}}")
    unknown = [name for name in given if name not in target.model_fields]
    if unknown:
        known = ", ".join(target.model_fields) or "none"
        raise DefinitionError(f"{where}: {target.__name__} has no field {unknown[0]!r}. Fix: name one of: {known}")
    for name, field in target.model_fields.items():
        _check_field(f"{where}: {target.__name__}.{name}", name, field, given)
    return dict(given)


def references_in(filling: Filling) -> list[Reference]:
    """The references of a filling."""
    return [value for value in filling.values() if isinstance(value, Reference)]


def _check_field(where: str, name: str, field: FieldInfo, given: Mapping[str, Any]) -> None:
    if name not in given:
        if field.is_required():
            raise DefinitionError(f"{where} is filled with nothing. Fix: args={{{name!r}: ...}}")
        return
    if field.alias or field.validation_alias:
        raise DefinitionError(f"{where} has an alias. Fix: give the job a field without one")
    value = given[name]
    if isinstance(value, Reference):
        place = place_of(value)
        if not _fits(place.type, field.annotation):
            raise DefinitionError(
                f"{where} is {name_of(field.annotation)}, {place} is {name_of(place.type)}. "
                "Fix: refer to a field of the same type"
            )
        return
    _check_constant(where, field, value)


def _check_constant(where: str, field: FieldInfo, value: object) -> None:
    if holds_reference(value):
        raise DefinitionError(
            f"{where}: a reference stands inside of {value!r}. Fix: fill the whole field with one reference"
        )
    if not _is_json(value):
        raise DefinitionError(f"{where} is filled with {value!r}. Fix: give a reference, or a constant of JSON")
    try:
        # As the worker will: from JSON, and without coercion.
        TypeAdapter(field.rebuild_annotation()).validate_json(json.dumps(value), strict=True)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"]
        raise DefinitionError(f"{where} does not take {value!r}: {problem}. Fix: give what it takes") from None


def _fits(source: Any, target: Any) -> bool:
    """Whether every value of type `source`, as JSON, is one of type `target`."""
    if target is Any or source == target:
        return True
    return all(any(_is_one(one, other) for other in members_of(target)) for one in members_of(source))


def _is_one(source: Any, target: Any) -> bool:
    if source == target or target is Any or (source is int and target is float):
        return True
    plain = isinstance(source, type) and isinstance(target, type)
    # A subclass has at least the fields, but True is no number.
    return plain and issubclass(source, target) and not (issubclass(source, bool) and target is not bool)


def holds_reference(value: object) -> bool:
    """Whether a reference stands somewhere inside a constant."""
    if isinstance(value, Mapping):
        return any(map(holds_reference, value.values()))
    if isinstance(value, list | tuple):
        return any(map(holds_reference, value))
    return isinstance(value, Reference)


def _is_json(value: object) -> bool:
    if isinstance(value, Mapping):
        # A name that ends so is a path in the language of the state machine.
        return all(isinstance(key, str) and not key.endswith(".$") and _is_json(one) for key, one in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return value is None or isinstance(value, str | int | bool) or (isinstance(value, float) and abs(value) < 1e308)
