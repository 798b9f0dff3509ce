"""What jobs remember, in DynamoDB: one item a job. See `tidemill.domain.ports.JobMemory`.

The item has a fence of its own, so that a step is one conditional write of this item alone and the record of the job
is not touched: no transaction, which would cost four times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tidemill.aws.errors import AwsError, code_of, unavailable
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
    whole size: one unit up to 1 KB of names and small results. A step that was asked for and is not recorded takes
    its name and a code version of that, and no write.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def open(self, job: Job, ttl_s: int, code: str) -> Memory:
        """See JobMemory. A lost answer is found out by the fence, which no other attempt has."""
        names = {**_NAMES, "#steps": "steps", "#ttl": "ttl"}
        values: dict[str, Any] = {":ttl": attribute(ttl_s), ":none": {"M": {}}}
        text = "SET #fence = :fence, #ttl = :ttl, #steps = if_not_exists(#steps, :none)"
        if code:
            text += ", #code = if_not_exists(#code, :code)"
            names["#code"], values[":code"] = "code", attribute(code)
        item = self._update("open_memory", job, text, "attribute_not_exists(#fence) OR #fence < :fence", names, values)
        return memory_of(item)

    def remember(self, job: Job, step: Remembered, asked: Mapping[str, str]) -> None:
        """See JobMemory."""
        names = {**_NAMES, "#steps": "steps", "#name": step.name, "#asked": "asked"}
        values: dict[str, Any] = {":step": step_value(step)}
        text = "SET #steps.#name = :step"
        if asked:
            text += ", #asked = :asked"
            values[":asked"] = _asked_value(asked)
        else:
            text += " REMOVE #asked"
        self._update("remember", job, text, _MINE, names, values)

    def forget(self, job: Job, memory: Memory) -> None:
        """See JobMemory."""
        wanted: dict[str, Any] = {
            "steps": {"M": {step.name: step_value(step) for step in memory.steps.values()}},
            "epoch": attribute(memory.epoch),
            "forgot": attribute(memory.forgot),
            "hand_overs": attribute(memory.hand_overs),
            "cursor": None if memory.cursor is None else attribute(memory.cursor),
            "code": attribute(memory.code) if memory.code else None,
            "asked": _asked_value(memory.asked) if memory.asked else None,
        }
        kept = {name: value for name, value in wanted.items() if value is not None}
        text = "SET " + ", ".join(f"#{name} = :{name}" for name in kept)
        if gone := [f"#{name}" for name in wanted if name not in kept]:
            text += f" REMOVE {', '.join(gone)}"
        names = {**_NAMES, **{f"#{name}": name for name in wanted}}
        self._update("forget", job, text, _MINE, names, {f":{name}": value for name, value in kept.items()})

    def checkpoint(self, job: Job, cursor: str, hand_overs: int) -> None:
        """See JobMemory."""
        names = {**_NAMES, "#cursor": "cursor", "#hand_overs": "hand_overs"}
        values: dict[str, Any] = {":cursor": attribute(cursor), ":hand_overs": attribute(hand_overs)}
        self._update("checkpoint", job, "SET #cursor = :cursor, #hand_overs = :hand_overs", _MINE, names, values)

    def look(self, ref: JobRef) -> Memory | None:
        """See JobMemory."""
        try:
            (item,) = self._table.read("look", [key_of(ref, MEMORY_KEY)])
        except AwsError as error:
            _refuse("look", error)
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
        _refuse(operation, error)
    item: Item = getattr(error, "response", {}).get("Item", {})
    if operation == "open_memory" and item.get("fence") == attribute(job.fence):
        return item
    raise FenceLostError(job.ref.id, job.fence) from None


def _refuse(operation: str, error: Exception) -> NoReturn:
    """Say that AWS did not answer, also of a lasting refusal, such as a right that the role lacks.

    It is no fault of the job, which waits until somebody mends it. An ill-formed request is one of ours, and would
    let the job repeat an effect for as long as it waits.
    """
    if code_of(error) == "ValidationException":
        raise error
    raise unavailable(operation, error) from error


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
        code=item["code"]["S"] if "code" in item else "",
        asked={name: code["S"] for name, code in item.get("asked", {"M": {}})["M"].items()},
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
    if step.undoes:
        value["u"] = attribute(True)
    return {"M": value}


def _asked_value(asked: Mapping[str, str]) -> dict[str, Any]:
    return {"M": {name: attribute(code) for name, code in asked.items()}}


def _step_of(name: str, value: Mapping[str, Any]) -> Remembered:
    return Remembered(
        name=name,
        number=_number(value, "n"),
        result=value["r"]["S"] if "r" in value else None,
        at=_number(value, "at"),
        generation=_number(value, "g"),
        code=value["c"]["S"] if "c" in value else "",
        stored=stored_of(value["s"]) if "s" in value else None,
        undoes="u" in value,
    )


def _number(item: Mapping[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0
