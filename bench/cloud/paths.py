"""Document paths: `a`, `#a`, `a.#b[2].c`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bench.cloud.lexer import Tokens
from bench.cloud.refused import invalid
from bench.cloud.values import Attribute, Item

# A name, a placeholder of one, or a position in a list.
Path: TypeAlias = tuple[str | int, ...]
Names: TypeAlias = Mapping[str, str]
Values: TypeAlias = Mapping[Any, Attribute]
Operand: TypeAlias = Callable[[Item, Names, Values], Attribute | None]


def path_of(tokens: Tokens) -> Path:
    """Read a path."""
    parts: list[str | int] = [tokens.name()]
    while True:
        if tokens.accept("."):
            parts.append(tokens.name())
        elif tokens.accept("["):
            parts.append(int(tokens.take()))
            tokens.take("]")
        else:
            return tuple(parts)


def resolved(path: Path, names: Names) -> Path:
    """The path without placeholders."""
    return tuple(names[part] if isinstance(part, str) and part.startswith("#") else part for part in path)


def reader(path: Path) -> Operand:
    """What reads the value at `path`: None if nothing is there."""
    first = path[0]
    assert isinstance(first, str)
    if len(path) > 1:
        return lambda item, names, values: found(item, resolved(path, names))
    if first.startswith("#"):
        return lambda item, names, values: item.get(names[first])
    return lambda item, names, values: item.get(first)


def found(item: Item, path: Path) -> Attribute | None:
    """The value at a path without placeholders."""
    value: Attribute | None = item.get(path[0])  # type: ignore[arg-type]
    for part in path[1:]:
        if value is None:
            return None
        value = _member(value, part)
    return value


def with_value(item: Item, path: Path, value: Attribute | None) -> None:
    """Write (or, for None, remove) the value at `path` into `item`; what lies inside is replaced, not changed.

    Raises:
        Refused: the path leads through something that is not there, or not a document.
    """
    first = path[0]
    assert isinstance(first, str)
    if len(path) > 1:
        item[first] = _rebuilt(item.get(first), path[1:], value)
    elif value is None:
        item.pop(first, None)
    else:
        item[first] = value


def overlap(paths: list[Path]) -> tuple[Path, Path] | None:
    """Two of the paths of which one lies within the other."""
    for number, one in enumerate(paths):
        for other in paths[number + 1 :]:
            shorter = min(len(one), len(other))
            if one[:shorter] == other[:shorter]:
                return one, other
    return None


def _member(value: Attribute, part: str | int) -> Attribute | None:
    if isinstance(part, int):
        members = value.get("L", ())
        return members[part] if part < len(members) else None
    within: Attribute | None = value.get("M", {}).get(part)
    return within


def _rebuilt(document: Attribute | None, path: Path, value: Attribute | None) -> Attribute:
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        return _list_rebuilt(document, first, rest, value)
    if document is None or "M" not in document:
        raise _no_such_place()
    members = dict(document["M"])
    if rest:
        members[first] = _rebuilt(members.get(first), rest, value)
    elif value is None:
        members.pop(first, None)
    else:
        members[first] = value
    return {"M": members}


def _list_rebuilt(document: Attribute | None, position: int, rest: Path, value: Attribute | None) -> Attribute:
    if document is None or "L" not in document:
        raise _no_such_place()
    members = list(document["L"])
    if rest:
        members[position : position + 1] = [
            _rebuilt(members[position] if position < len(members) else None, rest, value)
        ]
    elif value is None:
        del members[position : position + 1]
    else:
        # Developer Guide, "Update expressions": past its end, a new element is added to the end of the list.
        members[position : position + 1] = [value]
    return {"L": members}


def _no_such_place() -> Exception:
    return invalid("The document path provided in the update expression is invalid for update")


def picked(item: Item, paths: list[Path]) -> Item:
    """The parts of an item at some paths, each within the documents that it lies in."""
    parts: Item = {}
    for path in paths:
        value = found(item, path)
        if value is not None:
            first = path[0]
            assert isinstance(first, str)
            parts[first] = _merged(parts.get(first), path[1:], value)
    return parts


def _merged(document: Attribute | None, path: Path, value: Attribute) -> Attribute:
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(first, int):
        return {"L": [*(document or {"L": []})["L"], _merged(None, rest, value)]}
    members = dict((document or {"M": {}})["M"])
    members[first] = _merged(members.get(first), rest, value)
    return {"M": members}
