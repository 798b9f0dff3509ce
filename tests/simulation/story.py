"""The story of one schedule, line by line: every call, every fault, every change of a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.simulation.world import START_MS

_LONGEST = 150


class Narrator:
    """Writes one line for each thing that happens: when, who, what."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write

    def __call__(self, now_ms: int, who: str, what: tuple[Any, ...]) -> None:
        event, *about = what
        text = _call(*about) if event == "call" else " ".join(_short(part) for part in about)
        self._write(f"{(now_ms - START_MS) / 1000:>12.3f} s  {who:<18} {event:<10} {text}\n")


def _call(operation: str, arguments: Mapping[str, Any], answer: object) -> str:
    given = {name: value for name, value in arguments.items() if name in _TELLING}
    answered = answer
    if isinstance(answer, Mapping):
        answered = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    return f"{operation} {_short(given)} -> {_short(answered)}"


_TELLING = (
    "Entries",
    "ExpressionAttributeValues",
    "IndexName",
    "Item",
    "Key",
    "MessageBody",
    "ReceiptHandle",
    "RequestItems",
    "Statements",
    "VisibilityTimeout",
)


def _short(value: object) -> str:
    text = _plain(value) if isinstance(value, Mapping | list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _plain(value: object) -> str:
    """DynamoDB's JSON without its types, and no statement's text."""
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)) in ("S", "N", "BOOL"):
            return str(next(iter(value.values())))
        shown = [f"{name}={_plain(one)}" for name, one in value.items() if name not in ("Statement", "TableName")]
        return f"{{{', '.join(shown)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return str(value)
