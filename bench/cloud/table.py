"""A table whose writes are conditional and metered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.cloud.meter import Meter
from bench.cloud.values import Item, item_bytes, write_units

Condition = Callable[[Item], bool]
Key = tuple[str, ...]

_READ_UNIT_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index that projects keys only; an item without its keys is not in it."""

    name: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a write."""

    before: Item | None
    after: Item | None
    accepted: bool
    units: float


class Table:
    """Items under their keys.

    Units follow the Developer Guide: "DynamoDB read and write operations" for the table (a failed condition
    costs what the existing item costs, at least one), "Using Global Secondary Indexes", section "Write
    operations", for indexes.
    """

    def __init__(self, name: str, keys: tuple[str, ...], meter: Meter, indexes: tuple[Index, ...] = ()) -> None:
        self.name = name
        self._keys = keys
        self._meter = meter
        self._indexes = indexes
        self.items: dict[Key, Item] = {}
        # The size of the largest item ever written, by the last part of its key.
        self.largest: dict[str, int] = {}

    def key_of(self, item: Item) -> Key:
        """The primary key of an item, as plain text."""
        return tuple(str(next(iter(item[name].values()))) for name in self._keys)

    def get(self, key: Item) -> Item | None:
        """A consistent read."""
        found = self.items.get(self.key_of(key))
        self._meter.read_units += -(-(item_bytes(found) if found else 1) // _READ_UNIT_BYTES)
        return found

    def write(self, key: Item, condition: Condition | None, make: Callable[[Item], Item]) -> Change:
        """Replace the item under `key` by what `make` makes of it, if `condition` holds for it as it is."""
        name = self.key_of(key)
        before = self.items.get(name)
        if condition is not None and not condition(before or {}):
            units = write_units(before)
            self._meter.table_units += units
            return Change(before, before, accepted=False, units=units)
        after = {**make(before or {}), **{part: key[part] for part in self._keys}}
        self.items[name] = after
        self.largest[name[-1]] = max(self.largest.get(name[-1], 0), item_bytes(after))
        units, indexed = write_units(before, after), self._index_units(before, after)
        self._meter.table_units += units
        self._meter.index_units += indexed
        return Change(before, after, accepted=True, units=units + indexed)

    def _index_units(self, before: Item | None, after: Item) -> float:
        units = 0
        for index in self._indexes:
            old, new = self._entry(index, before), self._entry(index, after)
            if old == new:
                continue
            # Another key is a deletion and an insertion; an entry that comes or goes is one of them.
            units += sum(write_units(entry) for entry in (old, new) if entry is not None)
        return units

    def _entry(self, index: Index, item: Item | None) -> Item | None:
        if item is None or not all(name in item for name in index.keys):
            return None
        return {name: item[name] for name in (*index.keys, *self._keys)}
