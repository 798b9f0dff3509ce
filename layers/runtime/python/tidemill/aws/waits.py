"""What jobs wait for, in DynamoDB: one item for each name. See `tidemill.domain.ports.JobWaits`.

Asking costs one write unit, and so does giving up. An answer is one transaction with the job's record, so that no job
can begin to wait beside it: two units for the record, two for each kilobyte of the answer, and what the indexes take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.change import moving
from tidemill.aws.errors import AwsError, code_of, raise_for, unavailable
from tidemill.aws.items import Attribute, Item, attribute, key_of, partition_key
from tidemill.aws.outcomes import Broken, Done
from tidemill.aws.table import JobsTable
from tidemill.aws.transaction import Action, transact
from tidemill.aws.updates import checking, in_transaction, insert_arguments
from tidemill.domain.job import Job, JobRef
from tidemill.domain.telling import told
from tidemill.domain.waiting import Given, Wait

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_PREFIX: Final = "WAIT#"
_GENERATION: Final = "#generation = :generation"
_OPEN: Final = f"{_GENERATION} AND attribute_not_exists(#given) AND attribute_not_exists(#timed_out)"
_TEXTS: Final = ("asks", "given", "by", "means")
_NUMBERS: Final = ("asked_at", "ends_at", "given_at", "timed_out")


class DynamoJobWaits:
    """`JobWaits` on the jobs table."""

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def wait_of(self, ref: JobRef, name: str) -> Wait | None:
        """See JobWaits."""
        (item,) = self._table.read("wait_of", [wait_key(ref, name)])
        return wait_in(item) if item else None

    def waits_of(self, ref: JobRef) -> list[Wait]:
        """See JobWaits. A kind has 16 of them at the most, of 17 KB each: one page."""
        try:
            answer = self._table.client.query(
                TableName=self._table.name,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
                ExpressionAttributeValues={":pk": {"S": partition_key(ref)}, ":prefix": {"S": _PREFIX}},
                ConsistentRead=True,
                **self._table.metering,
            )
        except AwsError as error:
            raise_for("waits_of", error)
        self._table.count(answer)
        return [wait_in(item) for item in answer["Items"]]

    def ask(self, ref: JobRef, before: Wait | None, wait: Wait, ttl_s: int) -> Wait | None:
        """See JobWaits. A repeated call meets its own work, which is what stands there."""
        return self._put("ask", ref, before, wait, ttl_s)

    def give_up(self, ref: JobRef, wait: Wait, now_ms: int, ttl_s: int) -> Wait | None:
        """See JobWaits."""
        return self._put("give_up", ref, wait, wait.timed_out(now_ms), ttl_s)

    def answer(self, job: Job, before: Wait | None, after: Wait, now_ms: int, ttl_s: int) -> bool:
        """See JobWaits. One whose answer was lost stands there: whoever repeats it finds it given."""
        move = told(job, now_ms)
        record: Action = in_transaction(moving(move[0], job, move[1])) if move else checking(job)
        actions: tuple[Action, ...] = ({"Put": _put_arguments(job.ref, before, after, ttl_s)}, record)
        outcome = transact(self._table, "answer", actions)
        for tried in range(1, self._table.patience.tries):
            if not (isinstance(outcome, Broken) and outcome.repeat):
                break
            self._table.patience.wait(tried)
            outcome = transact(self._table, "answer", actions)
        if isinstance(outcome, Broken):
            raise outcome.error
        return isinstance(outcome, Done)

    def key_of(self, period: int) -> bytes | None:
        """See JobWaits."""
        (item,) = self._table.read("key_of", [key_key(period)])
        return bytes.fromhex(item["key"]["S"]) if item else None

    def keep_key(self, period: int, key: bytes, ttl_s: int) -> bytes:
        """See JobWaits."""
        item: Item = {**key_key(period), "key": attribute(key.hex()), "ttl": attribute(ttl_s)}
        arguments: dict[str, Any] = {**insert_arguments(item), "TableName": self._table.name, **self._table.metering}
        try:
            self._table.count(self._table.client.put_item(**arguments))
        except AwsError as error:
            standing = getattr(error, "response", {}).get("Item")
            if code_of(error) != "ConditionalCheckFailedException" or not standing:
                raise unavailable("keep_key", error) from error
            return bytes.fromhex(standing["key"]["S"])
        return key

    def _put(self, operation: str, ref: JobRef, before: Wait | None, after: Wait, ttl_s: int) -> Wait | None:
        arguments = _put_arguments(ref, before, after, ttl_s)
        try:
            answer = self._table.client.put_item(TableName=self._table.name, **arguments, **self._table.metering)
        except AwsError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                item = getattr(error, "response", {}).get("Item")
                return wait_in(item) if item else None
            if code_of(error) == "ValidationException":
                raise
            raise unavailable(operation, error) from error
        self._table.count(answer)
        return after


def key_key(period: int) -> Item:
    """Where the key of a period is. No tenant begins with '#': no job's key is one of these."""
    return {"pk": {"S": "#answer-keys#"}, "sk": {"S": str(period)}}


def wait_key(ref: JobRef, name: str) -> Item:
    """Where a wait is."""
    return key_of(ref, f"{_PREFIX}{name}")


def wait_item(ref: JobRef, wait: Wait, ttl_s: int) -> Item:
    """A wait as an item. What would be empty is absent."""
    given = wait.given
    values: dict[str, str | int | None] = {
        "asked_at": wait.asked_at,
        "ends_at": wait.ends_at,
        "asks": wait.asks or None,
        "timed_out": wait.timed_out_at,
    }
    if given is not None:
        values |= {"given": given.value, "by": given.by, "means": given.means, "given_at": given.at}
    item: Item = {**wait_key(ref, wait.name), "generation": attribute(wait.generation), "ttl": attribute(ttl_s)}
    item.update({name: attribute(value) for name, value in values.items() if value is not None})
    return item


def wait_in(item: Mapping[str, Attribute]) -> Wait:
    """The wait in an item."""
    texts = {name: item[name]["S"] for name in _TEXTS if name in item}
    numbers = {name: int(item[name]["N"]) for name in _NUMBERS if name in item}
    return Wait(
        name=item["sk"]["S"].removeprefix(_PREFIX),
        generation=int(item["generation"]["N"]),
        asked_at=numbers.get("asked_at"),
        ends_at=numbers.get("ends_at"),
        asks=texts.get("asks", ""),
        given=Given(texts["given"], texts["by"], texts["means"], numbers["given_at"]) if "given" in texts else None,
        timed_out_at=numbers.get("timed_out"),
    )


def _put_arguments(ref: JobRef, before: Wait | None, after: Wait, ttl_s: int) -> dict[str, Any]:
    """The arguments of a Put over what was read, but for the table."""
    arguments: dict[str, Any] = {
        "Item": wait_item(ref, after, ttl_s),
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    if before is not None:
        names = ("generation", "given", "timed_out") if before.is_open else ("generation",)
        arguments["ConditionExpression"] = _OPEN if before.is_open else _GENERATION
        arguments["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
        arguments["ExpressionAttributeValues"] = {":generation": attribute(before.generation)}
    return arguments
