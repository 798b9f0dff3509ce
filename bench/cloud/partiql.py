"""PartiQL: one item by its whole key, inserted, updated, deleted or selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

from bench.cloud.conditions import Test, condition, value_of
from bench.cloud.items import CONDITION_FAILED, Document, Tables, check_key_kept, table_of
from bench.cloud.lexer import Tokens
from bench.cloud.paths import Operand
from bench.cloud.refused import Refused, invalid
from bench.cloud.table import Change, Table, read_units
from bench.cloud.updates import Assignments, applied, assignments, check_paths
from bench.cloud.values import Attribute, Item, copied, item_bytes, taken

Parameters: TypeAlias = Mapping[int, Attribute]

# What the error of a statement in a batch is called when the statement stands alone.
_EXCEPTIONS = {
    "ConditionalCheckFailed": "ConditionalCheckFailedException",
    "DuplicateItem": "DuplicateItemException",
    "ValidationError": "ValidationException",
    "ResourceNotFound": "ResourceNotFoundException",
}
_CODES = {name: code for code, name in _EXCEPTIONS.items()}


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed statement.

    Attributes:
        verb: INSERT, UPDATE, DELETE or SELECT.
        equals: what the condition demands of an attribute by `=`, which gives the key.
        answers: RETURNING ALL OLD or ALL NEW.
    """

    verb: str
    table: str
    parameters: int
    members: tuple[tuple[str, Operand], ...] = ()
    changes: Assignments = field(default_factory=list)
    test: Test | None = None
    equals: Mapping[str, Operand] = field(default_factory=dict)
    answers: str = ""


@lru_cache(maxsize=4_096)
def parse(text: str) -> Statement:
    """Read a statement.

    Raises:
        Refused: it is not one.
    """
    tokens = Tokens(text, "Statement", quotes=True)
    verb = tokens.take(*_READERS).upper()
    statement = _READERS[verb](tokens)
    tokens.end()
    return statement


def check_batch(tables: Tables, statements: Sequence[Statement], entries: Sequence[Document]) -> None:
    """Refuse a batch as a whole.

    That one item may not be named twice is documented for BatchWriteItem and for transactions, and taken to hold
    here too.

    Raises:
        Refused: reads and writes are mixed, or two statements name one item.
    """
    if len({statement.verb == "SELECT" for statement in statements}) > 1:
        raise invalid(
            "The entire batch must consist of either read statements or write statements, "
            "you cannot mix both in one batch."
        )
    places = [
        place
        for statement, entry in zip(statements, entries, strict=True)
        if (place := _place(tables, statement, entry)) is not None
    ]
    if len(set(places)) != len(places):
        raise invalid("Provided list of item keys contains duplicates")


def _place(tables: Tables, statement: Statement, entry: Document) -> tuple[str, ...] | None:
    """Where a statement's item is; None if this can't be told, which its own answer will say."""
    table = tables.get(statement.table)
    named = statement.equals or dict(statement.members)
    values = dict(enumerate(entry.get("Parameters", ())))
    if table is None or len(values) != statement.parameters or any(name not in named for name in table.keys):
        return None
    try:
        return (table.name, *table.key_of({name: _given(named[name], values) for name in table.keys}))
    except Refused:
        return None


def answered(tables: Tables, statement: Statement, entry: Document) -> tuple[Document, float]:
    """Run a statement; answer its response as in a batch, and the units that it took."""
    try:
        return _run(table_of(tables, statement.table), statement, entry)
    except Refused as refused:
        error = {"Code": _CODES.get(refused.code, refused.code), "Message": refused.message}
        return {"Error": error, "TableName": statement.table}, 0


def alone(error: Document) -> Refused:
    """The error of a statement that is the only one."""
    code, message = str(error["Code"]), str(error["Message"])
    members = {"message": message} | ({"Item": error["Item"]} if "Item" in error else {})
    return Refused(_EXCEPTIONS.get(code, code), message, members=None if code == "ValidationError" else members)


def _run(table: Table, statement: Statement, entry: Document) -> tuple[Document, float]:
    given = entry.get("Parameters", ())
    if len(given) != statement.parameters:
        raise invalid("Number of parameters in request and statement don't match.")
    values = {position: taken(value) for position, value in enumerate(given)}
    if statement.verb == "SELECT":
        return _selected(table, statement, entry, values)
    change = _planned(table, statement, values)
    table.commit(change)
    answer: Document = {"TableName": table.name}
    if not change.accepted:
        answer["Error"] = _error(statement, entry, change)
    elif statement.answers:
        item = change.before if statement.answers == "OLD" else change.after
        answer["Item"] = copied(item or {})
    return answer, change.units


def _planned(table: Table, statement: Statement, values: Parameters) -> Change:
    if statement.verb == "INSERT":
        item: Item = {name: _given(operand, values) for name, operand in statement.members}
        return table.planned(item, lambda before: not before, lambda _: item)
    key = _key(table, statement, values)
    test = statement.test
    assert test is not None

    def holds(before: Item) -> bool:
        # UPDATE never creates: where nothing is, the key's own comparison fails. A DELETE of nothing is done.
        return test(before, {}, values) or (statement.verb == "DELETE" and not before)

    if statement.verb == "DELETE":
        return table.planned(key, holds, lambda _: None)

    def make(before: Item) -> Item:
        after = applied(statement.changes, before, {}, values)
        check_key_kept(table, before, after)
        return after

    return table.planned(key, holds, make)


def _selected(table: Table, statement: Statement, entry: Document, values: Parameters) -> tuple[Document, float]:
    consistent = entry.get("ConsistentRead", False)
    item = table.get(_key(table, statement, values), consistent=consistent)
    units = read_units(item_bytes(item) if item else 1, consistent=consistent)
    answer: Document = {"TableName": table.name}
    if item is not None and statement.test is not None and statement.test(item, {}, values):
        wanted = [name for name, _ in statement.members] or list(item)
        answer["Item"] = copied({name: item[name] for name in wanted if name in item})
    return answer, units


def _key(table: Table, statement: Statement, values: Parameters) -> Item:
    if any(name not in statement.equals for name in table.keys):
        raise invalid("Where clause does not contain a mandatory equality on all key attributes")
    return {name: _given(statement.equals[name], values) for name in table.keys}


def _error(statement: Statement, entry: Document, change: Change) -> Document:
    if statement.verb == "INSERT":
        return {"Code": "DuplicateItem", "Message": "Duplicate primary key exists in table"}
    error: Document = {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED}
    if change.before is not None and entry.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        error["Item"] = copied(change.before)
    return error


def _given(operand: Operand, values: Parameters) -> Attribute:
    value = operand({}, {}, values)
    if value is None:
        raise invalid("Unexpected null value for a key attribute")
    return value


def _insert(tokens: Tokens) -> Statement:
    tokens.take("INTO")
    table = tokens.name()
    tokens.take("VALUE")
    tokens.take("{")
    members = [_member(tokens)]
    while tokens.accept(","):
        members.append(_member(tokens))
    tokens.take("}")
    return Statement("INSERT", table, tokens.positions, members=tuple(members))


def _member(tokens: Tokens) -> tuple[str, Operand]:
    name = tokens.take()
    if not name.startswith("'"):
        raise tokens.misread()
    tokens.take(":")
    value = value_of(tokens)
    if value is None:
        raise tokens.misread()
    return name[1:-1].replace("''", "'"), value


def _update(tokens: Tokens) -> Statement:
    table = tokens.name()
    changes = assignments(tokens, ends=("WHERE",))
    check_paths(changes, {})
    return _where(tokens, "UPDATE", table, changes=changes)


def _delete(tokens: Tokens) -> Statement:
    tokens.take("FROM")
    return _where(tokens, "DELETE", tokens.name())


def _select(tokens: Tokens) -> Statement:
    wanted: list[tuple[str, Operand]] = []
    if not tokens.accept("*"):
        wanted.append(_column(tokens))
        while tokens.accept(","):
            wanted.append(_column(tokens))
    tokens.take("FROM")
    return _where(tokens, "SELECT", tokens.name(), members=tuple(wanted))


def _column(tokens: Tokens) -> tuple[str, Operand]:
    return tokens.name(), lambda item, names, values: None


def _where(tokens: Tokens, verb: str, table: str, **parts: Any) -> Statement:
    tokens.take("WHERE")
    tokens.equalities = {}
    test = condition(tokens)
    answers = ""
    if verb != "SELECT" and tokens.accept("RETURNING"):
        tokens.take("ALL")
        answers = tokens.take("OLD", "NEW").upper()
        tokens.take("*")
    return Statement(verb, table, tokens.positions, test=test, equals=dict(tokens.equalities), answers=answers, **parts)


_READERS: Mapping[str, Callable[[Tokens], Statement]] = {
    "INSERT": _insert,
    "UPDATE": _update,
    "DELETE": _delete,
    "SELECT": _select,
}
