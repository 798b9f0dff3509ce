"""Comparing what a single value may be: its type, its choices and its limits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Final

from tidemill.domain.schema.change import Change, Schema

# A limit of the old schema has to be as strict as that of the new one: (keyword, whether it is a least).
_COUNTS: Final = (
    ("minLength", True),
    ("maxLength", False),
    ("minItems", True),
    ("maxItems", False),
    ("minProperties", True),
    ("maxProperties", False),
)
# What is the same, or can't be compared.
_EXACT: Final = (
    "format",
    "pattern",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "patternProperties",
    "not",
    "if",
    "then",
    "else",
    "allOf",
    "contains",
    "minContains",
    "maxContains",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_TYPES: Final[dict[type, str]] = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def described(schema: Schema) -> str:
    """What the schema takes, in a few words."""
    if "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema["enum"])
    kind = str(schema.get("type", "anything"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def limit_changes(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    """How the limits of two schemas of one type differ."""
    for keyword, is_least in _COUNTS:
        yield from _limit(old, new, path, keyword, is_least=is_least)
    yield from _bound(old, new, path, least=True)
    yield from _bound(old, new, path, least=False)
    yield from _multiple(old, new, path)
    if new.get("uniqueItems") and not old.get("uniqueItems"):
        yield Change(path, "is a set now: equal elements and their order are lost", breaking=True)
    for keyword in _EXACT:
        before, now = old.get(keyword), new.get(keyword)
        if before != now:
            yield _differs(path, keyword, before, now, breaking=keyword in new)


def takes(schema: Schema, value: Any) -> bool:
    """Whether one branch of a schema takes a constant; False where that can't be told."""
    if "enum" in schema:
        return any(same(value, one) for one in schema["enum"])
    wanted, kind = schema.get("type"), _TYPES.get(type(value), "object")
    if wanted is not None and kind != wanted and (kind, wanted) != ("integer", "number"):
        return False
    as_schema: Schema = {"type": kind}
    if isinstance(value, str):
        as_schema |= {"minLength": len(value), "maxLength": len(value)}
    elif isinstance(value, int | float) and not isinstance(value, bool):
        as_schema |= {"minimum": value, "maximum": value, "multipleOf": value or 1}
    return not any(change.breaking for change in limit_changes(as_schema, schema, ""))


def same(one: Any, other: Any) -> bool:
    """Whether two constants are one in JSON, where true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _limit(old: Schema, new: Schema, path: str, keyword: str, *, is_least: bool) -> Iterator[Change]:
    before, now = old.get(keyword), new.get(keyword)
    if before == now:
        return
    harder = now is not None and (before is None or (now > before if is_least else now < before))
    # The least length that there is excludes nothing.
    yield _differs(path, keyword, before, now, breaking=harder and not (is_least and now == 0))


def _bound(old: Schema, new: Schema, path: str, *, least: bool) -> Iterator[Change]:
    before, now = _edge(old, least=least), _edge(new, least=least)
    if before == now:
        return
    harder = now is not None and (before is None or _excludes(now, before, least=least))
    yield _differs(path, "minimum" if least else "maximum", _said(before), _said(now), breaking=harder)


def _edge(schema: Schema, *, least: bool) -> tuple[Any, bool] | None:
    """The limit of a number, and whether it is itself excluded."""
    closed, open_ = ("minimum", "exclusiveMinimum") if least else ("maximum", "exclusiveMaximum")
    found = [(schema[name], name == open_) for name in (closed, open_) if name in schema]
    if not found:
        return None
    return max(found) if least else min(found, key=lambda edge: (edge[0], not edge[1]))


def _excludes(now: tuple[Any, bool], before: tuple[Any, bool], *, least: bool) -> bool:
    """Whether a limit excludes what another one lets in."""
    if now[0] == before[0]:
        return now[1] and not before[1]
    return bool(now[0] > before[0]) if least else bool(now[0] < before[0])


def _said(edge: tuple[Any, bool] | None) -> str | None:
    return None if edge is None else f"{edge[0]}{' (excluded)' if edge[1] else ''}"


def _multiple(old: Schema, new: Schema, path: str) -> Iterator[Change]:
    before, now = old.get("multipleOf"), new.get("multipleOf")
    if before == now:
        return
    step = before if before is not None else (1 if old.get("type") == "integer" else None)
    fits = now is None or (step is not None and (Fraction(str(step)) / Fraction(str(now))).denominator == 1)
    yield _differs(path, "multipleOf", before, now, breaking=not fits)


def _differs(path: str, keyword: str, before: Any, now: Any, *, breaking: bool) -> Change:
    was = "none" if before is None else before
    return Change(path, f"has {keyword} {'none' if now is None else now}, and had {was}", breaking)
