"""The words of a condition, an update or a PartiQL statement, and who may stand where."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from bench.cloud.refused import invalid

_TOKEN = re.compile(
    r"""\s*("[^"]+"|'(?:[^']|'')*'|[#:]\w+|[A-Za-z_]\w*|\d+(?:\.\d+)?|<=|>=|<>|<<|>>|[=<>+\-(),?*.\[\]{}:])"""
)


class Tokens:
    """A text read word by word; remembers which placeholders it met.

    Arguments:
        clause: what AWS calls the text in its errors, such as `ConditionExpression`.
        quotes: whether it is PartiQL, which quotes names, so that no word is reserved.
    """

    def __init__(self, text: str, clause: str, *, quotes: bool = False) -> None:
        self._tokens = _split(text, clause)
        self._clause = clause
        self._quotes = quotes
        self._at = 0
        self.names: set[str] = set()
        self.values: set[str] = set()
        self.positions = 0
        # What a condition demands by `=` of an attribute: in PartiQL this is how a statement names its key.
        self.equalities: dict[str, Any] = {}

    def peek(self) -> str:
        """The next word, or nothing at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, *expected: str) -> str:
        """The next word, which must be one of `expected` if any are given."""
        token = self.peek()
        if not token or (expected and token.upper() not in expected):
            raise self.misread()
        self._at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Take the next words if they are these."""
        found = self._tokens[self._at : self._at + len(words)]
        if [token.upper() for token in found] != list(words):
            return False
        self._at += len(words)
        return True

    def end(self) -> None:
        """Nothing may follow."""
        if self.peek():
            raise self.misread()

    def name(self) -> str:
        """An attribute's name, or its placeholder.

        Raises:
            Refused: there is none, or it is a reserved word that must be written as a placeholder.
        """
        token = self.take()
        if token.startswith("#"):
            self.names.add(token)
            return token
        if token.startswith('"') and self._quotes:
            return token.strip('"')
        if not (token[0].isalpha() or token[0] == "_"):
            self._at -= 1
            raise self.misread()
        if token.upper() in reserved_words():
            raise invalid(
                f"Invalid {self._clause}: Attribute name is a reserved keyword; reserved keyword: {token}"
                if not self._quotes
                else f"Statement wasn't well formed, can't be processed: {token} is a reserved word"
            )
        return token

    def misread(self) -> Exception:
        """AWS's answer to a text that it can't read."""
        if self._quotes:
            return invalid("Statement wasn't well formed, can't be processed: Unexpected token after expression")
        near = " ".join(self._tokens[max(0, self._at - 1) : self._at + 2])
        token = self.peek() or "<EOF>"
        return invalid(f'Invalid {self._clause}: Syntax error; token: "{token}", near: "{near}"')


@cache
def reserved_words() -> frozenset[str]:
    """Developer Guide, "Reserved words in DynamoDB"."""
    return frozenset(Path(__file__).with_name("reserved_words.txt").read_text(encoding="utf-8").split())


def _split(text: str, clause: str) -> list[str]:
    tokens, at = [], 0
    text = text.strip()
    if not text:
        raise invalid(f"Invalid {clause}: The expression can not be empty;")
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise invalid(f'Invalid {clause}: Syntax error; token: "{text[at]}", near: "{text[at : at + 10]}"')
        tokens.append(match.group(1))
        at = match.end()
    return tokens
