"""Conditions, in DynamoDB's expression language and in PartiQL: one grammar serves both."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bench.cloud.lexer import Tokens
from bench.cloud.paths import Names, Operand, Values, path_of, reader
from bench.cloud.refused import invalid
from bench.cloud.values import Attribute, Item, number, number_text

Test: TypeAlias = Callable[[Item, Names, Values], bool]

ORDERED: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ORDERED_KINDS = ("S", "N", "B")
_FUNCTIONS = ("ATTRIBUTE_EXISTS", "ATTRIBUTE_NOT_EXISTS", "ATTRIBUTE_TYPE", "BEGINS_WITH", "CONTAINS")


def condition(tokens: Tokens) -> Test:
    """Alternatives, each of them tests that must all hold."""
    return _joined(tokens, "OR", _all, any)


def _all(tokens: Tokens) -> Test:
    return _joined(tokens, "AND", _not, all)


def _joined(tokens: Tokens, word: str, part: Callable[[Tokens], Test], join: Callable[[Any], bool]) -> Test:
    tests = [part(tokens)]
    while tokens.accept(word):
        tests.append(part(tokens))
    if len(tests) == 1:
        return tests[0]
    if join is any:
        return lambda item, names, values: any(test(item, names, values) for test in tests)

    def every(item: Item, names: Names, values: Values) -> bool:
        # A loop, for this runs in every claim and every conclusion of a simulation.
        for test in tests:  # noqa: SIM110
            if not test(item, names, values):
                return False
        return True

    return every


def _not(tokens: Tokens) -> Test:
    if tokens.accept("NOT"):
        negated = _not(tokens)
        return lambda item, names, values: not negated(item, names, values)
    return _test(tokens)


def _test(tokens: Tokens) -> Test:
    if tokens.accept("("):
        inner = condition(tokens)
        tokens.take(")")
        return inner
    if tokens.peek().upper() in _FUNCTIONS:
        return _function(tokens)
    name = tokens.peek().strip('"')
    left = operand(tokens)
    if tokens.accept("IS"):
        return _is(tokens, left)
    if tokens.accept("BETWEEN"):
        low = operand(tokens)
        tokens.take("AND")
        return _between(left, low, operand(tokens))
    if tokens.accept("IN"):
        return _among(left, _listed(tokens))
    sign = tokens.take("=", "<>", *ORDERED)
    right = operand(tokens)
    if sign == "=":
        tokens.equalities.setdefault(name, right)
    return _compared(left, sign, right)


def operand(tokens: Tokens) -> Operand:
    """A value of the request, a size, a literal of PartiQL, or an attribute."""
    if tokens.peek().upper() == "SIZE":
        tokens.take()
        tokens.take("(")
        measured = operand(tokens)
        tokens.take(")")
        return lambda item, names, values: _size(measured(item, names, values))
    constant = value_of(tokens)
    if constant is not None:
        return constant
    return reader(path_of(tokens))


def value_of(tokens: Tokens) -> Operand | None:
    """A value of the request or a literal of PartiQL; None if an attribute stands here."""
    token = tokens.peek()
    if token == "?":  # noqa: S105 - a placeholder of PartiQL
        tokens.take()
        position = tokens.positions
        tokens.positions += 1
        return lambda item, names, values: values[position]
    if token.startswith(":"):
        tokens.take()
        tokens.values.add(token)
        return lambda item, names, values: values[token]
    literal = _literal(token)
    if literal is not None:
        tokens.take()
        return lambda item, names, values: literal
    return None


def _literal(token: str) -> Attribute | None:
    if token.startswith("'"):
        return {"S": token[1:-1].replace("''", "'")}
    if token[:1].isdecimal():
        return {"N": number_text(token)}
    if token.upper() in ("TRUE", "FALSE"):
        return {"BOOL": token.upper() == "TRUE"}
    return None


def _function(tokens: Tokens) -> Test:
    name = tokens.take().upper()
    tokens.take("(")
    if name.startswith("ATTRIBUTE_") and name != "ATTRIBUTE_TYPE":
        at = reader(path_of(tokens))
        tokens.take(")")
        wanted = name == "ATTRIBUTE_EXISTS"
        return lambda item, names, values: (at(item, names, values) is not None) is wanted
    left = operand(tokens)
    tokens.take(",")
    right = operand(tokens)
    tokens.take(")")
    return _paired(left, right, {"ATTRIBUTE_TYPE": _has_type, "BEGINS_WITH": _begins}.get(name, _contains))


def _is(tokens: Tokens, left: Operand) -> Test:
    negated = tokens.accept("NOT")
    if tokens.take("MISSING", "NULL").upper() == "MISSING":
        return lambda item, names, values: (left(item, names, values) is None) is not negated
    return lambda item, names, values: ("NULL" in (left(item, names, values) or {})) is not negated


def _listed(tokens: Tokens) -> list[Operand]:
    opened = tokens.take("(", "[")
    members = [operand(tokens)]
    while tokens.accept(","):
        members.append(operand(tokens))
    tokens.take(")" if opened == "(" else "]")
    return members


def _compared(left: Operand, sign: str, right: Operand) -> Test:
    if sign == "=":

        def equal(item: Item, names: Names, values: Values) -> bool:
            one = left(item, names, values)
            # Numbers have one text and sets one order in here, so that equal values are equal dicts.
            return one is not None and one == right(item, names, values)

        return equal
    if sign == "<>":
        return lambda item, names, values: left(item, names, values) != right(item, names, values)
    return _paired(left, right, _ordering(ORDERED[sign]))


def _ordering(compare: Callable[[Any, Any], bool]) -> Callable[[Attribute, Attribute], bool]:
    def holds(one: Attribute, other: Attribute) -> bool:
        ((kind, content),) = one.items()
        ((other_kind, other_content),) = other.items()
        if kind != other_kind or kind not in _ORDERED_KINDS:
            return False
        if kind == "N":
            return compare(number(content), number(other_content))
        return compare(content, other_content)

    return holds


def _paired(left: Operand, right: Operand, holds: Callable[[Attribute, Attribute], bool]) -> Test:
    def test(item: Item, names: Names, values: Values) -> bool:
        one, other = left(item, names, values), right(item, names, values)
        # A missing attribute fails every comparison.
        return one is not None and other is not None and holds(one, other)

    return test


def _between(left: Operand, low: Operand, high: Operand) -> Test:
    above, below = _paired(low, left, _ordering(operator.le)), _paired(left, high, _ordering(operator.le))
    return lambda item, names, values: above(item, names, values) and below(item, names, values)


def _among(left: Operand, members: list[Operand]) -> Test:
    def test(item: Item, names: Names, values: Values) -> bool:
        one = left(item, names, values)
        return one is not None and any(one == member(item, names, values) for member in members)

    return test


def _has_type(one: Attribute, kind: Attribute) -> bool:
    return kind.get("S") in one


def _begins(one: Attribute, beginning: Attribute) -> bool:
    ((kind, content),) = beginning.items()
    if kind not in ("S", "B"):
        raise invalid("Invalid ConditionExpression: Incorrect operand type for operator or function")
    return kind in one and bool(one[kind].startswith(content))


def _contains(one: Attribute, member: Attribute) -> bool:
    ((kind, content),) = one.items()
    ((member_kind, member_content),) = member.items()
    if kind == "L":
        return member in content
    if kind in ("SS", "NS", "BS"):
        return kind[0] == member_kind and member_content in content
    return kind == member_kind and kind in ("S", "B") and member_content in content


def _size(value: Attribute | None) -> Attribute | None:
    if value is None:
        return None
    ((kind, content),) = value.items()
    if kind in ("N", "BOOL", "NULL"):
        return None
    return {"N": str(len(content.encode() if kind == "S" else content))}
