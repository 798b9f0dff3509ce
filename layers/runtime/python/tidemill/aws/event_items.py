"""A fact as an item of the events table, and the way back. Pure.

A stream is a partition; its facts sort by version, and what is not a fact sorts behind them. A fact of some 500 bytes
of data costs one write unit: what can be told from the key, or is as usual, is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zlib import crc32

from tidemill.aws.items import Attribute, Item
from tidemill.domain.chain import Head, Recorded
from tidemill.domain.errors import InputError
from tidemill.domain.fact import Fact
from tidemill.domain.ports.events import Snapshot
from tidemill.domain.stream import StreamRef

STREAMS_INDEX: Final = "streams"
# The first facts of a category's streams are spread over so many partitions of the index.
STREAM_SHARDS: Final = 8
# As many digits as the highest version has.
_DIGITS: Final = 16
LAST_FACT: Final = "9" * _DIGITS
SNAPSHOT: Final = "SNAPSHOT#"
ONCE: Final = "ONCE#"

_TEXT: Final = (("causation_id", "cause"), ("traceparent", "trace"))


def partition_of(ref: StreamRef) -> str:
    """The partition of a stream. The tenant leads, so that a role can be bound to one tenant; it holds no '#'."""
    return f"{ref.tenant}#{ref.subject}"


def ref_in(partition: str) -> StreamRef:
    """The stream of a partition."""
    tenant, _, subject = partition.partition("#")
    return StreamRef.of(tenant, subject)


def version_key(ref: StreamRef, version: int) -> Item:
    """The primary key of one fact."""
    return {"pk": {"S": partition_of(ref)}, "sk": {"S": sort_key(version)}}


def sort_key(version: int) -> str:
    """A version as a sort key."""
    return f"{version:0{_DIGITS}d}"


def behind(version: int) -> str:
    """The lowest sort key behind a fact: what somebody put between two facts is read with the second one."""
    return f"{sort_key(version)} " if version else " "


def snapshot_key(ref: StreamRef, schema: int) -> Item:
    """The primary key of the newest snapshot of a schema."""
    return {"pk": {"S": partition_of(ref)}, "sk": {"S": f"{SNAPSHOT}{schema:0{_DIGITS}d}"}}


def once_key(ref: StreamRef, once: str) -> Item:
    """The primary key of what tells that a key was used."""
    return {"pk": {"S": partition_of(ref)}, "sk": {"S": f"{ONCE}{once}"}}


def streams_partition(category: str, shard: int) -> str:
    """One part of a category in the index of streams."""
    return f"{category}#{shard}"


def shard_of(ref: StreamRef) -> int:
    """Which part of its category a stream is in."""
    return crc32(partition_of(ref).encode()) % STREAM_SHARDS


def fact_item(recorded: Recorded) -> Item:
    """The item of a fact. The first one of its stream enters the index of streams."""
    fact = recorded.fact
    ref = StreamRef.of(fact.tenant, fact.subject or "")
    item: Item = {
        **version_key(ref, recorded.version),
        "id": {"S": fact.id},
        "type": {"S": fact.type},
        "data": {"S": fact.data.decode()},
        "at": {"N": str(fact.at)},
        "hash": {"S": recorded.hash},
    }
    if fact.correlation_id != fact.id:
        item["corr"] = {"S": fact.correlation_id}
    if fact.version != 1:
        item["v"] = {"N": str(fact.version)}
    if fact.hops:
        item["hops"] = {"N": str(fact.hops)}
    for field, name in _TEXT:
        if (value := getattr(fact, field)) is not None:
            item[name] = {"S": value}
    if recorded.version == 1:
        item["streams_pk"] = {"S": streams_partition(ref.category, shard_of(ref))}
        item["streams_sk"] = {"S": partition_of(ref)}
    return item


def place_of(item: Mapping[str, Attribute]) -> str:
    """The key of an item, as text."""
    return f"{item['pk']['S']} {item['sk']['S']}"


def is_fact(item: Mapping[str, Attribute]) -> bool:
    """Whether an item, or its key, is a fact's."""
    return item["sk"]["S"] <= LAST_FACT


def version_at(item: Mapping[str, Attribute]) -> int:
    """The version that the place of an item is for, or the one that it stands in the way of."""
    number = item["sk"]["S"][:_DIGITS]
    if not (number.isascii() and number.isdecimal() and len(number) == _DIGITS):
        return 1
    return int(number) + (item["sk"]["S"] != number)


def stream_of(item: Mapping[str, Attribute]) -> StreamRef | None:
    """The stream in which an item stands; None if its partition is none of ours."""
    try:
        return ref_in(item["pk"]["S"])
    except InputError:
        return None


def recorded_of(item: Mapping[str, Attribute]) -> Recorded | None:
    """The fact in an item, as it stands there, whether it fits or not; None if it is no fact."""
    if stream_of(item) is None or sort_key(version_at(item)) != item["sk"]["S"]:
        return None
    try:
        return _recorded(item)
    except (KeyError, ValueError):
        # An attribute is missing, of another type, or no whole number.
        return None


def _recorded(item: Mapping[str, Attribute]) -> Recorded:
    tenant, _, subject = item["pk"]["S"].partition("#")
    fact = Fact(
        id=item["id"]["S"],
        type=item["type"]["S"],
        data=item["data"]["S"].encode(),
        tenant=tenant,
        at=int(item["at"]["N"]),
        correlation_id=_text(item, "corr") or item["id"]["S"],
        version=_number(item, "v", 1),
        causation_id=_text(item, "cause"),
        subject=subject,
        sequence=int(item["sk"]["S"]),
        traceparent=_text(item, "trace"),
        hops=_number(item, "hops", 0),
    )
    return Recorded(fact, item["hash"]["S"])


def snapshot_item(ref: StreamRef, snapshot: Snapshot) -> Item:
    """The item of a snapshot."""
    return {
        **snapshot_key(ref, snapshot.schema),
        "version": {"N": str(snapshot.head.version)},
        "hash": {"S": snapshot.head.hash},
        "state": {"S": snapshot.state.decode()},
    }


def snapshot_of(item: Mapping[str, Attribute]) -> Snapshot | None:
    """The snapshot in an item; None if it is none, which counts for nothing."""
    try:
        head = Head(int(item["version"]["N"]), item["hash"]["S"])
        return Snapshot(head, int(item["sk"]["S"].removeprefix(SNAPSHOT)), item["state"]["S"].encode())
    except (KeyError, ValueError):
        return None


def once_item(ref: StreamRef, once: str, first: int, last: int) -> Item:
    """What tells that facts were appended under a key."""
    numbers: dict[str, Any] = {"first": {"N": str(first)}, "last": {"N": str(last)}}
    return {**once_key(ref, once), **numbers}


def _text(item: Mapping[str, Attribute], name: str) -> str | None:
    return item[name]["S"] if name in item else None


def _number(item: Mapping[str, Attribute], name: str, usual: int) -> int:
    return int(item[name]["N"]) if name in item else usual
