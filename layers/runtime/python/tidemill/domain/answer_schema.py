"""From the type that a kind declares for an answer to the form that asks for it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from tidemill.domain.answer_form import WHOLE, AnswerForm, Entry, FormField

# More references in a row than any schema of pydantic's has.
_MOST_REFS: Final = 8
_YES_NO: Final = (True, False)
_ENTRIES: Final = {"string": Entry.TEXT, "integer": Entry.INTEGER, "number": Entry.NUMBER}


def form_of(returns: Any) -> AnswerForm:
    """The form of a declared answer."""
    try:
        schema = TypeAdapter(returns).json_schema()
    except Exception:  # noqa: BLE001 - a type whose schema can't be written is filled in as JSON
        return AnswerForm((FormField(WHOLE, "Answer", "", Entry.JSON),), is_whole=True)
    defs = schema.get("$defs", {})
    top = _resolved(schema, defs)
    if top.get("type") != "object" or not ("properties" in top or top.get("additionalProperties") is False):
        return AnswerForm((_field(WHOLE, "Answer", top, defs, is_required=True),), is_whole=True)
    required = top.get("required", ())
    fields = [
        _field(f"{WHOLE}.{name}", name, one, defs, is_required=name in required)
        for name, one in top.get("properties", {}).items()
    ]
    return AnswerForm(tuple(fields), is_whole=False)


def _field(path: str, name: str, schema: Any, defs: Mapping[str, Any], *, is_required: bool) -> FormField:
    own = _resolved(schema, defs)
    variants = [_resolved(one, defs) for one in own.get("anyOf", [own])]
    concrete = [one for one in variants if one.get("type") != "null"]
    # Of a number or its text (a Decimal), the text is taken: it loses no digit.
    texts = [one for one in concrete if one.get("type") == "string" and "enum" not in one]
    chosen = concrete[0] if len(concrete) == 1 else texts[0] if texts else {}
    entry, choices = _entry(chosen)
    return FormField(
        path,
        str(own.get("title") or chosen.get("title") or name),
        str(own.get("description") or ""),
        entry,
        choices,
        is_required,
        len(concrete) < len(variants),
        json.dumps(own["default"]) if own.get("default") is not None else None,
        chosen.get("minimum", chosen.get("exclusiveMinimum")),
        chosen.get("maximum", chosen.get("exclusiveMaximum")),
        chosen.get("minLength", 0),
        chosen.get("maxLength"),
    )


def _entry(schema: Mapping[str, Any]) -> tuple[Entry, tuple[Any, ...]]:
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    if choices and all(isinstance(one, str | int | float | bool) for one in choices):
        return Entry.CHOICE, tuple(choices)
    if schema.get("type") == "boolean":
        return Entry.CHOICE, _YES_NO
    if schema.get("format") == "date":
        return Entry.DATE, ()
    return _ENTRIES.get(schema.get("type", ""), Entry.JSON), ()


def _resolved(schema: Any, defs: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(schema) if isinstance(schema, Mapping) else {}
    for _ in range(_MOST_REFS):
        if "$ref" not in found:
            break
        target = defs.get(found.pop("$ref").rpartition("/")[2], {})
        found = {**target, **found}
    return found
