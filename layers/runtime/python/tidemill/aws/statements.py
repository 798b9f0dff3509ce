"""Updates and inserts as PartiQL, for BatchExecuteStatement: 25 conditional writes in one call.

Developer Guide, "PartiQL update statements for DynamoDB": SET and REMOVE are repeated for each attribute;
RETURNING ALL OLD * answers the item as it was. Every name is quoted, because some are reserved words.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tidemill.aws.change import Change, Comparison, Update
from tidemill.aws.items import STATE_KEY, Attribute, Item, partition_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

_STATE: Final[Attribute] = {"S": STATE_KEY}


def update_statement(table: str, update: Update) -> BatchStatementRequestTypeDef:
    """One entry of a batch for `update`."""
    key: list[Attribute] = [{"S": partition_key(update.ref)}, _STATE]
    return {
        "Statement": update_text(table, update.change),
        "Parameters": [*update.set_values, *key, *update.condition_values],
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def insert_statement(table: str, item: Item) -> BatchStatementRequestTypeDef:
    """One entry of a batch for a new item. INSERT itself refuses a key that is taken, and does not say by what."""
    return {"Statement": insert_text(table, tuple(item)), "Parameters": list(item.values())}


# Shapes are few: a verb with the optional fields it may touch.
@lru_cache(maxsize=512)
def update_text(table: str, change: Change) -> str:
    """The statement of a change; its parameters are the new values, the key, then the conditions' values."""
    words = [f'UPDATE "{table}"']
    words += [f'SET "{name}" = ?' for name in change.sets]
    words += [f'SET "{name}" = "{name}" + 1' for name in change.increments]
    words += [f'REMOVE "{name}"' for name in change.removes]
    conditions = ['"pk" = ?', '"sk" = ?', *(_condition(name, test) for name, test in change.conditions)]
    words.append(f"WHERE {' AND '.join(conditions)}")
    if change.answers_before:
        words.append("RETURNING ALL OLD *")
    return " ".join(words)


@lru_cache(maxsize=512)
def insert_text(table: str, names: Sequence[str]) -> str:
    """The statement of an insert; its parameters are the attributes' values in the order of `names`."""
    return f"""INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in names)}}}"""


def _condition(name: str, test: Comparison) -> str:
    return f'"{name}" IS MISSING' if test is Comparison.ABSENT else f'"{name}" {test.value} ?'
