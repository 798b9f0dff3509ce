"""A DynamoDB client that counts write units by AWS's published rule, whatever the emulator behind it counts.

Developer Guide, "DynamoDB read and write operations": a write costs one unit for each started KB of the larger
of the item before and after it; a write whose condition fails is charged for the item that stands there, one
unit at the least. "Using Global Secondary Indexes": an entry that appears or disappears costs one write of its
size, one whose key changes two, one that stays as it is none. Emulators answer a flat 1 for PartiQL.
"""

import re
from collections import Counter
from math import ceil
from typing import Any

from tidemill.aws.items import item_bytes

INDEXES = ("list", "attention", "due")
WRITES = frozenset({"put_item", "update_item", "batch_write_item", "batch_execute_statement"})


class Billing:
    """Stands in front of a client of one table; not for threads.

    Attributes:
        units: write units so far, those of refused writes and of indexes included.
        calls: how often each operation was called.
        largest: the size in bytes of the largest STATE item that was written.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self.table = table
        self.units = 0
        self.calls: Counter[str] = Counter()
        self.largest = 0

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def counted(**arguments: Any) -> Any:
            self.calls[name] += 1
            return self._billed(name, call, arguments) if name in WRITES else call(**arguments)

        return counted

    def since(self, earlier: int) -> int:
        return self.units - earlier

    def _billed(self, name: str, call: Any, arguments: dict[str, Any]) -> Any:
        keys = _keys(arguments)
        before = [self._read(key) for key in keys]
        answer: Any = {}
        try:
            answer = call(**arguments)
        except self._client.exceptions.ConditionalCheckFailedException:
            self.units += _units(before[0])
            raise
        failed = [("Error" in response) for response in answer.get("Responses", [{}] * len(keys))]
        for old, key, refused in zip(before, keys, failed, strict=True):
            new = self._read(key)
            self.units += _units(old) if refused else max(_units(old), _units(new)) + _index_units(old, new)
            if new is not None and new["sk"]["S"] == "STATE":
                self.largest = max(self.largest, item_bytes(new))
        return answer

    def _read(self, key: dict[str, Any]) -> Any:
        return self._client.get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")


def _keys(arguments: dict[str, Any]) -> list[dict[str, Any]]:
    if "Key" in arguments:
        return [arguments["Key"]]
    if "Item" in arguments:
        return [_key(arguments["Item"])]
    if "RequestItems" in arguments:
        ((_, requests),) = arguments["RequestItems"].items()
        return [_key(request["PutRequest"]["Item"]) for request in requests]
    return [_key_of_statement(one["Statement"], one["Parameters"]) for one in arguments["Statements"]]


def _key_of_statement(text: str, parameters: list[Any]) -> dict[str, Any]:
    if text.startswith("INSERT"):
        return _key(dict(zip(re.findall(r"'(\w+)': \?", text), parameters, strict=True)))
    settings, _, condition = text.partition(" WHERE ")
    assert condition.startswith('"pk" = ? AND "sk" = ?')
    first = settings.count("?")
    return {"pk": parameters[first], "sk": parameters[first + 1]}


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def _units(item: Any) -> int:
    return max(1, ceil(item_bytes(item) / 1024)) if item else 1


def _index_units(before: Any, after: Any) -> int:
    units = 0
    for index in INDEXES:
        old, new = _entry(index, before), _entry(index, after)
        if old != new:
            units += sum(_units(entry) for entry in (old, new) if entry is not None)
    return units


def _entry(index: str, item: Any) -> Any:
    """The item as a KEYS_ONLY index holds it, None if it lacks one of the index's keys."""
    names = (f"{index}_pk", f"{index}_sk")
    if item is None or not all(name in item for name in names):
        return None
    return {name: item[name] for name in ("pk", "sk", *names)}
