"""The items of a batch: names, and the way there and back. Pure.

The batch's own item has a partition of its own, which holds the jobs that are kept for it, too. Each shard has
another one, so that a batch of ten thousand children is written in a hundred partitions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final
from zlib import crc32

from tidemill.aws.items import Attribute, Item, attribute, moment
from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Fate, Member, Tally
from tidemill.domain.batch_record import BatchRecord, BatchState, Ending, Kept
from tidemill.domain.completion import Completion
from tidemill.domain.envelope import decode, is_envelope, parse_body
from tidemill.domain.errors import IntegrityError, MalformedMessageError

VERSION: Final = 1
BATCH_KEY: Final = "BATCH"
SHARD_KEY: Final = "SHARD"
# Parts of the due index that hold batches: 4,000 writes a second, of which a batch takes two to five. Each run of the
# janitor reads all of them.
DUE_SHARDS: Final = 4
# One attribute for each way to end.
SETS: Final = {Fate.SUCCEEDED: "ok", Fate.FAILED: "bad", Fate.CANCELLED: "off"}


def batch_key(ref: BatchRef, sort_key: str = BATCH_KEY) -> Item:
    """Where the batch is. No job's partition is the same: `batch` is no job's id."""
    return {"pk": {"S": f"{ref.tenant}#batch#{ref.id}"}, "sk": {"S": sort_key}}


def shard_key(ref: BatchRef, shard: int) -> Item:
    """Where the ends of one shard's children are counted."""
    return {"pk": {"S": f"{ref.tenant}#batch#{ref.id}#{shard}"}, "sk": {"S": SHARD_KEY}}


def ref_of(item: Mapping[str, Attribute]) -> BatchRef:
    """The batch that an item, or an index's key, belongs to."""
    tenant, _, batch_id, *_ = item["pk"]["S"].split("#")
    return BatchRef(tenant, batch_id)


def due_partition(shard: int) -> str:
    """One part of the batches of all tenants in the due index. No scheduled job's partition is the same."""
    return f"batch#{shard}"


def due_keys(ref: BatchRef, check_at: int) -> Item:
    """Where the due index holds a batch that is to be looked at."""
    return {"due_pk": {"S": due_partition(crc32(ref.id.encode()) % DUE_SHARDS)}, "due_sk": {"S": moment(check_at)}}


def numbers(found: Any) -> Attribute:
    """A set of numbers; DynamoDB has no empty one."""
    return {"NS": [str(number) for number in sorted(found)]}


def batch_item(record: BatchRecord) -> Item:
    """The whole item of a new batch."""
    rule, parent = record.completion, record.parent
    found: dict[str, Any] = {
        "v": VERSION,
        "size": record.size,
        "fingerprint": record.fingerprint,
        "created_at": record.created_at,
        "ttl": record.ttl_s,
        "submitted": record.submitted,
        "completion": _compact([rule.needed, rule.tolerated, rule.early]),
        "key": record.key,
        "edges": _compact(record.edges) if record.edges else None,
        "inner": _compact(_runs(record.inner)) if record.inner else None,
        "parent": _compact([parent.batch, parent.index, parent.size, parent.eager]) if parent else None,
        "kept": record.kept or None,
        "has_then": record.then or None,
        "has_on_failure": record.on_failure or None,
    }
    item = batch_key(record.ref)
    item.update({name: attribute(value) for name, value in found.items() if value is not None})
    if record.check_at is not None:
        item.update(due_keys(record.ref, record.check_at))
    return item


def record_of(item: Mapping[str, Attribute]) -> BatchRecord:
    """The batch in an item.

    Raises:
        IntegrityError: code with another schema wrote it.
    """
    ref = ref_of(item)
    if item.get("v") != {"N": str(VERSION)}:
        raise IntegrityError(f"batch {ref} is of another schema version. Fix: deploy the newer code everywhere")
    needed, tolerated, early = json.loads(item["completion"]["S"])
    parent = json.loads(item["parent"]["S"]) if "parent" in item else None
    return BatchRecord(
        ref=ref,
        size=int(item["size"]["N"]),
        fingerprint=item["fingerprint"]["S"],
        created_at=int(item["created_at"]["N"]),
        completion=Completion(needed, tolerated, early),
        ttl_s=int(item["ttl"]["N"]),
        key=item["key"]["S"] if "key" in item else None,
        edges=tuple(map(tuple, json.loads(item["edges"]["S"]))) if "edges" in item else (),
        inner=_in_runs(json.loads(item["inner"]["S"])) if "inner" in item else frozenset(),
        kept="kept" in item,
        then="has_then" in item,
        on_failure="has_on_failure" in item,
        parent=Member(*parent) if parent else None,
        submitted=int(item["submitted"]["N"]),
        cancel_asked="cancel" in item,
        full=frozenset(map(int, item["full"]["NS"])) if "full" in item else frozenset(),
        check_at=int(item["due_sk"]["S"]) if "due_sk" in item else None,
        check_from=int(item["check_from"]["N"]) if "check_from" in item else 0,
        ended=_ending_of(item["ended"]["S"]) if "ended" in item else None,
        told="told" in item,
    )


def ending_text(ending: Ending) -> str:
    """How a batch ended, as an attribute."""
    counts = [ending.succeeded, ending.failed, ending.cancelled, ending.skipped]
    return _compact([ending.at, ending.state.value, counts, ending.failures])


def tally_of(item: Mapping[str, Attribute] | None, shard: int) -> Tally:
    """What a shard's item has counted; its numbers are places within the shard, which are short."""
    if item is None:
        return Tally()
    first = shard * limits.CHILDREN_PER_SHARD
    return Tally(
        *(
            frozenset(first + int(place) for place in item[name]["NS"]) if name in item else frozenset()
            for name in SETS.values()
        )
    )


def kept_key(record: BatchRecord, name: str) -> Item:
    """Where a job is that is held for the batch. Another start under the same key holds its own elsewhere."""
    return batch_key(record.ref, f"KEPT#{record.fingerprint}#{name}")


def kept_item(record: BatchRecord, kept: Kept) -> Item:
    """A job that is held for the batch."""
    more: Item = {} if kept.lasts_ms is None else {"lasts_ms": attribute(kept.lasts_ms)}
    if kept.due_at:
        more["due_at"] = attribute(kept.due_at)
    if kept.wants_ending:
        more["wants_ending"] = attribute(True)
    return {
        **kept_key(record, kept.name),
        "body": attribute(kept.envelope.encode()),
        "lane": attribute(kept.lane),
        "delay_ms": attribute(kept.delay_ms),
        **more,
        "ttl": attribute(record.ttl_s),
    }


def kept_of(item: Mapping[str, Attribute], name: str) -> Kept:
    """The job in such an item.

    Raises:
        IntegrityError: it is not what its writer stored.
    """
    try:
        document = parse_body(item["body"]["S"])
        if is_envelope(document):
            lasts = int(item["lasts_ms"]["N"]) if "lasts_ms" in item else None
            delay, wants = int(item["delay_ms"]["N"]), "wants_ending" in item
            due_at = int(item["due_at"]["N"]) if "due_at" in item else 0
            return Kept(name, decode(document), item["lane"]["S"], delay, lasts, wants, due_at)
        problem = "it is no envelope"
    except MalformedMessageError as error:
        problem = str(error)
    raise IntegrityError(f"what {item['pk']['S']} holds as {name} is damaged: {problem}")


def _ending_of(text: str) -> Ending:
    at, state, (succeeded, failed, cancelled, skips), failures = json.loads(text)
    return Ending(at, BatchState(state), succeeded, failed, cancelled, skips, tuple(failures))


def _runs(indexes: Iterable[int]) -> list[list[int]]:
    """Indexes as first and last of each run: thousands of inner batches mostly stand together."""
    runs: list[list[int]] = []
    for index in sorted(indexes):
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return runs


def _in_runs(runs: Iterable[tuple[int, int]]) -> frozenset[int]:
    return frozenset(index for first, last in runs for index in range(first, last + 1))


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
