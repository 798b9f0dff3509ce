"""DynamoDB's operations on one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.cloud.refused import Refused, invalid
from bench.cloud.requests import Asked, asked_of
from bench.cloud.table import Change, Table, no_such_table, read_units
from bench.cloud.updates import applied
from bench.cloud.values import Item, copied, item_bytes, taken

Document = dict[str, Any]
Tables = Mapping[str, Table]

CONDITION_FAILED = "The conditional request failed"


class SingleItems:
    """GetItem, PutItem, UpdateItem and DeleteItem."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def get_item(self, asked: Document) -> Document:
        """A read of one item."""
        table = table_of(self._tables, asked["TableName"])
        request = asked_of(asked)
        table.whole_key(asked["Key"])
        consistent = asked.get("ConsistentRead", False)
        found = table.get(asked["Key"], consistent=consistent)
        answer: Document = {} if found is None else {"Item": copied(request.projected(found))}
        if wants_capacity(asked):
            units = read_units(item_bytes(found) if found else 1, consistent=consistent)
            answer["ConsumedCapacity"] = capacity(table.name, units)
        return answer

    def put_item(self, asked: Document) -> Document:
        """A write of a whole item."""
        return self._written(asked, *planned_put(self._tables, asked))

    def update_item(self, asked: Document) -> Document:
        """A change of some attributes."""
        return self._written(asked, *planned_update(self._tables, asked))

    def delete_item(self, asked: Document) -> Document:
        """A removal."""
        return self._written(asked, *planned_delete(self._tables, asked))

    def _written(self, asked: Document, table: Table, change: Change, request: Asked) -> Document:
        table.commit(change)
        if not change.accepted:
            raise condition_failed(asked, change)
        answer: Document = {}
        values = asked.get("ReturnValues", "NONE")
        if values != "NONE":
            attributes = _returned(values, change, request)
            if attributes:
                answer["Attributes"] = copied(attributes)
        if wants_capacity(asked):
            answer["ConsumedCapacity"] = capacity(table.name, change.units)
        return answer


def table_of(tables: Tables, name: str) -> Table:
    """The table of this name or ARN.

    Raises:
        Refused: there is none.
    """
    table = tables.get(name.rpartition("/")[2])
    if table is None:
        raise no_such_table()
    return table


def planned_put(tables: Tables, asked: Document) -> tuple[Table, Change, Asked]:
    """What a put of `Item` would do."""
    table = table_of(tables, asked["TableName"])
    request = asked_of(asked)
    item = {name: taken(value) for name, value in asked["Item"].items()}
    return table, table.planned(item, request.holds, lambda _: item), request


def planned_update(tables: Tables, asked: Document) -> tuple[Table, Change, Asked]:
    """What an update of `Key` would do."""
    table = table_of(tables, asked["TableName"])
    request = asked_of(asked)
    table.whole_key(asked["Key"])
    expressions, names, values = request.expressions, request.names, request.values

    def make(before: Item) -> Item:
        after = applied(expressions.changes, before, names, values)
        check_key_kept(table, before, after)
        return after

    return table, table.planned(asked["Key"], request.holds, make), request


def planned_delete(tables: Tables, asked: Document) -> tuple[Table, Change, Asked]:
    """What a deletion of `Key` would do."""
    table = table_of(tables, asked["TableName"])
    request = asked_of(asked)
    table.whole_key(asked["Key"])
    return table, table.planned(asked["Key"], request.holds, lambda _: None), request


def check_key_kept(table: Table, before: Item, after: Item) -> None:
    """Refuse an update of the item's own key.

    Raises:
        Refused: an attribute of the key was written, be it with the same value.
    """
    for part in table.keys:
        if after.get(part) is not before.get(part):
            raise invalid(
                f"One or more parameter values were invalid: Cannot update attribute {part}. "
                "This attribute is part of the key"
            )


def condition_failed(asked: Mapping[str, Any], change: Change) -> Refused:
    """DynamoDB's answer to a write whose condition does not hold."""
    members: Document = {"message": CONDITION_FAILED}
    if change.before is not None and asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        members["Item"] = copied(change.before)
    return Refused("ConditionalCheckFailedException", CONDITION_FAILED, members=members)


def wants_capacity(asked: Mapping[str, Any]) -> bool:
    """Whether the answer is to say what was consumed."""
    return bool(asked.get("ReturnConsumedCapacity", "NONE") != "NONE")


def capacity(table: str, units: float) -> Document:
    """What was consumed of a table and its indexes."""
    return {"TableName": table, "CapacityUnits": units}


def _returned(values: str, change: Change, request: Asked) -> Item:
    item = (change.before if values.endswith("_OLD") else change.after) or {}
    return item if values.startswith("ALL") else request.changed(item)
