"""Schedules in the jobs table. See `tidemill.domain.ports.ScheduleStore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for
from tidemill.aws.items import DUE_INDEX, SHARDS, Attribute, Item, attribute, moment
from tidemill.aws.outcomes import Broken, Taken, Unmet
from tidemill.aws.schedule_items import (
    count_key,
    due_partition,
    is_row,
    ref_of,
    row_item,
    row_key,
    row_of,
    rows_partition,
    version_item,
    version_key,
    version_of,
)
from tidemill.aws.table import JobsTable
from tidemill.aws.transaction import Action, transact
from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.names import check_schedule
from tidemill.domain.ports import Kept, ScheduleAnswer, SchedulePage, Stale, VersionPage
from tidemill.domain.schedule_errors import TooManySchedulesError
from tidemill.domain.schedule_row import ScheduleRef, ScheduleRow, ScheduleVersion

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_KEPT_S: Final = int(limits.MAX_RETENTION.total_seconds())
# A row whose name may be taken again outlives its versions, which tell where their numbers go on.
_DELETED_S: Final = _KEPT_S + 30 * 86_400


class DynamoSchedules:
    """`ScheduleStore` on the jobs table.

    A tick costs three write units here: one for the row, two for its old and its new entry in the due index. With
    arguments of up to half a kilobyte a change costs six (a transaction's writes cost two each), two more where it
    begins or ends to be due, and two more for the count where it makes or deletes a schedule.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def find(self, refs: Sequence[ScheduleRef]) -> list[ScheduleRow | None]:
        """See ScheduleStore."""
        items = self._table.read("find_schedules", [row_key(ref) for ref in refs]) if refs else []
        return [row_of(item) if item else None for item in items]

    def record(
        self, before: ScheduleRow | None, after: ScheduleRow, version: ScheduleVersion, most: int
    ) -> ScheduleAnswer:
        """See ScheduleStore. A row that equals the wanted one is the wanted one."""
        until = version.at // 1_000 + _KEPT_S
        condition = _unchanged(before)
        row = row_item(after, version.at // 1_000 + _DELETED_S if after.deleted else None)
        put = {"Item": row, **condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        actions: list[Action] = [{"Put": put}, {"Put": _new(version_item(version, until if after.deleted else None))}]
        if before is not None and not before.deleted:
            actions.append({"Update": _expiring(before.ref, before.version, until)})
        change = (not after.deleted) - (before is not None and not before.deleted)
        if change:
            actions.append({"Update": _counting(after.ref.tenant, change, most)})
        outcome = self._transact(actions)
        if isinstance(outcome, Unmet):
            return _answer(after, outcome.item)
        if isinstance(outcome, Taken):
            return self._taken(after, most if change > 0 else None)
        return Kept(after)

    def move(self, before: ScheduleRow, after: ScheduleRow) -> ScheduleAnswer:
        """See ScheduleStore."""
        ttl_s = after.changed_at // 1_000 + _DELETED_S if after.deleted else None
        try:
            self._table.count(
                self._table.client.put_item(
                    TableName=self._table.name,
                    Item=row_item(after, ttl_s),
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **_unchanged(before),
                    **self._table.metering,
                )
            )
        except AwsError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise_for("move_schedule", error)
            return _answer(after, getattr(error, "response", {}).get("Item"))
        return Kept(after)

    def due(self, until_ms: int, limit: int, cursor: str | None) -> SchedulePage:
        """See ScheduleStore."""
        shard, start = _position(cursor)
        refs: list[ScheduleRef] = []
        while shard < SHARDS and len(refs) < limit:
            answer = self._query(
                "due_schedules",
                {
                    "IndexName": DUE_INDEX,
                    "KeyConditionExpression": "due_pk = :pk AND due_sk <= :until",
                    "ExpressionAttributeValues": {
                        ":pk": {"S": due_partition(shard)},
                        ":until": {"S": moment(until_ms)},
                    },
                    "Limit": limit - len(refs),
                    **start,
                },
            )
            refs += [ref_of(item) for item in answer["Items"]]
            last = answer.get("LastEvaluatedKey")
            start = {} if last is None else {"ExclusiveStartKey": last}
            shard += last is None
        rows = tuple(row for row in self.find(refs) if row is not None and row.due_at is not None)
        return SchedulePage(rows, None if shard == SHARDS else _cursor(shard, start.get("ExclusiveStartKey")))

    def listed(self, tenant: str, limit: int, cursor: str | None) -> SchedulePage:
        """See ScheduleStore."""
        start: dict[str, Any] = {}
        if cursor is not None:
            start = {"ExclusiveStartKey": row_key(ScheduleRef(tenant, _name_in(cursor)))}
        answer = self._query(
            "list_schedules",
            {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :row)",
                "ExpressionAttributeValues": {":pk": {"S": rows_partition(tenant)}, ":row": {"S": "ROW#"}},
                "ConsistentRead": True,
                "Limit": limit,
                **start,
            },
        )
        rows = [row_of(item) for item in answer["Items"] if is_row(item)]
        last = answer.get("LastEvaluatedKey")
        return SchedulePage(tuple(row for row in rows if not row.deleted), None if last is None else ref_of(last).name)

    def version(self, ref: ScheduleRef, number: int) -> ScheduleVersion | None:
        """See ScheduleStore."""
        (item,) = self._table.read("schedule_version", [version_key(ref, number)])
        return version_of(item) if item else None

    def versions_of(self, rows: Sequence[ScheduleRow]) -> list[ScheduleVersion | None]:
        """See ScheduleStore."""
        keys = [version_key(row.ref, row.version) for row in rows]
        items = self._table.read("schedule_versions", keys) if keys else []
        return [version_of(item) if item else None for item in items]

    def history(self, ref: ScheduleRef, limit: int, cursor: str | None) -> VersionPage:
        """See ScheduleStore."""
        start: dict[str, Any] = {}
        if cursor is not None:
            if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 10):
                raise InputError.at("cursor", "is not one that this listing returned", "cursor")
            start = {"ExclusiveStartKey": version_key(ref, int(cursor))}
        answer = self._query(
            "schedule_history",
            {
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": version_key(ref, 0)["pk"]},
                "ConsistentRead": True,
                "ScanIndexForward": False,
                "Limit": limit,
                **start,
            },
        )
        versions = tuple(version_of(item) for item in answer["Items"])
        return VersionPage(versions, str(versions[-1].number) if versions and "LastEvaluatedKey" in answer else None)

    def _transact(self, actions: Sequence[Action]) -> Unmet | Taken | None:
        patience = self._table.patience
        outcome = transact(self._table, "record_schedule", actions)
        for tried in range(1, patience.tries):
            if not (isinstance(outcome, Broken) and outcome.repeat):
                break
            patience.wait(tried)
            outcome = transact(self._table, "record_schedule", actions)
        if isinstance(outcome, Broken):
            raise outcome.error
        return outcome if isinstance(outcome, Unmet | Taken) else None

    def _taken(self, after: ScheduleRow, most: int | None) -> ScheduleAnswer:
        """Why a transaction was refused although the row's own condition held."""
        if most is not None:
            (count,) = self._table.read("count_schedules", [count_key(after.ref.tenant)])
            if count and int(count["schedules"]["N"]) >= most:
                raise TooManySchedulesError(after.ref.tenant, most)
        return Stale(self.find([after.ref])[0])

    def _query(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        try:
            answer = self._table.client.query(TableName=self._table.name, **arguments, **self._table.metering)
        except AwsError as error:
            raise_for(operation, error)
        self._table.count(answer)
        return answer


def _unchanged(before: ScheduleRow | None) -> dict[str, Any]:
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :version AND #revision = :revision",
        "ExpressionAttributeNames": {"#version": "version", "#revision": "rev"},
        "ExpressionAttributeValues": {
            ":version": attribute(before.version),
            ":revision": attribute(before.revision),
        },
    }


def _new(item: Item) -> dict[str, Any]:
    return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}


def _expiring(ref: ScheduleRef, number: int, until_s: int) -> dict[str, Any]:
    return {
        "Key": version_key(ref, number),
        "UpdateExpression": "SET #ttl = :until",
        # One that is gone is not made anew.
        "ConditionExpression": "attribute_exists(pk)",
        "ExpressionAttributeNames": {"#ttl": "ttl"},
        "ExpressionAttributeValues": {":until": attribute(until_s)},
    }


def _counting(tenant: str, change: int, most: int) -> dict[str, Any]:
    arguments: dict[str, Any] = {
        "Key": count_key(tenant),
        "UpdateExpression": "ADD #schedules :change",
        "ExpressionAttributeNames": {"#schedules": "schedules"},
        "ExpressionAttributeValues": {":change": attribute(change)},
    }
    if change > 0:
        arguments["ConditionExpression"] = "attribute_not_exists(#schedules) OR #schedules < :most"
        arguments["ExpressionAttributeValues"][":most"] = attribute(most)
    return arguments


def _answer(after: ScheduleRow, item: Mapping[str, Attribute] | None) -> ScheduleAnswer:
    found = row_of(item) if item else None
    return Kept(after) if found == after else Stale(found)


def _cursor(shard: int, key: Mapping[str, Attribute] | None) -> str:
    if key is None:
        return str(shard)
    return "|".join((str(shard), key["due_sk"]["S"], key["pk"]["S"], key["sk"]["S"]))


def _name_in(cursor: str) -> str:
    try:
        return check_schedule(cursor)
    except InputError:
        raise InputError.at("cursor", "is not one that this listing returned", "cursor") from None


def _position(cursor: str | None) -> tuple[int, dict[str, Any]]:
    shard, *after = (cursor or "0").split("|")
    if not after:
        return int(shard), {}
    due_sk, partition, sort_key = after
    key = {"due_pk": due_partition(int(shard)), "due_sk": due_sk, "pk": partition, "sk": sort_key}
    return int(shard), {"ExclusiveStartKey": {name: {"S": text} for name, text in key.items()}}
