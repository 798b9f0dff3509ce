"""Update expressions, and the SET and REMOVE clauses of PartiQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from bench.cloud.conditions import operand as simple_operand
from bench.cloud.lexer import Tokens
from bench.cloud.paths import Names, Operand, Path, Values, overlap, path_of, reader, resolved, with_value
from bench.cloud.refused import invalid
from bench.cloud.values import Attribute, Item, added, in_order, subtracted

# Reads the item before, writes the item after.
Assignment: TypeAlias = Callable[[Item, Item, Names, Values], None]
Assignments: TypeAlias = list[tuple[Path, Assignment]]

_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


def assignments(tokens: Tokens, ends: tuple[str, ...] = ("",)) -> Assignments:
    """The clauses up to one of `ends`; PartiQL repeats SET and REMOVE, an update expression may not."""
    once = ends == ("",)
    clauses: list[str] = []
    made: Assignments = []
    while tokens.peek().upper() not in ends:
        clause = tokens.take(*_CLAUSES).upper()
        if once and clause in clauses:
            raise invalid(
                f'Invalid UpdateExpression: The "{clause}" section can only be used once in an update expression;'
            )
        clauses.append(clause)
        made.append(_assignment(tokens, clause))
        while tokens.accept(","):
            made.append(_assignment(tokens, clause))
    return made


def applied(made: Assignments, before: Item, names: Names, values: Values) -> Item:
    """The item after an update; every operand is read from the item before it.

    Raises:
        Refused: an operand is missing or of the wrong type, or a path leads nowhere.
    """
    after = dict(before)
    for _, assign in made:
        assign(before, after, names, values)
    return after


def check_paths(made: Assignments, names: Names) -> None:
    """Refuse two changes of one place.

    Raises:
        Refused: one path lies within another.
    """
    pair = overlap([resolved(path, names) for path, _ in made])
    if pair is not None:
        shown = ", ".join(
            f"path {name}: [{', '.join(map(str, path))}]" for name, path in zip(("one", "two"), pair, strict=True)
        )
        raise invalid(
            f"Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of "
            f"these paths; {shown}"
        )


def _assignment(tokens: Tokens, clause: str) -> tuple[Path, Assignment]:
    path = path_of(tokens)
    if clause == "REMOVE":
        return path, _writer(path, lambda before, names, values: None)
    if clause == "SET":
        tokens.take("=")
        return path, _writer(path, _present(_sum(tokens)))
    change = _united if clause == "ADD" else _reduced
    held, given = reader(path), simple_operand(tokens)
    return path, _writer(
        path, lambda before, names, values: change(held(before, names, values), _some(given(before, names, values)))
    )


def _writer(path: Path, make: Operand) -> Assignment:
    first = path[0]
    if len(path) == 1 and isinstance(first, str):
        return _top_writer(first, make)

    def assign(before: Item, after: Item, names: Names, values: Values) -> None:
        with_value(after, resolved(path, names), make(before, names, values))

    return assign


def _top_writer(name: str, make: Operand) -> Assignment:
    placeholder = name.startswith("#")

    def assign(before: Item, after: Item, names: Names, values: Values) -> None:
        value = make(before, names, values)
        place = names[name] if placeholder else name
        if value is None:
            after.pop(place, None)
        else:
            after[place] = value

    return assign


def _sum(tokens: Tokens) -> Operand:
    left = _operand(tokens)
    if tokens.peek() not in ("+", "-"):
        return left
    calculate = added if tokens.take() == "+" else subtracted
    right = _operand(tokens)

    def total(item: Item, names: Names, values: Values) -> Attribute:
        one, other = _some(left(item, names, values)), _some(right(item, names, values))
        if "N" not in one or "N" not in other:
            raise _wrong_type()
        return calculate(one, other)

    return total


def _operand(tokens: Tokens) -> Operand:
    if tokens.accept(
        "(",
    ):
        inner = _sum(tokens)
        tokens.take(")")
        return inner
    function = tokens.peek().upper()
    if function in ("IF_NOT_EXISTS", "LIST_APPEND"):
        tokens.take()
        tokens.take("(")
        left = reader(path_of(tokens)) if function == "IF_NOT_EXISTS" else _operand(tokens)
        tokens.take(",")
        right = _operand(tokens)
        tokens.take(")")
        if function == "LIST_APPEND":
            return lambda item, names, values: _appended(left(item, names, values), right(item, names, values))
        return lambda item, names, values: left(item, names, values) or right(item, names, values)
    return simple_operand(tokens)


def _appended(left: Attribute | None, right: Attribute | None) -> Attribute:
    one, other = _some(left), _some(right)
    if "L" not in one or "L" not in other:
        raise _wrong_type()
    return {"L": [*one["L"], *other["L"]]}


def _united(held: Attribute | None, given: Attribute) -> Attribute:
    ((kind, content),) = given.items()
    if kind not in ("N", "SS", "NS", "BS"):
        raise invalid("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD")
    if held is None:
        return given
    if kind not in held:
        raise _wrong_type()
    if kind == "N":
        return added(held, given)
    return {kind: in_order(kind, list({*held[kind], *content}))}


def _reduced(held: Attribute | None, given: Attribute) -> Attribute | None:
    ((kind, content),) = given.items()
    if kind not in ("SS", "NS", "BS"):
        raise invalid("Invalid UpdateExpression: Incorrect operand type for operator or function; operator: DELETE")
    if held is None:
        return None
    if kind not in held:
        raise _wrong_type()
    left = [member for member in held[kind] if member not in content]
    # A set is never empty: the attribute goes with its last member.
    return {kind: left} if left else None


def _present(make: Operand) -> Operand:
    return lambda item, names, values: _some(make(item, names, values))


def _some(value: Attribute | None) -> Attribute:
    if value is None:
        raise invalid("The provided expression refers to an attribute that does not exist in the item")
    return value


def _wrong_type() -> Exception:
    return invalid("An operand in the update expression has an incorrect data type")
