"""KeyConditionExpression: the partition, and a range of its sort keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from bench.cloud.conditions import ORDERED, value_of
from bench.cloud.lexer import Tokens
from bench.cloud.paths import Names, Operand, Values
from bench.cloud.refused import invalid
from bench.cloud.values import Attribute, plain

Within: TypeAlias = Callable[[Attribute], bool]


@dataclass(frozen=True, slots=True)
class _Part:
    """One comparison of a key attribute with values."""

    name: str
    sign: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """One or two comparisons."""

    parts: tuple[_Part, ...]

    def bound(self, keys: tuple[str, ...], names: Names, values: Values) -> tuple[Attribute, Within]:
        """The partition key's value, and a test of sort keys.

        Raises:
            Refused: the partition is not given by `=`, or another attribute than the keys is named.
        """
        parts = {names.get(part.name, part.name): part for part in self.parts}
        if len(parts) != len(self.parts):
            raise invalid("KeyConditionExpressions must only contain one condition per key")
        partition = parts.pop(keys[0], None)
        if partition is None:
            raise invalid(f"Query condition missed key schema element: {keys[0]}")
        if partition.sign != "=":
            raise invalid("Query key condition not supported")
        if parts.keys() - set(keys[1:]):
            raise invalid(f"Query condition missed key schema element: {keys[-1]}")
        value = _given(partition.operands[0], values)
        for part in parts.values():
            return value, _within(part, [_given(one, values) for one in part.operands])
        return value, lambda _: True


def key_condition(tokens: Tokens) -> KeyCondition:
    """Read the whole expression."""
    parts = [_part(tokens)]
    while tokens.accept("AND"):
        parts.append(_part(tokens))
    return KeyCondition(tuple(parts))


def _part(tokens: Tokens) -> _Part:
    if tokens.accept("("):
        part = _part(tokens)
        tokens.take(")")
        return part
    if tokens.peek() == "begins_with":
        tokens.take()
        tokens.take("(")
        name = tokens.name()
        tokens.take(",")
        part = _Part(name, "begins_with", (_value(tokens),))
        tokens.take(")")
        return part
    name = tokens.name()
    if tokens.accept("BETWEEN"):
        low = _value(tokens)
        tokens.take("AND")
        return _Part(name, "between", (low, _value(tokens)))
    return _Part(name, tokens.take("=", *ORDERED), (_value(tokens),))


def _value(tokens: Tokens) -> Operand:
    value = value_of(tokens)
    if value is None:
        raise tokens.misread()
    return value


def _given(operand: Operand, values: Values) -> Attribute:
    value = operand({}, {}, values)
    assert value is not None
    return value


def _within(part: _Part, given: list[Attribute]) -> Within:
    limits: list[Any] = [plain(one) for one in given]
    if part.sign == "begins_with":
        return lambda value: bool(plain(value).startswith(limits[0]))
    if part.sign == "between":
        return lambda value: bool(limits[0] <= plain(value) <= limits[1])
    if part.sign == "=":
        return lambda value: bool(plain(value) == limits[0])
    return lambda value: ORDERED[part.sign](plain(value), limits[0])
