"""What jobs remember, in DynamoDB: one item a job. See `tidemill.domain.ports.JobMemory`.

The item has a fence of its own, so that a step is one conditional write of this item alone and the record of the job
is not touched: no transaction, which would cost four times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for
from tidemill.aws.items import Attribute, Item, attribute, key_of
from tidemill.aws.siblings import MEMORY_KEY, stored_of, stored_value, wish_of
from tidemill.aws.table import JobsTable
from tidemill.domain.errors import FenceLostError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.memory import Memory, Remembered

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb.client import DynamoDBClient

_MINE: Final = "#fence = :fence"
_NAMES: Final = {"#fence": "fence"}


class DynamoJobMemory:
    """`JobMemory` on the jobs table.

    A job's first use of it in an attempt costs one write of the item, and so does every step, each by the item's
    whole size: one unit up to 1 KB of names and small results.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def open(self, job: Job, ttl_s: int) -> Memory:
        """See JobMemory. A lost answer is found out by the fence, which no other attempt has."""
        names = {**_NAMES, "#steps": "steps", "#ttl": "ttl"}
        values: dict[str, Any] = {":ttl": attribute(ttl_s), ":none": {"M": {}}}
        item = self._update(
            "open_memory",
            job,
            "SET #fence = :fence, #ttl = :ttl, #steps = if_not_exists(#steps, :none)",
            "attribute_not_exists(#fence) OR #fence < :fence",
            names,
            values,
        )
        return memory_of(item)

    def remember(self, job: Job, step: Remembered) -> None:
        """See JobMemory."""
        names = {**_NAMES, "#steps": "steps", "#name": step.name}
        self._update("remember", job, "SET #steps.#name = :step", _MINE, names, {":step": step_value(step)})

    def forget(self, job: Job, memory: Memory) -> None:
        """See JobMemory."""
        names = {**_NAMES, **{f"#{name}": name for name in ("steps", "epoch", "forgot", "hand_overs", "cursor")}}
        values: dict[str, Any] = {
            ":steps": {"M": {step.name: step_value(step) for step in memory.steps.values()}},
            ":epoch": attribute(memory.epoch),
            ":forgot": attribute(memory.forgot),
            ":hand_overs": attribute(memory.hand_overs),
        }
        text = "SET #steps = :steps, #epoch = :epoch, #forgot = :forgot, #hand_overs = :hand_overs"
        if memory.cursor is None:
            text += " REMOVE #cursor"
        else:
            text += ", #cursor = :cursor"
            values[":cursor"] = attribute(memory.cursor)
        self._update("forget", job, text, _MINE, names, values)

    def checkpoint(self, job: Job, cursor: str, hand_overs: int) -> None:
        """See JobMemory."""
        names = {**_NAMES, "#cursor": "cursor", "#hand_overs": "hand_overs"}
        values: dict[str, Any] = {":cursor": attribute(cursor), ":hand_overs": attribute(hand_overs)}
        self._update("checkpoint", job, "SET #cursor = :cursor, #hand_overs = :hand_overs", _MINE, names, values)

    def look(self, ref: JobRef) -> Memory | None:
        """See JobMemory."""
        (item,) = self._table.read("look", [key_of(ref, MEMORY_KEY)])
        return memory_of(item) if item else None

    def _update(
        self, operation: str, job: Job, text: str, condition: str, names: dict[str, str], values: dict[str, Any]
    ) -> Item:
        try:
            answer = self._table.client.update_item(
                TableName=self._table.name,
                Key=key_of(job.ref, MEMORY_KEY),
                UpdateExpression=text,
                ConditionExpression=condition,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":fence": attribute(job.fence), **values},
                ReturnValues="ALL_NEW" if operation == "open_memory" else "NONE",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **self._table.metering,
            )
        except AwsError as error:
            return _standing(operation, job, error)
        self._table.count(answer)
        return answer.get("Attributes", {})


def _standing(operation: str, job: Job, error: Exception) -> Item:
    """The item that refused the write, if the fence in it is ours after all: an earlier try had gone through."""
    if code_of(error) != "ConditionalCheckFailedException":
        raise_for(operation, error)
    item: Item = getattr(error, "response", {}).get("Item", {})
    if operation == "open_memory" and item.get("fence") == attribute(job.fence):
        return item
    raise FenceLostError(job.ref.id, job.fence) from None


def memory_of(item: Mapping[str, Attribute]) -> Memory:
    """The memory in an item."""
    steps = [_step_of(name, value["M"]) for name, value in item.get("steps", {"M": {}})["M"].items()]
    return Memory(
        fence=_number(item, "fence"),
        epoch=_number(item, "epoch"),
        steps={step.name: step for step in sorted(steps, key=lambda step: step.number)},
        cursor=item["cursor"]["S"] if "cursor" in item else None,
        hand_overs=_number(item, "hand_overs"),
        forgot=_number(item, "forgot"),
        wish=wish_of(item["wish"]) if "wish" in item else None,
    )


def step_value(step: Remembered) -> dict[str, Any]:
    """A step as a map. Its attributes have short names, because every later step pays for them again."""
    value = {"n": attribute(step.number), "at": attribute(step.at), "g": attribute(step.generation)}
    if step.code:
        value["c"] = attribute(step.code)
    if step.result is not None:
        value["r"] = attribute(step.result)
    if step.stored is not None:
        value["s"] = stored_value(step.stored)
    return {"M": value}


def _step_of(name: str, value: Mapping[str, Any]) -> Remembered:
    return Remembered(
        name=name,
        number=_number(value, "n"),
        result=value["r"]["S"] if "r" in value else None,
        at=_number(value, "at"),
        generation=_number(value, "g"),
        code=value["c"]["S"] if "c" in value else "",
        stored=stored_of(value["s"]) if "s" in value else None,
    )


def _number(item: Mapping[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0
