"""A job's STATE item: names, sizes, and the way there and back. Pure.

The item stays within one write unit at the longest names, whatever the payload: every update is charged by
the size of the whole item. So an attribute without a value is absent, and the keys of an index repeat nothing
of the table's own keys, which DynamoDB projects into every index.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from zlib import crc32

from tidemill.domain.errors import IntegrityError
from tidemill.domain.job import Job, JobRef, day_of
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

Attribute: TypeAlias = "AttributeValueTypeDef"
Item: TypeAlias = "dict[str, AttributeValueTypeDef]"
Scalar: TypeAlias = str | int | bool

VERSION: Final = 1
STATE_KEY: Final = "STATE"
# DynamoDB Developer Guide, "DynamoDB read and write operations": one write unit covers an item of up to 1 KB.
UNIT_BYTES: Final = 1_024
# A partition takes 1,000 writes a second (Developer Guide, "Partitions and data distribution"); eight of them
# take what one tenant's busiest kind is likely to submit, and a listing reads no more than eight ranges.
SHARDS: Final = 8
LIST_INDEX: Final = "list"
ATTENTION_INDEX: Final = "attention"
DUE_INDEX: Final = "due"
NEEDS_ATTENTION: Final = frozenset({State.SCHEDULED, State.RETRYING, State.DEAD})

# Fields of Job and their attributes. None is absent, and so is False.
_TEXT: Final = (
    ("kind", "kind"),
    ("lane", "lane"),
    ("fingerprint", "fingerprint"),
    ("key", "key"),
    ("owner", "owner"),
    ("reason", "reason"),
    ("error", "error"),
    ("result", "result"),
    ("correlation_id", "corr"),
    ("progress", "progress"),
    ("webhook", "hook"),
)
_NUMBERS: Final = (
    ("created_at", "created_at"),
    ("claimable_at", "claimable_at"),
    ("generation", "generation"),
    ("attempt", "attempt"),
    ("fence", "fence"),
    ("concluded", "concluded"),
    ("deferrals", "deferrals"),
    ("wait_ms", "wait_ms"),
    ("started_at", "started_at"),
    ("finished_at", "finished_at"),
    ("keep_until", "keep_until"),
    ("expires_at", "expires_at"),
    ("ttl_s", "ttl"),
)
# Numbers that are mostly 0, and absent then.
# `answers` has a short name because the longest running record has no byte to spare.
_COUNTS: Final = (("repeats", "repeats"), ("answers", "told"))
_FLAGS: Final = (("has_result_item", "has_result"), ("owns_args", "has_args"), ("cancel_asked", "cancel"))
_FIELDS: Final = _TEXT + _NUMBERS


def partition_key(ref: JobRef) -> str:
    """The partition of a job and all its items. The tenant leads, so that a role can be bound to one tenant."""
    return f"{ref.tenant}#{ref.id}"


def key_of(ref: JobRef, sort_key: str = STATE_KEY) -> Item:
    """The primary key of one of the job's items."""
    return {"pk": {"S": partition_key(ref)}, "sk": {"S": sort_key}}


def ref_of(item: Mapping[str, Attribute]) -> JobRef:
    """The job that an item, or an index's key, belongs to. No tenant holds a '#'."""
    tenant, _, job_id = item["pk"]["S"].partition("#")
    return JobRef(tenant, job_id)


def shard_of(ref: JobRef) -> int:
    """Which part of an index the job is in."""
    return crc32(ref.id.encode()) % SHARDS


def list_partition(tenant: str, kind: str, day: str, shard: int) -> str:
    """One part of one kind's jobs of one day in the list index."""
    return f"{tenant}#{kind}#{day}#{shard}"


def attention_partition(state: State, shard: int) -> str:
    """One part of the jobs in one state in the attention index; its sort key begins with the tenant."""
    return f"{state}#{shard}"


def due_partition(shard: int) -> str:
    """One part of the scheduled jobs of all tenants in the due index."""
    return str(shard)


def moment(at_ms: int) -> str:
    """A time as a sort key: 13 digits hold the milliseconds up to the year 2286."""
    return f"{at_ms:013d}"


def attribute(value: Scalar) -> Attribute:
    """A plain value in DynamoDB's JSON."""
    if isinstance(value, str):
        return {"S": value}
    return {"BOOL": value} if isinstance(value, bool) else {"N": str(value)}


def scalars(job: Job) -> dict[str, Scalar]:
    """Every attribute of the record that an update may touch, as plain values."""
    found: dict[str, Scalar] = {"v": VERSION, "state": job.state.value}
    found.update({name: value for field, name in _FIELDS if (value := getattr(job, field)) is not None})
    found.update({name: value for field, name in _FLAGS + _COUNTS if (value := getattr(job, field))})
    if job.held is not None:
        found["send_id"] = job.held.send_id
        found["sent_at"] = job.held.sent_at
    found.update(_index_keys(job))
    return found


def _index_keys(job: Job) -> dict[str, str]:
    """Where the sparse indexes hold the record."""
    found: dict[str, str] = {}
    if job.state in NEEDS_ATTENTION:
        # A dead job is not claimable: the moment of its death sorts it.
        found["attention_pk"] = attention_partition(job.state, shard_of(job.ref))
        found["attention_sk"] = f"{job.ref.tenant}#{moment(job.claimable_at or job.finished_at or 0)}"
    if job.state is State.SCHEDULED or job.watched:
        found["due_pk"] = due_partition(shard_of(job.ref))
        found["due_sk"] = moment(job.claimable_at or 0)
    return found


def state_item(job: Job, *, listed: bool) -> Item:
    """The whole item of a new record; `listed` puts it into the list index, for as long as it lives."""
    item = key_of(job.ref)
    item.update({name: attribute(value) for name, value in scalars(job).items()})
    if listed:
        item["list_pk"] = {"S": list_partition(job.ref.tenant, job.kind, day_of(job.created_at), shard_of(job.ref))}
        item["list_sk"] = {"S": moment(job.created_at)}
    return item


def job_of(item: Mapping[str, Attribute]) -> Job:
    """The record in an item.

    Raises:
        IntegrityError: code with another schema wrote it.
    """
    version = item["v"]["N"]
    if version != str(VERSION):
        raise IntegrityError(
            f"the record of job {ref_of(item)} has schema version {version}, this code reads {VERSION}. "
            "Fix: deploy the newer code everywhere"
        )
    fields: dict[str, Any] = {field: item[name]["S"] for field, name in _TEXT if name in item}
    for field, name in _NUMBERS:
        fields[field] = int(item[name]["N"]) if name in item else None
    for field, name in _COUNTS:
        fields[field] = int(item[name]["N"]) if name in item else 0
    state = State(item["state"]["S"])
    return Job(
        ref=ref_of(item),
        state=state,
        held=Held(item["send_id"]["S"], int(item["sent_at"]["N"])) if "send_id" in item else None,
        has_result_item="has_result" in item,
        owns_args="has_args" in item,
        cancel_asked="cancel" in item,
        watched=state is State.RUNNING and "due_pk" in item,
        **fields,
    )


def item_bytes(item: Mapping[str, Attribute]) -> int:
    """The item's size as DynamoDB charges it (Developer Guide, "DynamoDB item sizes and formats").

    Names and strings count their UTF-8 bytes, a number one byte for two digits and one more (an odd digit
    counts as two), a flag one.
    """
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Attribute) -> int:
    if "S" in value:
        return len(value["S"].encode())
    if "NS" in value:
        # A byte more for each member, as for those of a list: AWS does not say that a set has none.
        return 3 + sum(1 + _number_bytes(number) for number in value["NS"])
    return _number_bytes(value["N"]) if "N" in value else 1


def _number_bytes(number: str) -> int:
    return 1 + (len(number) + 1) // 2
