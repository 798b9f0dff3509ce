"""The statements of BatchExecuteStatement: an UPDATE or an INSERT of one item by its whole key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bench.cloud.expressions import Assignment, Parser, Test, applied
from bench.cloud.table import Change, Table
from bench.cloud.values import Attribute, Item

_INSERT = re.compile(r"""INSERT INTO "([^"]+)" VALUE \{(.*)\}""", re.DOTALL)
_MEMBER = re.compile(r"'([^']+)': \?")
_KEYS = re.compile(r"""WHERE "(\w+)" = \? AND "(\w+)" = \?""")


@dataclass(frozen=True, slots=True)
class Update:
    """A parsed UPDATE."""

    table: str
    assignments: list[Assignment]
    condition: Test
    # Where the parameters of the key stand.
    key: tuple[tuple[str, int], ...]
    answers_before: bool


@dataclass(frozen=True, slots=True)
class Insert:
    """A parsed INSERT."""

    table: str
    names: tuple[str, ...]


@lru_cache(maxsize=256)
def parse(text: str) -> Update | Insert:
    """Read a statement; anything but an UPDATE or INSERT of one item is refused."""
    insert = _INSERT.fullmatch(text)
    if insert is not None:
        return Insert(insert[1], tuple(_MEMBER.findall(insert[2])))
    keys = _KEYS.search(text)
    if keys is None:
        raise ValueError(f"no whole key in {text}")
    first = text[: keys.start()].count("?")
    parser = Parser(text, {})
    parser.take("UPDATE")
    table = parser.name()
    assignments = parser.assignments(ends=("WHERE",))
    parser.take("WHERE")
    condition = parser.condition()
    answers = parser.accept("RETURNING")
    if answers:
        for word in ("ALL", "OLD", "*"):
            parser.take(word)
    parser.take("")
    return Update(table, assignments, condition, ((keys[1], first), (keys[2], first + 1)), answers)


def execute(statement: Update | Insert, table: Table, parameters: Sequence[Attribute]) -> tuple[Change, str]:
    """Carry a statement out; answer what became of it and the error's code, empty if there is none."""
    if isinstance(statement, Insert):
        item = dict(zip(statement.names, parameters, strict=True))
        change = table.write(item, lambda before: not before, lambda _: item)
        return change, "" if change.accepted else "DuplicateItem"
    values = dict(enumerate(parameters))
    key: Item = {name: parameters[position] for name, position in statement.key}

    def holds(before: Item) -> bool:
        # UPDATE never creates: where nothing is, the key's own comparison fails.
        return statement.condition(before, values)

    change = table.write(key, holds, lambda before: applied(statement.assignments, before, values))
    return change, "" if change.accepted else "ConditionalCheckFailed"
