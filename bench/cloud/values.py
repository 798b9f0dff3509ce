"""DynamoDB's JSON: sizes and comparisons of attribute values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

Attribute: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Attribute]

UNIT_BYTES = 1_024


def plain(value: Attribute) -> Any:
    """The Python value that comparisons are made with."""
    ((kind, content),) = value.items()
    return Decimal(content) if kind == "N" else content


def added(left: Attribute, right: Attribute) -> Attribute:
    """The sum of two numbers."""
    return {"N": str(plain(left) + plain(right))}


def item_bytes(item: Mapping[str, Attribute]) -> int:
    """The size DynamoDB charges by (Developer Guide, "DynamoDB item sizes and formats")."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def write_units(*items: Mapping[str, Attribute] | None) -> int:
    """The units of one write: one for each started KB of the larger of the item before and after."""
    return max((math.ceil(item_bytes(item) / UNIT_BYTES) for item in items if item is not None), default=1)


def _value_bytes(value: Attribute) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            # One byte for each two significant digits, and one more; a sign costs another.
            digits = len(content.lstrip("-").replace(".", "").strip("0"))
            return (digits + 1) // 2 + 1 + int(content.startswith("-"))
        case "BOOL" | "NULL":
            return 1
        case _:
            raise ValueError(f"no rule for the size of type {kind}")
