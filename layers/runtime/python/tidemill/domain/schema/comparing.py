"""Whether a new schema reads all that an old one wrote: a pure function of the two.

It errs on one side: what can't be told apart from a breaking change is called one. What no JSON Schema says, such as
the rules of a validator, it can't see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from tidemill.domain.schema.change import GONE, Change, Schema
from tidemill.domain.schema.scalars import described, limit_changes, same, takes

# Keywords that say nothing of a value, or are dealt with apart.
_ASIDE: Final = frozenset({"default", "discriminator", "$defs", "$ref", "anyOf", "oneOf"})
_MISSING: Final = object()


def compare(old: Schema, new: Schema, part: str) -> list[Change]:
    """How `new` differs from `old` in what it takes. `part` begins every path: `args` or `data`.

    Without a breaking change, every document that a model of `old` wrote can be read by one of `new`, which ignores
    fields that it does not have.
    """
    return _Comparison(old.get("$defs", {}), new.get("$defs", {})).compare(old, new, part)


class _Comparison:
    def __init__(self, olds: dict[str, Schema], news: dict[str, Schema]) -> None:
        self._olds = olds
        self._news = news
        # Pairs of references that are being compared further up: a type may hold itself.
        self._above: list[tuple[str, str]] = []

    def compare(self, old: Any, new: Any, path: str) -> list[Change]:
        """The changes from one schema to the other."""
        mark = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True))
        if mark in self._above:
            return []
        self._above.append(mark)
        try:
            return self._compared(_branches(old, self._olds), _branches(new, self._news), path)
        finally:
            self._above.pop()

    def _compared(self, olds: list[Schema], news: list[Schema], path: str) -> list[Change]:
        if any(_is_anything(one) for one in news):
            return [] if any(_is_anything(one) for one in olds) else [Change(path, "takes anything now", False)]
        if any(_is_anything(one) for one in olds):
            return [Change(path, f"took anything, and is {_all(news)}", breaking=True)]
        found: list[Change] = []
        # Null apart, so that the fields of what may be null are named.
        pair = [[one for one in side if one.get("type") != "null"] for side in (olds, news)]
        left = olds
        if len(pair[0]) == len(pair[1]) == 1 and ("enum" not in pair[0][0] or len(news) == 1):
            found += self._branch(pair[0][0], pair[1][0], path)
            left = [one for one in olds if one.get("type") == "null"]
        for one in left:
            found += self._in_any(one, news, path)
        if not any(change.breaking for change in found) and len(news) > len(olds):
            found.append(Change(path, f"takes more than before: {_all(news)}", breaking=False))
        return found

    def _in_any(self, old: Schema, news: list[Schema], path: str) -> list[Change]:
        """The changes to the branch that takes what the old one did; else that none does."""
        if "enum" in old or old.get("type") == "null":
            lost = [value for value in old.get("enum", [None]) if not any(takes(one, value) for one in news)]
            return [Change(path, f"no longer takes {json.dumps(value)}", breaking=True) for value in lost]
        tries = [self._branch(old, one, path) for one in news]
        alike = [one for one, new in zip(tries, news, strict=True) if _is_alike(old, new)]
        best = min(tries, key=lambda one: (sum(change.breaking for change in one), len(one)), default=None)
        if best is not None and not any(change.breaking for change in best):
            return best
        return alike[0] if len(alike) == 1 else [Change(path, f"no longer takes {described(old)}", breaking=True)]

    def _branch(self, old: Schema, new: Schema, path: str) -> list[Change]:
        if "enum" in old:
            found = self._in_any(old, [new], path)
            more = "enum" in new and any(not takes(old, value) for value in new["enum"])
            return found or ([Change(path, f"takes more than before: {described(new)}", False)] if more else [])
        if "enum" in new:
            return [Change(path, f"was {described(old)}, and is {described(new)} only", breaking=True)]
        before, now = old.get("type"), new.get("type")
        if now is not None and before != now and (before, now) != ("integer", "number"):
            return [Change(path, f"was {described(old)}, and is {described(new)}", breaking=True)]
        found = list(limit_changes(old, new, path))
        if before == "object":
            found += self._object(old, new, path)
        elif before == "array":
            found += self._array(old, new, path)
        elif before != now:
            found.append(Change(path, f"was {described(old)}, and is {described(new)}", breaking=False))
        return found

    # --- objects ----------------------------------------------------------------------------------

    def _object(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        if (tag := _tag(new)) is not None and tag != _tag(old) and tag not in old.get("required", ()):
            yield Change(f"{path}.{tag}", "tells the members of a union apart, and could be left out", breaking=True)
        before, now = old.get("properties", {}), new.get("properties", {})
        for name in sorted(before.keys() & now.keys()):
            yield from self._field(old, new, name, f"{path}.{name}")
        for name in sorted(now.keys() - before.keys()):
            yield from self._added(old, new, name, f"{path}.{name}")
        for name in sorted(before.keys() - now.keys()):
            yield from self._removed(before[name], new, f"{path}.{name}")
        if _is_mapping(old) and _is_mapping(new):
            yield from self.compare(_others(old), _others(new), f"{path}{{}}")
        if "propertyNames" in new and old.get("propertyNames") != new["propertyNames"]:
            names = old.get("propertyNames", {"type": "string"})
            yield from self.compare({"type": "string", **names}, {"type": "string", **new["propertyNames"]}, path)

    def _field(self, old: Schema, new: Schema, name: str, path: str) -> Iterator[Change]:
        before, now = old["properties"][name], new["properties"][name]
        yield from self.compare(before, now, path)
        was, is_ = (name in side.get("required", ()) for side in (old, new))
        if is_ and not was:
            yield Change(path, "could be left out, and is required", breaking=True)
        elif was and not is_:
            yield Change(path, "may be left out now", breaking=False)
        elif not was and not same(_default(before), _default(now)):
            yield Change(path, f"is {_shown(now)} if left out, and was {_shown(before)}", breaking=False)

    def _added(self, old: Schema, new: Schema, name: str, path: str) -> Iterator[Change]:
        if name in new.get("required", ()):
            yield Change(path, "is new and required: nothing that was written has it", breaking=True)
        elif old.get("additionalProperties", False) is False:
            yield Change(path, "is new, and may be left out", breaking=False)
        else:
            # Whoever wrote may have used the name for something else.
            yield from self.compare(old["additionalProperties"], new["properties"][name], path)

    def _removed(self, before: Any, new: Schema, path: str) -> Iterator[Change]:
        if _is_mapping(new):
            yield from self.compare(before, _others(new), path)
        else:
            yield Change(path, GONE, breaking=False)

    # --- arrays -----------------------------------------------------------------------------------

    def _array(self, old: Schema, new: Schema, path: str) -> Iterator[Change]:
        places = new.get("prefixItems")
        given: Sequence[Any] = old.get("prefixItems", ())
        if places is None:
            every = new.get("items", True)
            for one in given:
                yield from self.compare(one, every, f"{path}[]")
            if len(given) < old.get("maxItems", len(given) + 1):
                yield from self.compare(old.get("items", True), every, f"{path}[]")
        elif len(places) != len(given):
            yield Change(path, f"was {len(given) or 'any number of'} elements, and is {len(places)}", breaking=True)
        else:
            for place, (one, other) in enumerate(zip(given, places, strict=True)):
                yield from self.compare(one, other, f"{path}[{place}]")


def _branches(schema: Any, defs: dict[str, Schema]) -> list[Schema]:
    """What a schema may be, each with one type or none: references followed, unions and lists of types taken apart."""
    if isinstance(schema, bool):
        return [{}] if schema else [{"enum": []}]
    aside = {name: value for name, value in schema.items() if name not in _ASIDE}
    if "$ref" in schema:
        inner = _branches(defs.get(schema["$ref"].removeprefix("#/$defs/"), {}), defs)
        return [one | aside for one in inner]
    for union in ("anyOf", "oneOf"):
        if union in schema:
            tag = schema.get("discriminator", {}).get("propertyName")
            tagged = {} if tag is None else {"x-tag": tag}
            return [{**aside, **one, **tagged} for part in schema[union] for one in _branches(part, defs)]
    if "const" in aside:
        return [{"enum": [aside["const"]]}]
    if isinstance(types := aside.get("type"), list):
        return [{**aside, "type": one} for one in types]
    return [aside]


def _is_anything(schema: Schema) -> bool:
    return not schema


def _is_mapping(schema: Schema) -> bool:
    """Whether its members have no names of their own."""
    return "properties" not in schema and schema.get("additionalProperties", True) is not False


def _others(schema: Schema) -> Any:
    return schema.get("additionalProperties", True)


def _is_alike(old: Schema, new: Schema) -> bool:
    """Whether they are the same member of a union: of one type, and of one tag if they have one."""
    tag = _tag(new) or _tag(old)
    values = [one.get("properties", {}).get(tag, {}).get("const", _MISSING) for one in (old, new)]
    return old.get("type") == new.get("type") and values[0] == values[1]


def _tag(schema: Schema) -> str | None:
    return schema.get("x-tag")


def _default(schema: Any) -> Any:
    return schema.get("default", "<none>") if isinstance(schema, dict) else "<none>"


def _shown(schema: Any) -> str:
    return json.dumps(_default(schema))


def _all(schemas: list[Schema]) -> str:
    return " or ".join(dict.fromkeys(described(one) for one in schemas))
