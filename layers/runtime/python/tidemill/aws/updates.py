"""Updates and inserts as UpdateItem and PutItem, for one or two records."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tidemill.aws.change import Change, Comparison, Update, standing
from tidemill.aws.items import Item, key_of
from tidemill.domain.job import Job

_OF_A_CHECK: Final = frozenset(
    {
        "Key",
        "ConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ReturnValuesOnConditionCheckFailure",
    }
)


def update_arguments(update: Update) -> dict[str, Any]:
    """The arguments of UpdateItem, but for the table."""
    text = update_text(update.change)
    values = [*update.set_values, *update.condition_values]
    named = {f":{index}": value for index, value in enumerate(values)}
    if update.change.increments:
        named[":one"] = {"N": "1"}
    return {
        "Key": key_of(update.ref),
        "UpdateExpression": text.update,
        "ConditionExpression": text.condition,
        "ExpressionAttributeNames": text.names,
        "ExpressionAttributeValues": named,
        "ReturnValues": "ALL_OLD" if update.change.answers_before else "NONE",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def insert_arguments(item: Item) -> dict[str, Any]:
    """The arguments of a PutItem that never overwrites, but for the table."""
    return {
        "Item": item,
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def in_transaction(write: Update | Item) -> dict[str, Any]:
    """An update, or an item whose key must be free, as one action of TransactWriteItems, but for the table."""
    if isinstance(write, Update):
        arguments = update_arguments(write)
        # An action answers nothing but why it was refused.
        del arguments["ReturnValues"]
        return {"Update": arguments}
    return {"Put": insert_arguments(write)}


def checking(job: Job) -> dict[str, Any]:
    """That the record is as it was read, as one action of TransactWriteItems, but for the table."""
    arguments = update_arguments(standing(job))
    return {"ConditionCheck": {name: value for name, value in arguments.items() if name in _OF_A_CHECK}}


@dataclass(frozen=True, slots=True)
class UpdateText:
    """The expressions of one shape. Values are numbered: the new ones first, then the conditions'."""

    update: str
    condition: str
    names: dict[str, str]


@lru_cache(maxsize=512)
def update_text(change: Change) -> UpdateText:
    """The expressions of a change."""
    sets = [f"#{name} = :{index}" for index, name in enumerate(change.sets)]
    sets += [f"#{name} = #{name} + :one" for name in change.increments]
    clauses = [f"SET {', '.join(sets)}"] if sets else []
    if change.removes:
        clauses.append(f"REMOVE {', '.join(f'#{name}' for name in change.removes)}")
    tested = [name for name, _ in change.conditions]
    names = {f"#{name}": name for name in (*change.sets, *change.increments, *change.removes, *tested)}
    return UpdateText(" ".join(clauses), " AND ".join(_conditions(change)), names)


def _conditions(change: Change) -> list[str]:
    texts, index = [], len(change.sets)
    for name, test in change.conditions:
        if test is Comparison.ABSENT:
            texts.append(f"attribute_not_exists(#{name})")
        else:
            texts.append(f"#{name} {test.value} :{index}")
            index += 1
    return texts
