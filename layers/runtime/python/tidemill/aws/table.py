"""The jobs table as a place for items: consistent reads, and writes without a condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for, unavailable
from tidemill.aws.items import Attribute, Item
from tidemill.aws.patience import Patience, each, in_chunks
from tidemill.domain.errors import UnavailableError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# API Reference, BatchGetItem: at most 100 items. BatchWriteItem: at most 25.
READS_PER_BATCH: Final = 100
PUTS_PER_BATCH: Final = 25

_Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class JobsTable:
    """One table and the client that reaches it.

    Arguments:
        meter: is told the capacity units of each call that answers them; none are asked for without it.
    """

    client: DynamoDBClient
    name: str
    meter: Callable[[float], None] | None = None
    patience: Patience = field(default_factory=Patience)

    @property
    def metering(self) -> dict[str, Any]:
        """What a call adds to its arguments so that `count` has something to count."""
        return {"ReturnConsumedCapacity": "TOTAL"} if self.meter else {}

    def count(self, answer: Mapping[str, Any]) -> None:
        """Tell the meter what a call consumed."""
        if self.meter is None:
            return
        consumed = answer.get("ConsumedCapacity", [])
        for entry in consumed if isinstance(consumed, list) else [consumed]:
            self.meter(entry["CapacityUnits"])

    def read(self, operation: str, keys: Sequence[Item]) -> list[Item | None]:
        """The items under these keys, read consistently; None where there is none.

        Raises:
            UnavailableError: AWS did not answer for all of them.
        """
        try:
            if len(keys) == 1:
                return [self._read_one(keys[0])]
            # BatchGetItem refuses a repeated key.
            distinct = list({_identity(key): key for key in keys}.values())
            chunks = each(lambda chunk: self._read_batch(operation, chunk), in_chunks(distinct, READS_PER_BATCH))
        except AwsError as error:
            raise_for(operation, error)
        found = {_identity(item): item for chunk in chunks for item in chunk}
        return [found.get(_identity(key)) for key in keys]

    def put(self, operation: str, items: Sequence[Item]) -> list[UnavailableError | None]:
        """Write each item over whatever is there: None where it is written."""
        if len(items) == 1:
            return [self._put_one(operation, items[0])]
        # BatchWriteItem refuses a repeated key. Items under one key hold the same thing here.
        distinct = list({_identity(item): item for item in items}.values())
        chunks = each(lambda chunk: self._put_batch(operation, chunk), in_chunks(distinct, PUTS_PER_BATCH))
        failed = {identity: error for chunk in chunks for identity, error in chunk.items()}
        return [failed.get(_identity(item)) for item in items]

    def keep_longer(self, operation: str, key: Item, ttl_s: int) -> UnavailableError | None:
        """Let the item under this key last until `ttl_s` at least: None if it does, or there is none."""
        try:
            answer = self.client.update_item(
                TableName=self.name,
                Key=key,
                UpdateExpression="SET #ttl = :ttl",
                ConditionExpression="#ttl < :ttl",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={":ttl": {"N": str(ttl_s)}},
                **self.metering,
            )
        except AwsError as error:
            return None if code_of(error) == "ConditionalCheckFailedException" else unavailable(operation, error)
        self.count(answer)
        return None

    def _read_one(self, key: Item) -> Item | None:
        answer = self.client.get_item(TableName=self.name, Key=key, ConsistentRead=True, **self.metering)
        self.count(answer)
        return answer.get("Item")

    def _read_batch(self, operation: str, keys: Sequence[Item]) -> list[Item]:
        """Whatever DynamoDB leaves unread (it throttles a part of a batch, under HTTP 200) is asked for again."""
        found: list[Item] = []
        waiting: Sequence[Mapping[str, Any]] = keys
        for tried in range(1, self.patience.tries + 1):
            request: Any = {self.name: {"Keys": waiting, "ConsistentRead": True}}
            answer = self.client.batch_get_item(RequestItems=request, **self.metering)
            self.count(answer)
            found += answer["Responses"].get(self.name, [])
            unread: Mapping[str, Any] = answer.get("UnprocessedKeys", {})
            if self.name not in unread:
                return found
            waiting = unread[self.name]["Keys"]
            if tried < self.patience.tries:
                self.patience.wait(tried)
        raise UnavailableError(operation, "UnprocessedKeys")

    def _put_one(self, operation: str, item: Item) -> UnavailableError | None:
        try:
            self.count(self.client.put_item(TableName=self.name, Item=item, **self.metering))
        except AwsError as error:
            return unavailable(operation, error)
        return None

    def _put_batch(self, operation: str, items: Sequence[Item]) -> dict[_Identity, UnavailableError]:
        waiting: list[Any] = [{"PutRequest": {"Item": item}} for item in items]
        cause = UnavailableError(operation, "UnprocessedItems")
        for tried in range(1, self.patience.tries + 1):
            try:
                answer = self.client.batch_write_item(RequestItems={self.name: waiting}, **self.metering)
            except AwsError as error:
                cause = unavailable(operation, error)
                break
            self.count(answer)
            waiting = list(answer.get("UnprocessedItems", {}).get(self.name, ()))
            if not waiting:
                break
            if tried < self.patience.tries:
                self.patience.wait(tried)
        return {_identity(request["PutRequest"]["Item"]): cause for request in waiting}


def _identity(item: Mapping[str, Attribute]) -> _Identity:
    return item["pk"]["S"], item["sk"]["S"]
