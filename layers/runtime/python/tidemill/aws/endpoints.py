"""Endpoints of webhooks in the jobs table, their secrets included. See `tidemill.domain.ports.Endpoints`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for
from tidemill.aws.items import Attribute, Item, attribute
from tidemill.aws.table import JobsTable
from tidemill.domain.webhook.endpoint import ENDPOINT_PREFIX, Endpoint, EndpointRef, Pause

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_TEXT: Final = ("url", "secret", "previous", "pause")
_NUMBERS: Final = ("created_at", "changed_at", "previous_until", "revision")


class DynamoEndpoints:
    """`Endpoints` on the jobs table. A delivery reads one item: one read unit up to 4 KB."""

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def find(self, ref: EndpointRef) -> Endpoint | None:
        """See Endpoints."""
        (item,) = self._table.read("find_endpoint", [endpoint_key(ref)])
        return endpoint_of(item) if item else None

    def create(self, endpoint: Endpoint) -> Endpoint | None:
        """See Endpoints."""
        standing = self._put("create_endpoint", endpoint, {"ConditionExpression": "attribute_not_exists(pk)"})
        return None if standing == endpoint else standing

    def change(self, before: Endpoint, after: Endpoint) -> bool:
        """See Endpoints."""
        condition = {
            # Revisions begin anew with every create: one that was deleted and created again is another endpoint.
            "ConditionExpression": "#revision = :revision AND created_at = :created",
            "ExpressionAttributeNames": {"#revision": "revision"},
            "ExpressionAttributeValues": {
                ":revision": attribute(before.revision),
                ":created": attribute(before.created_at),
            },
        }
        return self._put("change_endpoint", after, condition) == after

    def delete(self, ref: EndpointRef) -> bool:
        """See Endpoints."""
        try:
            answer = self._table.client.delete_item(
                TableName=self._table.name, Key=endpoint_key(ref), ReturnValues="ALL_OLD", **self._table.metering
            )
        except AwsError as error:
            raise_for("delete_endpoint", error)
        self._table.count(answer)
        return "Attributes" in answer

    def _put(self, operation: str, endpoint: Endpoint, condition: Mapping[str, Any]) -> Endpoint | None:
        """What stands there afterwards; None if nothing does."""
        try:
            answer = self._table.client.put_item(
                TableName=self._table.name,
                Item=endpoint_item(endpoint),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **condition,
                **self._table.metering,
            )
        except AwsError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise_for(operation, error)
            item = getattr(error, "response", {}).get("Item")
            return endpoint_of(item) if item else None
        self._table.count(answer)
        return endpoint


def endpoint_key(ref: EndpointRef) -> Item:
    """Where an endpoint is."""
    return {"pk": {"S": f"{ENDPOINT_PREFIX}{ref.tenant}"}, "sk": {"S": ref.name}}


def endpoint_item(endpoint: Endpoint) -> Item:
    """The whole item."""
    found = {name: getattr(endpoint, name) for name in _TEXT + _NUMBERS}
    return {
        **endpoint_key(endpoint.ref),
        **{name: attribute(value) for name, value in found.items() if value is not None},
    }


def endpoint_of(item: Mapping[str, Attribute]) -> Endpoint:
    """The endpoint in an item."""
    fields: dict[str, Any] = {name: item[name]["S"] for name in _TEXT if name in item}
    fields.update({name: int(item[name]["N"]) for name in _NUMBERS if name in item})
    if "pause" in fields:
        fields["pause"] = Pause(fields["pause"])
    ref = EndpointRef(item["pk"]["S"].removeprefix(ENDPOINT_PREFIX), item["sk"]["S"])
    return Endpoint(ref=ref, **fields)
