"""A table whose writes are conditional and metered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bench.cloud.choices import Choices
from bench.cloud.indexes import Index, IndexEntries, Key
from bench.cloud.meter import Meter
from bench.cloud.refused import Refused, invalid
from bench.cloud.values import Item, changed_bytes, item_bytes, number, number_text, taken, units_of

Condition: TypeAlias = Callable[[Item], bool]
# Called with the key and the item before and after each write that changed something.
Watcher: TypeAlias = Callable[["Table", Key, Item | None, Item | None], None]

# Developer Guide, "Constraints in Amazon DynamoDB".
MAX_ITEM_BYTES = 400 * 1_024
_MAX_KEY_BYTES = (2_048, 1_024)
_READ_UNIT_BYTES = 4_096


def read_units(size: int, *, consistent: bool) -> float:
    """The units of reading this many bytes: one for each started 4 KB, half as much if not consistent."""
    units = max(1, -(-size // _READ_UNIT_BYTES))
    return units if consistent else units / 2


@dataclass(slots=True)
class Change:
    """What becomes of a write, or became of it.

    Attributes:
        size: of the item after it, in bytes. `units`: what it cost, known once it is done.
    """

    key: Key
    before: Item | None
    after: Item | None
    accepted: bool
    size: int = 0
    units: float = 0


class Table:
    """Items under their keys.

    Units follow the Developer Guide: "DynamoDB read and write operations" for the table (a failed condition
    costs what the existing item costs, at least one), "Using Global Secondary Indexes", section "Write
    operations", for indexes.

    Arguments:
        keys: the partition key, and the sort key if there is one.
        numeric: those of the keys that are numbers; the others are strings.
        ttl: the attribute that holds the second from which an item may be removed.

    Attributes:
        items: as they are now; not to be written into.
        largest: the size of the largest item ever written, by the last part of its key.
        watchers: told of every change.
    """

    def __init__(
        self,
        name: str,
        keys: tuple[str, ...],
        meter: Meter,
        indexes: tuple[Index, ...] = (),
        *,
        numeric: tuple[str, ...] = (),
        ttl: str = "ttl",
    ) -> None:
        self.name = name
        self.keys = keys
        self._kinds = tuple("N" if part in numeric else "S" for part in keys)
        self._meter = meter
        self._ttl = ttl
        self.indexes = {index.name: IndexEntries(index, keys) for index in indexes}
        self._indexed = tuple(name for index in indexes for name in index.keys)
        self.items: dict[Key, Item] = {}
        self._sizes: dict[Key, int] = {}
        self._earlier: dict[Key, Item | None] = {}
        self._partitions: dict[str, dict[Key, None]] = {}
        self.largest: dict[str, int] = {}
        self.watchers: list[Watcher] = []
        self.choices = Choices()
        self.now_ms: Callable[[], int] = lambda: 0

    def key_of(self, item: Mapping[str, Mapping[str, str]]) -> Key:
        """The primary key of an item, as plain text.

        Raises:
            Refused: a part is missing, of another type, empty or too long.
        """
        parts: list[str] = []
        for name, kind, most in zip(self.keys, self._kinds, _MAX_KEY_BYTES, strict=False):
            content = item[name].get(kind, "") if name in item else ""
            if not content or len(content) * 4 > most:
                _check_key(item, name, kind, most)
            parts.append(number_text(content) if kind == "N" else content)
        return tuple(parts)

    def whole_key(self, key: Mapping[str, Mapping[str, str]]) -> Key:
        """The primary key in a request's `Key`, which holds nothing else.

        Raises:
            Refused: it is not the key of an item of this table.
        """
        matches = len(key) == len(self.keys)
        for name, kind in zip(self.keys, self._kinds, strict=True):
            matches = matches and name in key and kind in key[name]
        if not matches:
            raise invalid("The provided key element does not match the schema")
        return self.key_of(key)

    def get(self, key: Mapping[str, Mapping[str, str]], *, consistent: bool = True) -> Item | None:
        """The item as it is; what is not consistent may be one write behind."""
        name = self.key_of(key)
        found = self.items.get(name)
        self._meter.read_units += read_units(self._sizes.get(name, 1), consistent=consistent)
        if (
            not consistent
            and self.choices.stale_read is not None
            and name in self._earlier
            and self.choices.stale_read(name)
        ):
            return self._earlier[name]
        return found

    def count_read(self, units: float) -> None:
        """Count units that a query took."""
        self._meter.read_units += units

    def partition(self, value: str) -> list[tuple[Key, Item]]:
        """The items under one partition key, by their sort key."""
        keys = list(self._partitions.get(value, ()))
        numeric = self._kinds[-1] == "N"
        keys.sort(key=lambda key: number(key[-1]) if numeric else key[-1])
        return [(key, self.items[key]) for key in keys]

    def write(self, key: Item, condition: Condition | None, make: Callable[[Item], Item | None]) -> Change:
        """Replace the item under `key` by what `make` makes of it, if `condition` holds for it as it is."""
        change = self.planned(key, condition, make)
        self.commit(change)
        return change

    def planned(self, key: Item, condition: Condition | None, make: Callable[[Item], Item | None]) -> Change:
        """What a write would do. Nothing is changed, nothing counted.

        Raises:
            Refused: what `make` makes is not an item of this table.
        """
        place = self.key_of(key)
        before = self.items.get(place)
        held = before if before is not None else {}
        if condition is not None and not condition(held):
            return Change(place, before, before, accepted=False)
        made = make(held)
        if made is None:
            return Change(place, before, None, accepted=True)
        after = dict(made)
        for part in self.keys:
            if part not in after:
                after[part] = taken(key[part])
        for name in self._indexed:
            if name in after and not after[name].get("S"):
                raise _unsortable(name, after[name])
        size = changed_bytes(self._sizes.get(place, 0), held, after)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size has exceeded the maximum allowed size")
        return Change(place, before, after, accepted=True, size=size)

    def commit(self, change: Change, *, factor: int = 1) -> None:
        """Do what was planned, or count what refusing it costs.

        Arguments:
            factor: 2 within a transaction.
        """
        old = self._sizes.get(change.key, 0)
        if not change.accepted:
            change.units = units_of(old) * factor
            self._meter.table_units += change.units
            return
        units = units_of(max(old, change.size)) * factor
        indexed = self._reindexed(change) * factor
        self._store(change)
        change.units = units + indexed
        self._meter.table_units += units
        self._meter.index_units += indexed
        for watcher in self.watchers:
            watcher(self, change.key, change.before, change.after)

    def expire(self, now_s: int) -> int:
        """Remove the items whose time to live is over; answer how many. AWS does it within days, unasked."""
        over = [
            key
            for key, item in self.items.items()
            if self._ttl in item and number(item[self._ttl].get("N", "Infinity")) < now_s
        ]
        for key in over:
            change = Change(key, self.items[key], None, accepted=True)
            self._reindexed(change)
            self._store(change)
            for watcher in self.watchers:
                watcher(self, key, change.before, None)
        return len(over)

    def _store(self, change: Change) -> None:
        key, after = change.key, change.after
        if self.choices.stale_read is not None:
            self._earlier[key] = change.before
        if after is None:
            if change.before is not None:
                del self.items[key], self._sizes[key], self._partitions[key[0]][key]
            return
        if change.before is None:
            self._partitions.setdefault(key[0], {})[key] = None
        self.items[key] = after
        self._sizes[key] = change.size
        if change.size > self.largest.get(key[-1], 0):
            self.largest[key[-1]] = change.size

    def _reindexed(self, change: Change) -> float:
        units = 0
        for name, index in self.indexes.items():
            old, new = index.entry(change.before), index.entry(change.after)
            if old == new:
                continue
            lag = self.choices.index_lag_ms
            index.put(change.key, new, self.now_ms, 0 if lag is None else lag(name))
            # Another key is a deletion and an insertion; an entry that comes or goes is one of them.
            units += sum(units_of(item_bytes(entry)) for entry in (old, new) if entry is not None)
        return units


def _check_key(item: Mapping[str, Mapping[str, str]], name: str, kind: str, most: int) -> None:
    if name not in item:
        raise invalid(f"One or more parameter values were invalid: Missing the key {name} in the item")
    content = item[name].get(kind)
    if content is None:
        raise invalid(
            f"One or more parameter values were invalid: Type mismatch for key {name} expected: {kind} "
            f"actual: {next(iter(item[name]))}"
        )
    if not content:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty string value. Key: {name}"
        )
    if len(content.encode()) > most:
        which = "hashkey" if most == _MAX_KEY_BYTES[0] else "rangekey"
        raise invalid(
            "One or more parameter values were invalid: Size of "
            f"{which} has exceeded the maximum size limit of{most} bytes"
        )


def _unsortable(name: str, value: Mapping[str, str]) -> Refused:
    if "S" not in value:
        return invalid(
            f"One or more parameter values were invalid: Type mismatch for Index Key {name} Expected: S "
            f"Actual: {next(iter(value))}"
        )
    return invalid(
        "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
        f"The AttributeValue for a key attribute cannot contain an empty string value. IndexKey: {name}"
    )


def no_such_table() -> Refused:
    """DynamoDB's answer to a name that it does not know."""
    message = "Requested resource not found"
    return Refused("ResourceNotFoundException", message, members={"message": message})
