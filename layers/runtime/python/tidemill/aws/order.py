"""The numbers of entities, in DynamoDB: one item an entity. See `tidemill.domain.ports.EntityOrder`.

Both numbers share the item, so that they are forgotten together: an entity that begins anew at 1 has none that
finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for, unavailable
from tidemill.aws.items import Item, attribute
from tidemill.aws.patience import each
from tidemill.aws.table import JobsTable
from tidemill.domain.entity import Entity
from tidemill.domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

ORDER_KEY: Final = "ORDER"
_TTL: Final = {"#ttl": "ttl"}


class DynamoEntityOrder:
    """`EntityOrder` on the jobs table. Each call costs one write unit for each entity, a look one read unit."""

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def number(self, wanted: Sequence[tuple[Entity, int]], until_s: int) -> list[int | UnavailableError]:
        """See EntityOrder."""
        return each(partial(self._take, until_s), wanted)

    def last_finished(self, entity: Entity) -> int | None:
        """See EntityOrder. The read is consistent."""
        (item,) = self._table.read("last_finished", [order_key(entity)])
        return int(item["finished"]["N"]) if item and "finished" in item else None

    def finish(self, entity: Entity, sequence: int, until_s: int) -> None:
        """See EntityOrder."""
        try:
            self._update(
                entity,
                "SET #finished = :number, #ttl = :until",
                {**_TTL, "#finished": "finished"},
                {":number": attribute(sequence), ":until": attribute(until_s)},
                ConditionExpression="attribute_not_exists(#finished) OR #finished < :number",
            )
        except AwsError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise_for("finish", error)

    def _take(self, until_s: int, wanted: tuple[Entity, int]) -> int | UnavailableError:
        entity, count = wanted
        try:
            answer = self._update(
                entity,
                "SET #given = if_not_exists(#given, :none) + :count, #ttl = :until",
                {**_TTL, "#given": "given"},
                {":none": attribute(0), ":count": attribute(count), ":until": attribute(until_s)},
                ReturnValues="UPDATED_NEW",
            )
        except AwsError as error:
            return unavailable("number", error)
        return int(answer["Attributes"]["given"]["N"]) - count + 1

    def _update(self, entity: Entity, text: str, names: dict[str, str], values: Item, **more: Any) -> Any:
        answer = self._table.client.update_item(
            TableName=self._table.name,
            Key=order_key(entity),
            UpdateExpression=text,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            **more,
            **self._table.metering,
        )
        self._table.count(answer)
        return answer


def order_key(entity: Entity) -> Item:
    """Where the numbers of an entity are. No job's partition is the same: `entity` is no job's id."""
    return {"pk": {"S": f"{entity.tenant}#entity#{entity.lane}#{entity.name}"}, "sk": {"S": ORDER_KEY}}
