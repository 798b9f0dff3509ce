"""Query, on a table and on its indexes; Scan, on a table."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from bench.cloud.indexes import IndexEntries, Key
from bench.cloud.items import Document, Tables, capacity, table_of, wants_capacity
from bench.cloud.refused import invalid
from bench.cloud.requests import Asked, asked_of
from bench.cloud.table import Table, read_units
from bench.cloud.values import Item, copied, item_bytes, plain

# API Reference, Query: "A single Query operation will read up to the maximum number of items set (if using the
# Limit parameter) or a maximum of 1 MB of data".
PAGE_BYTES = 1_048_576


class Queries:
    """One page of a partition, in order."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def query(self, asked: Document) -> Document:
        """Answer a page, and where the next one begins.

        Raises:
            Refused: no such table or index, a key condition that names other attributes, a start key that is not
                within the range.
        """
        table = table_of(self._tables, asked["TableName"])
        index = _index(table, asked)
        keys = table.keys if index is None else index.index.keys
        request = asked_of(asked)
        condition = request.expressions.keys
        if condition is None:
            raise invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
            )
        partition, within = condition.bound(keys, request.names, request.values)
        found = _entries(table, index, str(plain(partition)))
        if len(keys) > 1:
            found = [(key, item) for key, item in found if within(item[keys[1]])]
        if not asked.get("ScanIndexForward", True):
            found.reverse()
        start = asked.get("ExclusiveStartKey")
        if start is not None:
            if start.get(keys[0]) != partition or (len(keys) > 1 and not within(start[keys[1]])):
                raise invalid("The provided starting key is outside query boundaries based on provided conditions")
            found = _after(table, index, found, start, forward=asked.get("ScanIndexForward", True))
        return self._page(asked, request, table, index, found)

    def scan(self, asked: Document) -> Document:
        """Answer a page of the whole table, and where the next one begins.

        Partitions come in an order of their own, the items of one in that of their sort keys.
        """
        table = table_of(self._tables, asked["TableName"])
        found = sorted(table.items.items(), key=_scanned)
        start = asked.get("ExclusiveStartKey")
        if start is not None:
            place = _scanned((table.whole_key(start), {}))
            found = [entry for entry in found if _scanned(entry) > place]
        return self._page(asked, asked_of(asked), table, None, found)

    def _page(
        self, asked: Document, request: Asked, table: Table, index: IndexEntries | None, found: list[tuple[Key, Item]]
    ) -> Document:
        page, size = _first(found, asked.get("Limit"))
        test = request.expressions.filtering
        items = [item for _, item in page if test is None or test(item, request.names, request.values)]
        answer: Document = {"Count": len(items), "ScannedCount": len(page)}
        if asked.get("Select") != "COUNT":
            answer["Items"] = [copied(request.projected(item)) for item in items]
        if len(page) < len(found) or len(page) == asked.get("Limit"):
            names = table.keys if index is None else dict.fromkeys((*index.index.keys, *table.keys))
            answer["LastEvaluatedKey"] = copied({name: page[-1][1][name] for name in names})
        units = read_units(size, consistent=asked.get("ConsistentRead", False))
        table.count_read(units)
        if wants_capacity(asked):
            answer["ConsumedCapacity"] = capacity(table.name, units)
        return answer


def _scanned(entry: tuple[Key, Item]) -> tuple[int, Key]:
    return crc32(entry[0][0].encode()), entry[0]


def _index(table: Table, asked: Document) -> IndexEntries | None:
    name = asked.get("IndexName")
    if name is None:
        return None
    if name not in table.indexes:
        raise invalid(f"The table does not have the specified index: {name}")
    if asked.get("ConsistentRead"):
        raise invalid("Consistent reads are not supported on global secondary indexes")
    return table.indexes[name]


def _entries(table: Table, index: IndexEntries | None, partition: str) -> list[tuple[Key, Item]]:
    return table.partition(partition) if index is None else index.partition(partition, table.now_ms())


def _after(
    table: Table, index: IndexEntries | None, found: list[tuple[Key, Item]], start: Any, *, forward: bool
) -> list[tuple[Key, Item]]:
    names = table.keys if index is None else tuple(dict.fromkeys((*index.index.keys, *table.keys)))
    if start.keys() != set(names):
        raise invalid("The provided starting key is invalid")
    sort = table.keys[-1] if index is None else index.index.keys[-1]
    # The entry itself may have gone since: what counts is its place in the order.
    place = (plain(start[sort]), table.key_of(start))

    def is_behind(entry: tuple[Key, Item]) -> bool:
        here = (plain(entry[1][sort]), entry[0])
        return here > place if forward else here < place

    return [entry for entry in found if is_behind(entry)]


def _first(found: list[tuple[Key, Item]], limit: int | None) -> tuple[list[tuple[Key, Item]], int]:
    page: list[tuple[Key, Item]] = []
    size = 0
    for entry in found:
        if len(page) == limit or size >= PAGE_BYTES:
            break
        page.append(entry)
        size += item_bytes(entry[1])
    return page, size
