"""Global secondary indexes: sparse, and as far behind the table as a simulation wants them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bench.cloud.values import Item

Key: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """A global secondary index; an item without its keys is not in it.

    Arguments:
        keys: its partition key and its sort key; both are strings.
        whole: whether it projects the whole item instead of keys only.
    """

    name: str
    keys: tuple[str, ...]
    whole: bool = False


class IndexEntries:
    """What one index holds.

    Arguments:
        lag_ms: how long the change that is made now stays unseen; None for not at all.
    """

    def __init__(self, index: Index, table_keys: tuple[str, ...]) -> None:
        self.index = index
        self._projected = (*index.keys, *(name for name in table_keys if name not in index.keys))
        self._entries: dict[Key, Item] = {}
        # Changes that queries don't see yet: when they will, and what becomes of which entry then.
        self._coming: list[tuple[int, Key, Item | None]] = []

    def entry(self, item: Item | None) -> Item | None:
        """The item as this index holds it, None if it does not."""
        if item is None:
            return None
        for name in self.index.keys:
            if name not in item:
                return None
        return item if self.index.whole else {name: item[name] for name in self._projected}

    def put(self, key: Key, entry: Item | None, now_ms: Callable[[], int], lag_ms: int) -> None:
        """Let the entry of `key` be `entry`, or none, once the lag is over."""
        if lag_ms <= 0 and not self._coming:
            self._set(key, entry)
            return
        now = now_ms()
        # Changes of one entry stay in order.
        earliest = max((at for at, other, _ in self._coming if other == key), default=now)
        self._coming.append((max(earliest, now + lag_ms), key, entry))

    def partition(self, value: str, now_ms: int) -> list[tuple[Key, Item]]:
        """The entries of one partition as queries see them now, by sort key and then by the table's key."""
        if self._coming:
            self._catch_up(now_ms)
        partition, sort = self.index.keys[0], self.index.keys[-1]
        found = [(key, entry) for key, entry in self._entries.items() if entry[partition]["S"] == value]
        return sorted(found, key=lambda one: (one[1][sort]["S"], one[0]))

    def _catch_up(self, now_ms: int) -> None:
        for at, key, entry in self._coming:
            if at <= now_ms:
                self._set(key, entry)
        self._coming = [change for change in self._coming if change[0] > now_ms]

    def _set(self, key: Key, entry: Item | None) -> None:
        if entry is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = entry
