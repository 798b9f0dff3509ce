"""What a job hears: a type of event, each fact of which becomes one job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic.json_schema import JsonSchemaMode

from tidemill.domain.args import JobArgs
from tidemill.domain.contract import Contract
from tidemill.domain.errors import DefinitionError
from tidemill.domain.event import Event

# Where a schema says nothing of a value's type.
_ANY: Final = frozenset({"any"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """One type of event that makes jobs of a kind. Declared by `tidemill.events.on`."""

    event: type[Event]


def check_filled(where: str, args_type: type[JobArgs], event: type[Event]) -> None:
    """Refuse arguments of which an event of the class would leave something out.

    Raises:
        DefinitionError: it lacks a field that they need, or has it as another type.
    """
    given, wanted = _schema(event, "serialization"), _schema(args_type, "validation")
    # What an event leaves out is its default, which is published too.
    properties = given.get("properties", {})
    for name, wants in wanted.get("properties", {}).items():
        field, has = f"{args_type.__name__}.{name}", properties.get(name)
        if has is None and name in wanted.get("required", ()):
            raise DefinitionError(
                f"{where}: {field} is no field of {event.__name__}. Fix: give it a default, or publish it"
            )
        if has is not None and not _fits(_types(has, given), _types(wants, wanted)):
            kinds = " or ".join(sorted(_types(has, given))), " or ".join(sorted(_types(wants, wanted)))
            raise DefinitionError(
                f"{where}: {field} takes {kinds[1]}, {event.__name__}.{name} is {kinds[0]}. Fix: give both one type"
            )


def _schema(contract: type[Contract], mode: JsonSchemaMode) -> Mapping[str, Any]:
    return contract.model_json_schema(by_alias=True, mode=mode)


def _fits(given: frozenset[str], wanted: frozenset[str]) -> bool:
    # A whole number is a number too.
    wider = wanted | ({"integer"} if "number" in wanted else frozenset())
    return bool(_ANY & (given | wanted)) or given <= wider


def _types(schema: Any, root: Mapping[str, Any]) -> frozenset[str]:
    """The JSON types that a schema allows, as far as it says so."""
    if not isinstance(schema, Mapping):
        return _ANY
    if "$ref" in schema:
        return _types(root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2]), root)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return frozenset().union(*(_types(one, root) for one in schema[several]))
    named = schema.get("type", ())
    return frozenset({named} if isinstance(named, str) else named) or _ANY
