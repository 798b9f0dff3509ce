"""The items of schedules: a row, its versions, and how many a tenant has. Pure.

A tenant's rows share a partition, so that they are listed by name and consistently. The row holds no arguments: it is
rewritten at each tick, and stays within one write unit. A version is written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from zlib import crc32

from tidemill.aws.items import SHARDS, Attribute, Item, attribute, moment
from tidemill.domain.cron import Cron, Every, Timing
from tidemill.domain.overlap import Overlap
from tidemill.domain.schedule_row import (
    Change,
    Missed,
    Plan,
    ScheduleRef,
    ScheduleRow,
    ScheduleVersion,
    Settling,
    TickJob,
)

_ROW: Final = "ROW#"
_VERSION: Final = "V#"
_COUNTS: Final = ("ticks", "late", "skipped", "missed")
_FLAGS: Final = ("paused", "deleted", "waiting")
_MILLISECOND: Final = timedelta(milliseconds=1)
_MINUTE: Final = timedelta(minutes=1)


def rows_partition(tenant: str) -> str:
    """Where all schedules of a tenant are. No job's partition is the same: an id is a UUID."""
    return f"{tenant}#schedules"


def row_key(ref: ScheduleRef) -> Item:
    """The primary key of a schedule's row."""
    return {"pk": {"S": rows_partition(ref.tenant)}, "sk": {"S": f"{_ROW}{ref.name}"}}


def count_key(tenant: str) -> Item:
    """The primary key of the item that counts a tenant's schedules."""
    return {"pk": {"S": rows_partition(tenant)}, "sk": {"S": "COUNT"}}


def version_key(ref: ScheduleRef, number: int) -> Item:
    """The primary key of one version: ten digits, so that they sort."""
    return {"pk": {"S": f"{ref.tenant}#schedule#{ref.name}"}, "sk": {"S": f"{_VERSION}{number:010d}"}}


def due_partition(shard: int) -> str:
    """One part of all tenants' schedules in the due index, beside the parts for jobs."""
    return f"schedule#{shard}"


def shard_of(ref: ScheduleRef) -> int:
    """Which part of the due index a schedule is in."""
    return crc32(str(ref).encode()) % SHARDS


def is_row(item: Mapping[str, Attribute]) -> bool:
    """Whether an item of the tenant's partition is a row."""
    return item["sk"]["S"].startswith(_ROW)


def ref_of(item: Mapping[str, Attribute]) -> ScheduleRef:
    """Whose row an item, or an index's key, is. No tenant holds a '#'."""
    return ScheduleRef(item["pk"]["S"].partition("#")[0], item["sk"]["S"].removeprefix(_ROW))


def row_item(row: ScheduleRow, ttl_s: int | None = None) -> Item:
    """The row as an item. What is empty is absent.

    Arguments:
        ttl_s: until when a deleted row is kept, Unix seconds.
    """
    item = {
        **row_key(row.ref),
        **_plan_item(row.plan),
        "version": attribute(row.version),
        "rev": attribute(row.revision),
        "born": attribute(row.created_at),
        "at": attribute(row.changed_at),
    }
    numbers = {"lost": row.last_missed, "ttl": ttl_s}
    item |= {name: attribute(number) for name, number in numbers.items() if number is not None}
    item |= {name: attribute(count) for name in _COUNTS if (count := getattr(row, name))}
    item |= {name: attribute(value=True) for name in _FLAGS if getattr(row, name)}
    texts = {"made": _ticks(row.made), "again": _ticks(row.again), "problem": row.problem}
    item |= {name: attribute(text) for name, text in texts.items() if text}
    if row.settling is not None:
        item["settling"] = attribute(f"{row.settling.base} {_ticks(row.settling.ticks)}")
    if row.plan.jitter is not None and row.next_at is not None:
        item["next"] = attribute(row.next_at)
    if row.due_at is not None:
        item["due_pk"] = attribute(due_partition(shard_of(row.ref)))
        item["due_sk"] = attribute(moment(row.due_at))
    return item


def row_of(item: Mapping[str, Attribute]) -> ScheduleRow:
    """The row in an item."""
    base, _, ticks = _text(item, "settling").partition(" ")
    return ScheduleRow(
        ref=ref_of(item),
        plan=_plan_of(item),
        version=int(item["version"]["N"]),
        revision=int(item["rev"]["N"]),
        created_at=int(item["born"]["N"]),
        changed_at=int(item["at"]["N"]),
        next_at=None if base else _next_of(item),
        settling=Settling(_ticks_of(ticks), int(base)) if base else None,
        made=_ticks_of(_text(item, "made")),
        again=_ticks_of(_text(item, "again")),
        problem=_text(item, "problem"),
        last_missed=_number(item, "lost"),
        paused="paused" in item,
        deleted="deleted" in item,
        waiting="waiting" in item,
        **{name: _number(item, name) or 0 for name in _COUNTS},
    )


def _next_of(item: Mapping[str, Attribute]) -> int | None:
    """The next tick, which with a jitter is another time than that at which the row is due."""
    if "next" in item:
        return _number(item, "next")
    return int(item["due_sk"]["S"]) if "due_sk" in item else None


def version_item(version: ScheduleVersion, ttl_s: int | None = None) -> Item:
    """The version as an item."""
    item = {
        **version_key(version.ref, version.number),
        **_plan_item(version.plan),
        "change": attribute(version.change.value),
        "args": attribute(version.args.decode()),
        "at": attribute(version.at),
        "by": attribute(version.actor),
    }
    if version.paused:
        item["paused"] = attribute(value=True)
    numbers = {"reverted_to": version.reverted_to, "ttl": ttl_s}
    return item | {name: attribute(number) for name, number in numbers.items() if number is not None}


def version_of(item: Mapping[str, Attribute]) -> ScheduleVersion:
    """The version in an item."""
    tenant, _, rest = item["pk"]["S"].partition("#")
    return ScheduleVersion(
        ref=ScheduleRef(tenant, rest.partition("#")[2]),
        number=int(item["sk"]["S"].removeprefix(_VERSION)),
        change=Change(item["change"]["S"]),
        plan=_plan_of(item),
        args=item["args"]["S"].encode(),
        paused="paused" in item,
        at=int(item["at"]["N"]),
        actor=item["by"]["S"],
        reverted_to=_number(item, "reverted_to"),
    )


def _plan_item(plan: Plan) -> Item:
    timing: Item
    if isinstance(plan.timing, Cron):
        timing = {"cron": attribute(plan.timing.expression), "tz": attribute(plan.timing.tz)}
    else:
        timing = {"every_ms": attribute(plan.timing.span // _MILLISECOND)}
    item = {
        **timing,
        "kind": attribute(plan.kind),
        "since": attribute(plan.since),
        "lane": attribute(plan.lane),
        "overlap": attribute(plan.overlap.value),
        "if_missed": attribute(plan.missed.value),
        "most": attribute(plan.missed_limit),
    }
    if plan.jitter is not None:
        item["jitter"] = attribute(plan.jitter // _MINUTE)
    if plan.declared:
        item["code"] = attribute(value=True)
    return item if plan.entity is None else {**item, "entity": attribute(plan.entity)}


def _plan_of(item: Mapping[str, Attribute]) -> Plan:
    timing: Timing
    if "cron" in item:
        timing = Cron(item["cron"]["S"], item["tz"]["S"])
    else:
        timing = Every(int(item["every_ms"]["N"]) * _MILLISECOND)
    return Plan(
        kind=item["kind"]["S"],
        timing=timing,
        since=int(item["since"]["N"]),
        lane=item["lane"]["S"],
        entity=_text(item, "entity") or None,
        overlap=Overlap(item["overlap"]["S"]),
        missed=Missed(item["if_missed"]["S"]),
        missed_limit=int(item["most"]["N"]),
        jitter=int(item["jitter"]["N"]) * _MINUTE if "jitter" in item else None,
        declared="code" in item,
    )


def _ticks(ticks: tuple[TickJob, ...]) -> str:
    return " ".join(f"{tick.at}/{tick.number}" if tick.number else str(tick.at) for tick in ticks)


def _ticks_of(text: str) -> tuple[TickJob, ...]:
    pairs = (word.partition("/") for word in text.split())
    return tuple(TickJob(int(at), int(number or 0)) for at, _, number in pairs)


def _text(item: Mapping[str, Attribute], name: str) -> str:
    return item[name]["S"] if name in item else ""


def _number(item: Mapping[str, Attribute], name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None
