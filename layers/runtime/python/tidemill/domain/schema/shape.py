"""The schema of a contract as it is kept and compared: JSON Schema from pydantic, without what changes no meaning."""

from __future__ import annotations

from typing import Any, Final

from pydantic import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema

from tidemill.domain.contract import Contract
from tidemill.domain.schema.change import Schema

# Words about a field, which say nothing of what it takes.
_WORDS: Final = frozenset({"title", "description", "examples", "deprecated", "readOnly", "writeOnly", "$comment"})
# Keywords whose value is a schema, schemas by a name, or a list of schemas.
_ONE: Final = frozenset({"items", "additionalProperties", "propertyNames", "not", "if", "then", "else", "contains"})
_NAMED: Final = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})
_LISTED: Final = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})


class _Silent(GenerateJsonSchema):
    """A default that JSON can't say is left out without a warning."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}


def schema_of(contract: type[Contract]) -> Schema:
    """What the contract's current version takes. `{}`, which is anything, where JSON Schema can't say it."""
    try:
        schema = contract.model_json_schema(mode="validation", schema_generator=_Silent)
    except PydanticInvalidForJsonSchema:
        return {}
    stripped: Schema = _stripped(schema)
    return stripped


def _stripped(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    return {keyword: _value(keyword, value) for keyword, value in sorted(schema.items()) if keyword not in _WORDS}


def _value(keyword: str, value: Any) -> Any:
    if keyword in _ONE:
        return _stripped(value)
    if keyword in _NAMED and isinstance(value, dict):
        # A field may be called as a keyword is.
        return {name: _stripped(one) for name, one in sorted(value.items())}
    if keyword in _LISTED and isinstance(value, list):
        return [_stripped(one) for one in value]
    if keyword == "required":
        return sorted(value)
    return value
