"""Idempotency records that have an owner: nobody else completes or deletes one.

The attributes are those of Powertools' store, which reads them too, and `owner`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

IN_PROGRESS: Final = "INPROGRESS"
COMPLETED: Final = "COMPLETED"
_FREE: Final = "attribute_not_exists(#key) OR #expiry < :now OR (#status = :in_progress AND #until < :now_ms)"
_MINE: Final = "#owner = :owner AND #status = :in_progress"


@dataclass(frozen=True, slots=True)
class Names:
    """The attributes' names: the partition key, the end of all, the end of being in progress, and the rest."""

    key: str
    expiry: str
    until: str
    status: str
    owner: str
    data: str
    validation: str


@dataclass(frozen=True, slots=True)
class Held:
    """A record as one run sees it: its key, and the run as its owner."""

    key: Mapping[str, Any]
    owner: str


@dataclass(frozen=True, slots=True)
class OwnedRecords:
    """The records of one table. A refused write answers; any other failure is botocore's error."""

    client: DynamoDBClient
    table: str
    names: Names

    def take(self, held: Held, until_ms: int, expiry_s: int, validation: str, now_ms: int) -> Mapping[str, Any] | None:
        """Make the record its owner's, unless another holds it or has completed it.

        Arguments:
            until_ms: until when the record is in progress, Unix milliseconds; `expiry_s`: when it is over, in seconds.
            validation: a hash of the payload, or nothing.

        Returns:
            None if it is the owner's now; else the record that is in the way, empty if AWS did not say.
        """
        names = self.names
        item: dict[str, Any] = {
            **held.key,
            names.expiry: {"N": str(expiry_s)},
            names.until: {"N": str(until_ms)},
            names.status: {"S": IN_PROGRESS},
            names.owner: {"S": held.owner},
        }
        if validation:
            item[names.validation] = {"S": validation}
        try:
            self.client.put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression=_FREE,
                ExpressionAttributeNames={
                    "#key": names.key,
                    "#expiry": names.expiry,
                    "#until": names.until,
                    "#status": names.status,
                },
                ExpressionAttributeValues={
                    ":now": {"N": str(now_ms // 1000)},
                    ":now_ms": {"N": str(now_ms)},
                    ":in_progress": {"S": IN_PROGRESS},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            found = _found(error)
            # The client repeated a request whose answer was lost, and meets what it wrote itself.
            return None if self._is_of(held, found, IN_PROGRESS) else found
        return None

    def complete(self, held: Held, data: str, expiry_s: int, validation: str) -> bool:
        """Write the result, if the record is still its owner's. Answers whether it is written."""
        names = {"#data": self.names.data, "#expiry": self.names.expiry}
        values = {":data": {"S": data}, ":expiry": {"N": str(expiry_s)}, ":completed": {"S": COMPLETED}}
        update = "SET #data = :data, #expiry = :expiry, #status = :completed"
        if validation:
            names["#validation"] = self.names.validation
            values[":validation"] = {"S": validation}
            update += ", #validation = :validation"
        try:
            self.client.update_item(
                TableName=self.table,
                Key=held.key,
                UpdateExpression=update,
                ConditionExpression=_MINE,
                ExpressionAttributeNames=self._whose() | names,
                ExpressionAttributeValues=_by(held) | values,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            # Completed by this run already, with a request whose answer was lost.
            return self._is_of(held, _found(error), COMPLETED)
        return True

    def drop(self, held: Held) -> bool:
        """Delete the record, if it is still its owner's. Answers whether there is none of another's."""
        try:
            self.client.delete_item(
                TableName=self.table,
                Key=held.key,
                ConditionExpression=_MINE,
                ExpressionAttributeNames=self._whose(),
                ExpressionAttributeValues=_by(held),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            return not _found(error)
        return True

    def _is_of(self, held: Held, found: Mapping[str, Any], status: str) -> bool:
        return found.get(self.names.owner) == {"S": held.owner} and found.get(self.names.status) == {"S": status}

    def _whose(self) -> dict[str, str]:
        return {"#owner": self.names.owner, "#status": self.names.status}


def _by(held: Held) -> dict[str, Any]:
    return {":owner": {"S": held.owner}, ":in_progress": {"S": IN_PROGRESS}}


def _found(error: ClientError) -> Mapping[str, Any]:
    """The record that refused a conditional write; any other error is raised again."""
    response: Mapping[str, Any] = error.response
    if response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    return cast("Mapping[str, Any]", response.get("Item") or {})
