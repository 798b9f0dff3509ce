"""The outbox in the jobs table. See `tidemill.domain.ports.Outbox`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tidemill.aws.errors import AwsError, raise_for, unavailable
from tidemill.aws.outbox_items import outbound_of, outbox_item, outbox_key, partition_of
from tidemill.aws.patience import each, in_chunks
from tidemill.aws.table import PUTS_PER_BATCH, JobsTable
from tidemill.domain.errors import IntegrityError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.outbox import Outbound, OutboundJob, jobs_named, shard_of
from tidemill.domain.ports import OutboxPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DynamoOutbox:
    """`Outbox` on the jobs table. A removal costs one write unit for each kilobyte of the row, a look half as much."""

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def actions(self, outbounds: Sequence[Outbound]) -> list[dict[str, Any]]:
        """See Outbox."""
        return [{"Put": {"TableName": self._table.name, "Item": outbox_item(outbound)}} for outbound in outbounds]

    def find(self, ref: JobRef) -> OutboundJob | None:
        """See Outbox. The read is consistent."""
        answer = self._query(
            "find_outbound",
            shard_of(ref.id),
            {"KeyConditionExpression": "pk = :pk AND begins_with(sk, :name)", "Limit": 1},
            {":name": {"S": jobs_named(ref)}},
        )
        found = [outbound_of(item) for item in answer["Items"]]
        return next((one for one in found if isinstance(one, OutboundJob)), None)

    def standing(self, outbounds: Sequence[Outbound]) -> list[bool]:
        """See Outbox. The reads are consistent."""
        found = self._table.read("standing", [outbox_key(outbound) for outbound in outbounds]) if outbounds else []
        return [item is not None for item in found]

    def remove(self, outbounds: Sequence[Outbound]) -> list[UnavailableError | None]:
        """See Outbox."""
        # BatchWriteItem refuses a repeated key.
        keys = {outbound.name: outbox_key(outbound) for outbound in outbounds}
        failed: dict[str, UnavailableError] = {}
        for chunk in each(self._remove, in_chunks(list(keys.values()), PUTS_PER_BATCH)):
            failed.update(chunk)
        return [failed.get(outbound.name) for outbound in outbounds]

    def page(self, shard: int, limit: int, cursor: str | None) -> OutboxPage:
        """See Outbox."""
        start = {} if cursor is None else {"ExclusiveStartKey": {"pk": {"S": partition_of(shard)}, "sk": {"S": cursor}}}
        asked = {"KeyConditionExpression": "pk = :pk", "Limit": limit, **start}
        answer = self._query("page", shard, asked, {})
        read: list[Outbound] = []
        damaged: list[str] = []
        for item in answer["Items"]:
            try:
                read.append(outbound_of(item))
            except IntegrityError:
                damaged.append(item["sk"]["S"])
        last = answer.get("LastEvaluatedKey")
        return OutboxPage(tuple(read), tuple(damaged), None if last is None else last["sk"]["S"])

    def _remove(self, keys: Sequence[Any]) -> dict[str, UnavailableError]:
        """By name, what was not removed. Whatever DynamoDB leaves (it throttles a part, under HTTP 200) is repeated."""
        waiting: list[Any] = [{"DeleteRequest": {"Key": key}} for key in keys]
        cause = UnavailableError("remove", "UnprocessedItems")
        for tried in range(1, self._table.patience.tries + 1):
            try:
                answer = self._table.client.batch_write_item(
                    RequestItems={self._table.name: waiting}, **self._table.metering
                )
            except AwsError as error:
                cause = unavailable("remove", error)
                break
            self._table.count(answer)
            waiting = list(answer.get("UnprocessedItems", {}).get(self._table.name, ()))
            if not waiting:
                break
            if tried < self._table.patience.tries:
                self._table.patience.wait(tried)
        return {request["DeleteRequest"]["Key"]["sk"]["S"]: cause for request in waiting}

    def _query(self, operation: str, shard: int, asked: dict[str, Any], values: dict[str, Any]) -> Any:
        try:
            answer = self._table.client.query(
                TableName=self._table.name,
                ExpressionAttributeValues={":pk": {"S": partition_of(shard)}, **values},
                ConsistentRead=True,
                **asked,
                **self._table.metering,
            )
        except AwsError as error:
            raise_for(operation, error)
        self._table.count(answer)
        return answer
