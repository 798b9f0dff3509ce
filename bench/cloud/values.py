"""DynamoDB's JSON: what is a legal value, how it compares, and what it weighs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any, TypeAlias

from bench.cloud.refused import invalid

Attribute: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Attribute]

UNIT_BYTES = 1_024
# Developer Guide, "Constraints in Amazon DynamoDB", numbers: 38 digits of precision.
DIGITS = 38
_CONTEXT = Context(prec=DIGITS)
_SET_MEMBER = {"SS": "S", "NS": "N", "BS": "B"}


def number(content: str) -> int | Decimal:
    """A number as Python compares it."""
    try:
        return int(content)
    except ValueError:
        return Decimal(content)


def plain(value: Attribute) -> Any:
    """The Python value that comparisons are made with."""
    ((kind, content),) = value.items()
    return number(content) if kind == "N" else content


def added(left: Attribute, right: Attribute) -> Attribute:
    """The sum of two numbers."""
    one, other = number(left["N"]), number(right["N"])
    if isinstance(one, int) and isinstance(other, int):
        return {"N": number_text(str(one + other))}
    return {"N": number_text(str(_CONTEXT.add(Decimal(one), Decimal(other))))}


def subtracted(left: Attribute, right: Attribute) -> Attribute:
    """The difference of two numbers."""
    return added(left, {"N": number_text(str(-number(right["N"])))})


def number_text(content: str) -> str:
    """The one text of a number that DynamoDB answers, so that equal numbers are equal texts.

    Raises:
        Refused: it is no number, or one of more than 38 digits.
    """
    if (content.isdecimal() and content.isascii() and content[0] != "0" and len(content) <= DIGITS) or content == "0":
        return content
    try:
        value = Decimal(content)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise invalid(f"A value provided cannot be converted into a number: {content}")
    value = value.normalize(Context(prec=1_000))
    if len(value.as_tuple().digits) > DIGITS:
        raise invalid("Attempting to store more than 38 significant digits in a Number")
    return "0" if value == 0 else format(value, "f")


def taken(value: Attribute) -> Attribute:
    """A legal value as a table holds it: a copy, numbers in one form, sets in one order.

    Raises:
        Refused: the value is not legal.
    """
    if len(value) != 1:
        raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
    ((kind, content),) = value.items()
    if kind == "S":
        return {"S": content}
    if kind == "N":
        return {"N": number_text(content)}
    return _rare(kind, content)


def _rare(kind: str, content: Any) -> Attribute:
    match kind:
        case "BOOL" | "NULL":
            return {kind: content}
        case "B":
            return {"B": bytes(content)}
        case "L":
            return {"L": [taken(one) for one in content]}
        case "M":
            return {"M": {name: taken(one) for name, one in content.items()}}
        case "SS" | "NS" | "BS":
            return {kind: _set(kind, content)}
        case _:
            raise invalid(f"Supplied AttributeValue has an unknown type: {kind}")


def _set(kind: str, members: list[Any]) -> list[Any]:
    if not members:
        raise invalid(f"One or more parameter values were invalid: An {_KIND_NAMES[kind]} set  may not be empty")
    held = [taken({_SET_MEMBER[kind]: one})[_SET_MEMBER[kind]] for one in members]
    if len(set(held)) != len(held):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates.")
    return in_order(kind, held)


_KIND_NAMES = {"SS": "string", "NS": "number", "BS": "binary"}


def in_order(kind: str, members: list[Any]) -> list[Any]:
    """A set's members in the one order that the fake keeps them in. AWS promises none."""
    return sorted(members, key=number) if kind == "NS" else sorted(members)


def copied(item: Mapping[str, Attribute]) -> Item:
    """An item that a caller may write into."""
    return {name: value.copy() if "S" in value or "N" in value else _copied(value) for name, value in item.items()}


def _copied(value: Attribute) -> Attribute:
    ((kind, content),) = value.items()
    if kind == "M":
        return {"M": copied(content)}
    if kind == "L":
        return {"L": [_copied(one) for one in content]}
    return {kind: list(content)} if kind in _SET_MEMBER else {kind: content}


def item_bytes(item: Mapping[str, Attribute]) -> int:
    """The size DynamoDB charges by (Developer Guide, "DynamoDB item sizes and formats")."""
    return sum(_attribute_bytes(name, value) for name, value in item.items())


def changed_bytes(size: int, before: Mapping[str, Attribute], after: Mapping[str, Attribute]) -> int:
    """The size of `after`, from the size of `before`. A value that both hold is one object, and is not weighed."""
    for name, value in after.items():
        old = before.get(name)
        if old is value:
            continue
        if old is None:
            size += _attribute_bytes(name, value)
            continue
        ((kind, content),) = value.items()
        ((old_kind, old_content),) = old.items()
        size += _value_bytes(kind, content) - _value_bytes(old_kind, old_content)
    for name in before.keys() - after.keys():
        size -= _attribute_bytes(name, before[name])
    return size


def _attribute_bytes(name: str, value: Attribute) -> int:
    ((kind, content),) = value.items()
    size = len(name) if name.isascii() else len(name.encode())
    return size + _value_bytes(kind, content)


def units_of(size: int) -> int:
    """The write units of a size: one for each started KB, one at the least."""
    return max(1, -(-size // UNIT_BYTES))


def write_units(*items: Mapping[str, Attribute] | None) -> int:
    """The units of one write: one for each started KB of the larger of the item before and after."""
    return units_of(max((item_bytes(item) for item in items if item is not None), default=1))


def _value_bytes(kind: str, content: Any) -> int:
    # The two kinds that nearly every attribute has come first: this is the inner loop of a simulation.
    if kind == "S":
        return len(content) if content.isascii() else len(content.encode())
    if kind == "N":
        # One byte for each two significant digits, and one more; a sign costs another.
        if content.isdigit():
            return (len(content.strip("0")) + 1) // 2 + 1
        digits = len(content.lstrip("-").replace(".", "").strip("0"))
        return (digits + 1) // 2 + 1 + int(content.startswith("-"))
    return _rare_bytes(kind, content)


def _rare_bytes(kind: str, content: Any) -> int:
    match kind:
        case "BOOL" | "NULL":
            return 1
        case "B":
            return len(bytes(content))
        case "L":
            # Three bytes for the list or map itself, one for each member.
            return 3 + sum(1 + _value_bytes(*next(iter(one.items()))) for one in content)
        case "M":
            return 3 + len(content) + item_bytes(content)
        case _:
            return sum(_value_bytes(_SET_MEMBER[kind], one) for one in content)
