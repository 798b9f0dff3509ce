"""Batches on the jobs table in DynamoDB. See `tidemill.domain.ports.BatchStore`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws import batch_items as items
from tidemill.aws.errors import AwsError, code_of, is_passing, raise_for, unavailable
from tidemill.aws.items import DUE_INDEX, Item, attribute, moment
from tidemill.aws.patience import each
from tidemill.aws.table import JobsTable
from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Tally, together
from tidemill.domain.batch_record import BatchRecord, Ending, Kept
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import DueBatches, Mark

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_REFUSED: Final = "ConditionalCheckFailedException"
_EXISTS: Final = "attribute_exists(pk)"


class DynamoBatches:
    """`BatchStore` on one DynamoDB table.

    Counting the ends of children of one shard costs one write unit, however many they are.

    Arguments:
        meter: is told the capacity units that DynamoDB counts for each call.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def open_batch(self, record: BatchRecord) -> BatchRecord:
        """See BatchStore."""
        try:
            answer = self._table.client.put_item(
                TableName=self._table.name,
                Item=items.batch_item(record),
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **self._table.metering,
            )
        except AwsError as error:
            return items.record_of(_standing("open", error))
        self._table.count(answer)
        return record

    def keep_jobs(self, record: BatchRecord, kept: Sequence[Kept]) -> None:
        """See BatchStore. A unit for each kilobyte of each."""
        errors = self._table.put("keep", [items.kept_item(record, one) for one in kept]) if kept else []
        for error in errors:
            if error is not None:
                raise error

    def kept_jobs(self, record: BatchRecord, names: Sequence[str]) -> list[Kept | None]:
        """See BatchStore."""
        found = self._table.read("kept", [items.kept_key(record, name) for name in names]) if names else []
        return [None if item is None else items.kept_of(item, name) for item, name in zip(found, names, strict=True)]

    def find_batches(self, refs: Sequence[BatchRef]) -> list[BatchRecord | None]:
        """See BatchStore."""
        found = self._table.read("find", [items.batch_key(ref) for ref in refs]) if refs else []
        return [None if item is None else items.record_of(item) for item in found]

    def tally(self, ref: BatchRef, shards: Sequence[int]) -> Tally:
        """See BatchStore. The reads are consistent."""
        found = self._table.read("tally", [items.shard_key(ref, shard) for shard in shards]) if shards else []
        return together(items.tally_of(item, shard) for item, shard in zip(found, shards, strict=True))

    def count_ends(self, marks: Sequence[Mark], until_s: int) -> list[Tally | UnavailableError]:
        """See BatchStore. Without a condition: what was counted before stays as it is."""
        return each(partial(self._mark, until_s), marks)

    def fill(self, ref: BatchRef, shard: int) -> BatchRecord | None:
        """See BatchStore."""
        return self._update("fill", ref, "ADD #full :shard", {"#full": "full"}, {":shard": items.numbers([shard])})

    def advance(self, ref: BatchRef, submitted: int, check_at: int | None = None) -> BatchRecord | None:
        """See BatchStore. The place in the index costs two units more if it changes."""
        due = {} if check_at is None else items.due_keys(ref, check_at)
        return self._set(
            "advance",
            ref,
            {"submitted": attribute(submitted), **due},
            f"{_EXISTS} AND attribute_not_exists(#ended) AND #submitted <= :submitted",
        )

    def ask_cancel(self, ref: BatchRef, check_at: int) -> BatchRecord | None:
        """See BatchStore."""
        sets = {"cancel": attribute(True), **items.due_keys(ref, check_at)}
        return self._set("ask_cancel", ref, sets, f"{_EXISTS} AND attribute_not_exists(#ended)")

    def end_batch(self, record: BatchRecord, ending: Ending) -> BatchRecord:
        """See BatchStore."""
        sets, condition, values = {"ended": attribute(items.ending_text(ending))}, "attribute_not_exists(#ended)", {}
        if record.ended is not None:
            sets.update(items.due_keys(record.ref, ending.at))
            values, condition = {":before": attribute(items.ending_text(record.ended))}, "#ended = :before"
        stands = self._set("end", record.ref, sets, f"{_EXISTS} AND {condition}", ("told",), values)
        # Deleted by hand: nothing is there that could be told.
        return stands or replace(record, ended=ending, check_at=None)

    def look_again(self, record: BatchRecord, at: int | None, index: int = 0) -> None:
        """See BatchStore."""
        sets: Item = {}
        removes: tuple[str, ...] = ("due_pk", "due_sk", "check_from")
        values, condition = None, "attribute_not_exists(#ended)"
        if at is not None:
            sets, removes = {**items.due_keys(record.ref, at), "check_from": attribute(index)}, ()
        if record.ended is not None:
            sets["told"] = attribute(True)
            values, condition = {":before": attribute(items.ending_text(record.ended))}, "#ended = :before"
        self._set("look_again", record.ref, sets, f"{_EXISTS} AND {condition}", removes, values)

    def due_batches(self, until_ms: int, limit: int) -> DueBatches:
        """See BatchStore. Through the index, which lags behind; the batches are read consistently."""
        refs: list[BatchRef] = []
        for shard in range(items.DUE_SHARDS):
            refs += self._due_in(shard, until_ms, limit - len(refs)) if len(refs) < limit else []
        found = [record for record in self.find_batches(refs) if record is not None and record.check_at is not None]
        return DueBatches(tuple(record for record in found if (record.check_at or 0) <= until_ms), len(refs) >= limit)

    def _due_in(self, shard: int, until_ms: int, limit: int) -> list[BatchRef]:
        try:
            answer = self._table.client.query(
                TableName=self._table.name,
                IndexName=DUE_INDEX,
                KeyConditionExpression="due_pk = :pk AND due_sk <= :until",
                ExpressionAttributeValues={
                    ":pk": {"S": items.due_partition(shard)},
                    ":until": {"S": moment(until_ms)},
                },
                Limit=limit,
                **self._table.metering,
            )
        except AwsError as error:
            raise_for("due", error)
        self._table.count(answer)
        return [items.ref_of(item) for item in answer["Items"]]

    def _mark(self, until_s: int, mark: Mark) -> Tally | UnavailableError:
        first = mark.shard * limits.CHILDREN_PER_SHARD
        places = {
            name: [index - first for index, found in mark.fates.items() if found is fate]
            for fate, name in items.SETS.items()
        }
        adds = {name: found for name, found in places.items() if found}
        text = "ADD " + ", ".join(f"#{name} :{name}" for name in adds) + " SET #ttl = :ttl"
        values: dict[str, Any] = {f":{name}": items.numbers(found) for name, found in adds.items()}
        try:
            answer = self._table.client.update_item(
                TableName=self._table.name,
                Key=items.shard_key(mark.ref, mark.shard),
                UpdateExpression=text,
                ExpressionAttributeNames={"#ttl": "ttl", **{f"#{name}": name for name in adds}},
                ExpressionAttributeValues={":ttl": attribute(until_s), **values},
                ReturnValues="ALL_NEW",
                **self._table.metering,
            )
        except AwsError as error:
            return unavailable("count", error)
        self._table.count(answer)
        return items.tally_of(answer["Attributes"], mark.shard)

    def _set(
        self,
        operation: str,
        ref: BatchRef,
        sets: Item,
        condition: str,
        removes: Sequence[str] = (),
        values: Item | None = None,
    ) -> BatchRecord | None:
        """Set and remove attributes of the batch's item; `values` are those that the condition compares with."""
        texts = ["SET " + ", ".join(f"#{name} = :{name}" for name in sets)] if sets else []
        texts += ["REMOVE " + ", ".join(f"#{name}" for name in removes)] if removes else []
        names = {f"#{name}": name for name in (*sets, *removes, "ended")}
        named = {f":{name}": value for name, value in sets.items()}
        return self._update(operation, ref, " ".join(texts), names, {**named, **(values or {})}, condition)

    def _update(
        self,
        operation: str,
        ref: BatchRef,
        text: str,
        names: dict[str, str],
        values: Item,
        condition: str = _EXISTS,
    ) -> BatchRecord | None:
        """Update the batch's item under a condition; answers it as it stands then, written or not."""
        arguments: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        used = {name: found for name, found in names.items() if name in text or name in condition}
        try:
            answer = self._table.client.update_item(
                TableName=self._table.name,
                Key=items.batch_key(ref),
                UpdateExpression=text,
                ConditionExpression=condition,
                ExpressionAttributeNames=used,
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
                **self._table.metering,
            )
        except AwsError as error:
            if code_of(error) == _REFUSED and not getattr(error, "response", {}).get("Item"):
                return None
            return items.record_of(_standing(operation, error))
        self._table.count(answer)
        return items.record_of(answer["Attributes"])


def _standing(operation: str, error: Exception) -> Item:
    """The item that refused a write.

    Raises:
        UnavailableError: it was no refusal, and the call may be repeated.
    """
    if code_of(error) == _REFUSED:
        item: Item = getattr(error, "response", {})["Item"]
        return item
    if is_passing(error):
        raise unavailable(operation, error) from error
    raise error
