"""Read models in a table of their own. See `tidemill.domain.ports.LineStore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for, unavailable
from tidemill.aws.items import Item
from tidemill.aws.line_items import (
    GROUPS_INDEX,
    HALTED_INDEX,
    LINE,
    editions_item,
    editions_of,
    group_partition,
    halted_partition,
    line_item,
    line_key,
    line_of,
    own_key,
    place_in,
)
from tidemill.aws.place import decode, encode
from tidemill.aws.table import JobsTable
from tidemill.domain.line import Editions, Line
from tidemill.domain.ports.lines import HaltedPage, LinePage
from tidemill.domain.stream import StreamRef

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# A page of the purge: it deletes as many items one by one at the most.
_PURGED: Final = 100


class DynamoLines:
    """`LineStore` on the table of read models.

    A line is one conditional put: a write unit for each started KB; where it is listed, one more for its entry in the
    index of groups, two if its place there changes.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def editions(self, name: str) -> Editions:
        """See LineStore."""
        (item,) = self._table.read("editions", [own_key(name, "EDITIONS")])
        return Editions() if item is None else editions_of(item)

    def change_editions(self, name: str, before: Editions, after: Editions) -> bool:
        """See LineStore."""
        values: dict[str, Any] = {":live": {"N": str(before.live)}, ":last": {"N": str(before.last)}}
        filling = "attribute_not_exists(filling)"
        if before.filling is not None:
            values[":filling"], filling = {"N": str(before.filling)}, "filling = :filling"
        filled = "attribute_not_exists(filled)"
        if before.filled:
            values[":filled"], filled = {"BOOL": True}, "filled = :filled"
        condition, names = f"live = :live AND #last = :last AND {filling} AND {filled}", {"#last": "last"}
        if before == Editions():
            condition = f"attribute_not_exists(pk) OR ({condition})"
        return self._put("change_editions", editions_item(name, after), condition, values, names)

    def find(self, name: str, edition: int, refs: Sequence[StreamRef]) -> list[Line | None]:
        """See LineStore."""
        keys = [line_key(name, edition, ref) for ref in refs]
        items = self._table.read("find_lines", keys) if keys else []
        return [None if item is None else line_of(item) for item in items]

    def write(self, name: str, edition: int, before: Line | None, after: Line) -> bool:
        """See LineStore."""
        item = line_item(name, edition, after)
        if before is None:
            return self._put("write_line", item, "attribute_not_exists(pk)", {})
        return self._put("write_line", item, "version = :version", {":version": {"N": str(before.head.version)}})

    def listed(
        self, name: str, edition: int, tenant: str, group: str, limit: int, cursor: str | None, *, descending: bool
    ) -> LinePage:
        """See LineStore."""
        partition = group_partition(tenant, name, edition, group)
        scope = f"{partition} {descending}"
        items, after = self._index(GROUPS_INDEX, partition, scope, limit, cursor, descending=descending)
        return LinePage(tuple(map(line_of, items)), after)

    def halted(self, name: str, edition: int, limit: int, cursor: str | None) -> HaltedPage:
        """See LineStore."""
        partition = halted_partition(name, edition)
        items, after = self._index(HALTED_INDEX, partition, f"halted {partition}", limit, cursor, descending=False)
        return HaltedPage(tuple(place_in(item)[2] for item in items), after)

    def reach(self, name: str, at: int) -> None:
        """See LineStore."""
        item: Item = {**own_key(name, "REACHED"), "at": {"N": str(at)}}
        values = {":at": {"N": str(at)}}
        self._put("reach", item, "attribute_not_exists(pk) OR #at < :at", values, {"#at": "at"})

    def reached(self, name: str) -> int | None:
        """See LineStore."""
        (item,) = self._table.read("reached", [own_key(name, "REACHED")])
        return None if item is None else int(item["at"]["N"])

    def purge(self, name: str, editions: Editions, cursor: str | None) -> str | None:
        """See LineStore."""
        _, last = decode(cursor, f"purge {name}", 1)
        start: dict[str, Any] = {"ExclusiveStartKey": last} if last else {}
        table = self._table
        try:
            answer = table.client.scan(
                TableName=table.name, ConsistentRead=True, Limit=_PURGED, **start, **table.metering
            )
            table.count(answer)
            for item in answer["Items"]:
                if item["sk"]["S"] != LINE:
                    continue
                of, edition, _ = place_in(item)
                if of == name and editions.are_past(edition):
                    key = {"pk": item["pk"], "sk": item["sk"]}
                    table.count(table.client.delete_item(TableName=table.name, Key=key, **table.metering))
        except AwsError as error:
            raise_for("purge_lines", error)
        after = answer.get("LastEvaluatedKey")
        return None if after is None else encode(0, after, f"purge {name}")

    def _index(
        self, index: str, partition: str, scope: str, limit: int, cursor: str | None, *, descending: bool
    ) -> tuple[Sequence[Item], str | None]:
        _, last = decode(cursor, scope, 1)
        start: dict[str, Any] = {"ExclusiveStartKey": last} if last else {}
        try:
            answer = self._table.client.query(
                TableName=self._table.name,
                IndexName=index,
                KeyConditionExpression=f"{index}_pk = :pk",
                ExpressionAttributeValues={":pk": {"S": partition}},
                ScanIndexForward=not descending,
                Limit=limit,
                **start,
                **self._table.metering,
            )
        except AwsError as error:
            raise_for(index, error)
        self._table.count(answer)
        after = answer.get("LastEvaluatedKey")
        return answer["Items"], None if after is None else encode(0, after, scope)

    def _put(
        self,
        operation: str,
        item: Item,
        condition: str,
        values: Mapping[str, Any],
        names: Mapping[str, str] | None = None,
    ) -> bool:
        table = self._table
        more: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
        if names:
            more["ExpressionAttributeNames"] = names
        try:
            answer = table.client.put_item(
                TableName=table.name, Item=item, ConditionExpression=condition, **more, **table.metering
            )
        except AwsError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                return False
            raise unavailable(operation, error) from error
        table.count(answer)
        return True
