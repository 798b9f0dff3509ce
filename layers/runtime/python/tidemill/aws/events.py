"""The event store in a table of its own. See `tidemill.domain.ports.EventStore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, is_ambiguous, raise_for, unavailable
from tidemill.aws.event_items import (
    LAST_FACT,
    SNAPSHOT,
    STREAM_SHARDS,
    STREAMS_INDEX,
    behind,
    fact_item,
    is_fact,
    once_item,
    once_key,
    partition_of,
    place_of,
    recorded_of,
    snapshot_item,
    snapshot_key,
    snapshot_of,
    stream_of,
    streams_partition,
    version_at,
    version_key,
)
from tidemill.aws.items import Attribute, Item
from tidemill.aws.outcomes import REPEATABLE, Broken, Done, Outcome, Taken, Unmet
from tidemill.aws.place import decode, encode
from tidemill.aws.table import JobsTable
from tidemill.aws.transaction import Action, transact
from tidemill.domain.chain import EMPTY, Head, Recorded
from tidemill.domain.ports.events import Beside, ScanPage, Snapshot, StreamPage, Unreadable
from tidemill.domain.store_errors import AppendConflictError, AppendedBeforeError, StreamBrokenError
from tidemill.domain.stream import StreamRef

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_NEW: Final = {
    "ConditionExpression": "attribute_not_exists(pk)",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}


class DynamoEvents:
    """`EventStore` on the events table.

    One fact alone is one conditional put: a write unit for each started KB. Several facts, a key, or something beside
    them are one transaction, whose writes cost two. The first fact of a stream costs one more for the index of streams
    (two in a transaction).
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def append(self, recorded: Sequence[Recorded], once: str | None = None, beside: Sequence[Beside] = ()) -> None:
        """See EventStore."""
        ref = _ref(recorded)
        patience = self._table.patience
        outcome = self._write(recorded, once, beside)
        for tried in range(1, patience.tries):
            if not (isinstance(outcome, Broken) and outcome.repeat):
                break
            patience.wait(tried)
            outcome = self._write(recorded, once, beside)
        if isinstance(outcome, Done):
            return
        if isinstance(outcome, Broken) and not outcome.ambiguous:
            raise outcome.error
        (there,) = self._table.read("append", [version_key(ref, recorded[0].version)])
        if there is not None and _all_facts(ref, [there]) == (recorded[0],):
            # All or none: what is there of them says that all are.
            return
        if isinstance(outcome, Broken):
            raise outcome.error
        if once is not None and (used := self.appended(ref, once)) is not None:
            raise AppendedBeforeError(str(ref), once, *used)
        raise AppendConflictError(str(ref), recorded[0].version - 1, self.head(ref).version)

    def read(self, ref: StreamRef, after: int, limit: int) -> tuple[Recorded, ...]:
        """See EventStore."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while len(found) < limit:
            answer = self._query(
                "read_stream",
                {
                    "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
                    "ExpressionAttributeValues": {
                        ":pk": {"S": partition_of(ref)},
                        ":first": {"S": behind(after)},
                        ":last": {"S": LAST_FACT},
                    },
                    "ConsistentRead": True,
                    "Limit": limit - len(found),
                    **start,
                },
            )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return _all_facts(ref, found)

    def head(self, ref: StreamRef) -> Head:
        """See EventStore."""
        answer = self._query(
            "head",
            {
                "KeyConditionExpression": "pk = :pk AND sk <= :last",
                "ExpressionAttributeValues": {":pk": {"S": partition_of(ref)}, ":last": {"S": LAST_FACT}},
                "ConsistentRead": True,
                "ScanIndexForward": False,
                "Limit": 1,
            },
        )
        facts = _all_facts(ref, answer["Items"])
        return facts[0].head if facts else EMPTY

    def appended(self, ref: StreamRef, once: str) -> tuple[int, int] | None:
        """See EventStore."""
        (item,) = self._table.read("appended", [once_key(ref, once)])
        return None if item is None else (int(item["first"]["N"]), int(item["last"]["N"]))

    def snapshot(self, ref: StreamRef, schema: int) -> Snapshot | None:
        """See EventStore."""
        (item,) = self._table.read("snapshot", [snapshot_key(ref, schema)])
        return None if item is None else snapshot_of(item)

    def snapshots(self, ref: StreamRef) -> tuple[Snapshot, ...]:
        """See EventStore."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            answer = self._query(
                "snapshots",
                {
                    "KeyConditionExpression": "pk = :pk AND begins_with(sk, :snapshot)",
                    "ExpressionAttributeValues": {":pk": {"S": partition_of(ref)}, ":snapshot": {"S": SNAPSHOT}},
                    "ConsistentRead": True,
                    **start,
                },
            )
            found += answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return tuple(one for item in found if (one := snapshot_of(item)) is not None)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def keep_snapshot(self, ref: StreamRef, snapshot: Snapshot) -> None:
        """See EventStore."""
        try:
            self._table.count(
                self._table.client.put_item(
                    TableName=self._table.name,
                    Item=snapshot_item(ref, snapshot),
                    ConditionExpression="attribute_not_exists(pk) OR version < :version",
                    ExpressionAttributeValues={":version": {"N": str(snapshot.head.version)}},
                    **self._table.metering,
                )
            )
        except AwsError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise unavailable("keep_snapshot", error) from error

    def streams(self, category: str, limit: int, cursor: str | None, tenant: str | None = None) -> StreamPage:
        """See EventStore."""
        scope = f"streams {category} {tenant or ''}"
        shard, last = decode(cursor, scope, STREAM_SHARDS)
        refs: list[StreamRef] = []
        while shard < STREAM_SHARDS and len(refs) < limit:
            answer = self._query(
                "streams",
                {
                    "IndexName": STREAMS_INDEX,
                    "KeyConditionExpression": "streams_pk = :pk AND begins_with(streams_sk, :of)"
                    if tenant
                    else "streams_pk = :pk",
                    "ExpressionAttributeValues": {
                        ":pk": {"S": streams_partition(category, shard)},
                        **({":of": {"S": f"{tenant}#"}} if tenant else {}),
                    },
                    "Limit": limit - len(refs),
                    **({"ExclusiveStartKey": last} if last else {}),
                },
            )
            # What somebody put into the index that is no stream is named by a scan.
            refs += [ref for item in answer["Items"] if (ref := stream_of(item)) is not None]
            last = answer.get("LastEvaluatedKey")
            shard += last is None
        return StreamPage(tuple(refs), None if shard == STREAM_SHARDS else encode(shard, last, scope))

    def scan(self, limit: int, cursor: str | None) -> ScanPage:
        """See EventStore."""
        _, last = decode(cursor, "scan", 1)
        start: dict[str, Any] = {"ExclusiveStartKey": last} if last else {}
        try:
            answer = self._table.client.scan(
                TableName=self._table.name, ConsistentRead=True, Limit=limit, **start, **self._table.metering
            )
        except AwsError as error:
            raise_for("scan", error)
        self._table.count(answer)
        found = [(item, recorded_of(item)) for item in answer["Items"] if is_fact(item)]
        recorded = tuple(one for _, one in found if one is not None)
        unreadable = tuple(Unreadable(place_of(item), stream_of(item)) for item, one in found if one is None)
        after: Mapping[str, Attribute] | None = answer.get("LastEvaluatedKey")
        return ScanPage(recorded, None if after is None else encode(0, after, "scan"), unreadable)

    def _write(self, recorded: Sequence[Recorded], once: str | None, beside: Sequence[Beside]) -> Outcome | Taken:
        if len(recorded) == 1 and once is None and not beside:
            return self._put(recorded[0])
        actions: list[Action] = [{"Put": {"Item": fact_item(one), **_NEW}} for one in recorded]
        if once is not None:
            item = once_item(_ref(recorded), once, recorded[0].version, recorded[-1].version)
            actions.append({"Put": {"Item": item, **_NEW}})
        actions += [{verb: dict(arguments) for verb, arguments in action.items()} for action in beside]
        return transact(self._table, "append", actions)

    def _put(self, recorded: Recorded) -> Outcome:
        table = self._table
        try:
            item = fact_item(recorded)
            answer = table.client.put_item(
                TableName=table.name, Item=item, ConditionExpression=_NEW["ConditionExpression"], **table.metering
            )
        except AwsError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return Unmet(None)
            return Broken(unavailable("append", error), is_ambiguous(error), repeat=code_of(error) in REPEATABLE)
        table.count(answer)
        return Done(None)

    def _query(self, operation: str, request: Mapping[str, Any]) -> Any:
        try:
            answer = self._table.client.query(TableName=self._table.name, **request, **self._table.metering)
        except AwsError as error:
            raise_for(operation, error)
        self._table.count(answer)
        return answer


def _all_facts(ref: StreamRef, items: Sequence[Item]) -> tuple[Recorded, ...]:
    """The facts in items, which all have to be facts."""
    facts: list[Recorded] = []
    for item in items:
        one = recorded_of(item)
        if one is None:
            raise StreamBrokenError(str(ref), version_at(item), "unreadable", facts)
        facts.append(one)
    return tuple(facts)


def _ref(recorded: Sequence[Recorded]) -> StreamRef:
    return StreamRef.of(recorded[0].fact.tenant, recorded[0].fact.subject or "")
