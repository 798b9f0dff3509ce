"""Conditions and updates, in DynamoDB's expression language and in PartiQL: one grammar serves both.

Only what handlers of this bench send is understood; anything else is refused loudly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from bench.cloud.values import Attribute, Item, added, plain

# The values of one request: `:name` -> value, or the position of a `?` -> value.
Values = Mapping[Any, Attribute]
Operand = Callable[[Item, Values], Attribute | None]
Test = Callable[[Item, Values], bool]
Assignment = Callable[[Item, Item, Values], None]

_TOKEN = re.compile(r"""\s*("[^"]+"|[#:]\w+|[A-Za-z_]\w*|<=|>=|<>|[=<>+(),?*])""")
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


class Parser:
    """A recursive descent over one text."""

    def __init__(self, text: str, names: Mapping[str, str]) -> None:
        self._tokens = _tokens(text)
        self._names = names
        self._at = 0
        self._positions = 0

    def peek(self) -> str:
        """The next token, or nothing at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *expected: str) -> str:
        """The next token, which must be one of `expected` if any are given."""
        token = self.peek()
        if expected and token.upper() not in expected:
            raise ValueError(f"expected {expected}, found {token!r} in {' '.join(self._tokens)}")
        self._at += 1
        return token

    def accept(self, word: str) -> bool:
        """Take the next token if it is `word`."""
        if self.peek().upper() != word:
            return False
        self._at += 1
        return True

    def name(self) -> str:
        """An attribute's name."""
        token = self.take()
        return self._names[token] if token.startswith("#") else token.strip('"')

    def condition(self) -> Test:
        """Alternatives, each of them tests that must all hold."""
        tests = [self._all()]
        while self.accept("OR"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda item, values: any(test(item, values) for test in tests)

    def _all(self) -> Test:
        tests = [self._test()]
        while self.accept("AND"):
            tests.append(self._test())
        return tests[0] if len(tests) == 1 else lambda item, values: all(test(item, values) for test in tests)

    def _test(self) -> Test:
        if self.accept("("):
            inner = self.condition()
            self.take(")")
            return inner
        if self.peek().lower() in ("attribute_exists", "attribute_not_exists"):
            wanted = self.take().lower() == "attribute_exists"
            self.take("(")
            name = self.name()
            self.take(")")
            return lambda item, values: (name in item) is wanted
        left = self.operand()
        if self.accept("IS"):
            self.take("MISSING")
            return lambda item, values: left(item, values) is None
        return _compared(left, _COMPARISONS[self.take(*_COMPARISONS)], self.operand())

    def operand(self) -> Operand:
        """A value of the request, an attribute, or a sum of two of these."""
        left = self._term()
        if not self.accept("+"):
            return left
        right = self._term()
        return lambda item, values: added(_present(left(item, values)), _present(right(item, values)))

    def _term(self) -> Operand:
        token = self.peek()
        if token == "?":  # noqa: S105 - a placeholder of PartiQL
            self.take()
            position, self._positions = self._positions, self._positions + 1
            return lambda item, values: values[position]
        if token.startswith(":"):
            self.take()
            return lambda item, values: values[token]
        if token.isdecimal():
            self.take()
            return lambda item, values: {"N": token}
        name = self.name()
        return lambda item, values: item.get(name)

    def assignments(self, ends: tuple[str, ...] = ("",)) -> list[Assignment]:
        """The SET and REMOVE clauses up to one of `ends`."""
        found: list[Assignment] = []
        while self.peek().upper() not in ends:
            clause = self.take("SET", "REMOVE").upper()
            found.append(self._assignment(clause))
            while self.accept(","):
                found.append(self._assignment(clause))
        return found

    def _assignment(self, clause: str) -> Assignment:
        name = self.name()
        if clause == "REMOVE":
            return lambda before, after, values: _remove(after, name)
        self.take("=")
        operand = self.operand()

        def assign(before: Item, after: Item, values: Values) -> None:
            after[name] = _present(operand(before, values))

        return assign


def _tokens(text: str) -> list[str]:
    # PartiQL writes small numbers into the text.
    tokens, at = [], 0
    pattern = re.compile(_TOKEN.pattern + r"|\s*(\d+)")
    text = text.strip()
    while at < len(text):
        match = pattern.match(text, at)
        if match is None:
            raise ValueError(f"can't read {text[at:]!r}")
        tokens.append(match.group(1) or match.group(2))
        at = match.end()
    return tokens


def _compared(left: Operand, compare: Callable[[Any, Any], bool], right: Operand) -> Test:
    def test(item: Item, values: Values) -> bool:
        one, other = left(item, values), right(item, values)
        # A missing attribute fails every comparison, and so do values of two types.
        return (
            one is not None and other is not None and one.keys() == other.keys() and compare(plain(one), plain(other))
        )

    return test


def _present(value: Attribute | None) -> Attribute:
    if value is None:
        raise ValueError("an operand is missing")
    return value


def _remove(item: Item, name: str) -> None:
    item.pop(name, None)


@lru_cache(maxsize=256)
def condition_of(text: str, names: tuple[tuple[str, str], ...]) -> Test:
    """A condition expression."""
    return Parser(text, dict(names)).condition()


@lru_cache(maxsize=256)
def update_of(text: str, names: tuple[tuple[str, str], ...]) -> list[Assignment]:
    """An update expression."""
    return Parser(text, dict(names)).assignments()


def applied(assignments: list[Assignment], before: Item, values: Values) -> Item:
    """The item after an update; every operand is read from the item before it."""
    after = dict(before)
    for assign in assignments:
        assign(before, after, values)
    return after
