"""The expressions of one request: parsed once for each text, checked against the request's names and values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Any

from bench.cloud.conditions import Test, condition
from bench.cloud.key_conditions import KeyCondition, key_condition
from bench.cloud.lexer import Tokens
from bench.cloud.paths import Names, Path, Values, path_of, picked, resolved
from bench.cloud.refused import Refused, invalid
from bench.cloud.updates import Assignments, assignments, check_paths
from bench.cloud.values import Item, taken

Document = dict[str, Any]

_TEXTS = (
    "ConditionExpression",
    "UpdateExpression",
    "ProjectionExpression",
    "FilterExpression",
    "KeyConditionExpression",
)


@dataclass(frozen=True, slots=True)
class Expressions:
    """What the texts of a request mean, and which placeholders they use."""

    test: Test | None
    changes: Assignments
    projection: tuple[Path, ...] | None
    filtering: Test | None
    keys: KeyCondition | None
    names: frozenset[str]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request's expressions with its names and values, which have all been checked."""

    expressions: Expressions
    names: Names
    values: Values

    def holds(self, item: Item) -> bool:
        """Whether the condition holds; without one it does."""
        test = self.expressions.test
        return test is None or test(item, self.names, self.values)

    def projected(self, item: Item) -> Item:
        """The part of an item that the request asks for."""
        paths = self.expressions.projection
        if paths is None:
            return item
        return picked(item, [resolved(path, self.names) for path in paths])

    def changed(self, item: Item) -> Item:
        """The part of an item that the request's update names; a list is named as a whole."""
        paths = [resolved(path, self.names) for path, _ in self.expressions.changes]
        return picked(item, [tuple(takewhile(lambda part: isinstance(part, str), path)) for path in paths])


def asked_of(request: Mapping[str, Any]) -> Asked:
    """Read the expressions of a request.

    Raises:
        Refused: a text can't be read, or its placeholders are not those that the request gives.
    """
    get = request.get
    expressions = _parsed(
        get("ConditionExpression"),
        get("UpdateExpression"),
        get("ProjectionExpression"),
        get("FilterExpression"),
        get("KeyConditionExpression"),
    )
    names: Names = get("ExpressionAttributeNames") or {}
    values = get("ExpressionAttributeValues") or {}
    if names.keys() != expressions.names:
        raise _mismatch("ExpressionAttributeNames", "name used in the document path", names, expressions.names)
    if values.keys() != expressions.values:
        raise _mismatch("ExpressionAttributeValues", "value used in expression", values, expressions.values)
    if len(expressions.changes) > 1 and len(set(names.values())) != len(names):
        # Two placeholders of one name: the paths can't be told apart by their text.
        check_paths(expressions.changes, names)
    return Asked(expressions, names, {name: taken(value) for name, value in values.items()})


# A program has few texts, and a simulation sends each of them a million times.
@lru_cache(maxsize=4_096)
def _parsed(*texts: str | None) -> Expressions:
    names: set[str] = set()
    values: set[str] = set()
    found: dict[str, Any] = {}
    for clause, text in zip(_TEXTS, texts, strict=True):
        if text is None:
            continue
        tokens = Tokens(text, clause)
        found[clause] = _READERS[clause](tokens)
        tokens.end()
        names |= tokens.names
        values |= tokens.values
    changes = found.get("UpdateExpression", [])
    check_paths(changes, {name: name for name in names})
    return Expressions(
        found.get("ConditionExpression"),
        changes,
        found.get("ProjectionExpression"),
        found.get("FilterExpression"),
        found.get("KeyConditionExpression"),
        frozenset(names),
        frozenset(values),
    )


def _projection(tokens: Tokens) -> tuple[Path, ...]:
    paths = [path_of(tokens)]
    while tokens.accept(","):
        paths.append(path_of(tokens))
    return tuple(paths)


_READERS: Mapping[str, Any] = {
    "ConditionExpression": condition,
    "UpdateExpression": assignments,
    "ProjectionExpression": _projection,
    "FilterExpression": condition,
    "KeyConditionExpression": key_condition,
}


def _mismatch(where: str, what: str, given: Mapping[str, Any], used: frozenset[str]) -> Refused:
    undefined = sorted(used - given.keys())
    if undefined:
        kind = "name" if where.endswith("Names") else "value"
        return invalid(
            f"Invalid expression: An expression attribute {what} is not defined; attribute {kind}: {undefined[0]}"
        )
    unused = ", ".join(sorted(given.keys() - used))
    return invalid(f"Value provided in {where} unused in expressions: keys: {{{unused}}}")
