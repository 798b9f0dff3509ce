"""One change of a record together with new items: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tidemill.aws.change import Update
from tidemill.aws.errors import AwsError, code_of, is_ambiguous, unavailable
from tidemill.aws.items import Item
from tidemill.aws.outcomes import REPEATABLE, Broken, Done, Outcome, Taken, Unmet
from tidemill.aws.table import JobsTable
from tidemill.aws.updates import insert_arguments, update_arguments
from tidemill.domain.errors import UnavailableError

# API Reference, TransactWriteItems: CancellationReasons.
_UNMET: Final = "ConditionalCheckFailed"


def transact(table: JobsTable, operation: str, update: Update, items: Sequence[Item]) -> Outcome | Taken:
    """Write `update` and `items`, whose first one must be new. It costs twice the units of separate writes."""
    change = {name: value for name, value in update_arguments(update).items() if name != "ReturnValues"}
    new = insert_arguments(items[0])
    new.pop("ReturnValuesOnConditionCheckFailure")
    request: list[Any] = [
        {"Update": {"TableName": table.name, **change}},
        {"Put": {"TableName": table.name, **new}},
        *({"Put": {"TableName": table.name, "Item": item}} for item in items[1:]),
    ]
    try:
        answer = table.client.transact_write_items(TransactItems=request, **table.metering)
    except AwsError as error:
        if code_of(error) == "TransactionCanceledException":
            return _canceled(operation, getattr(error, "response", {}).get("CancellationReasons", ()))
        repeat = code_of(error) in REPEATABLE
        return Broken(unavailable(operation, error), is_ambiguous(error), repeat=repeat)
    table.count(answer)
    return Done(None)


def _canceled(operation: str, reasons: Sequence[Any]) -> Outcome | Taken:
    codes = [reason.get("Code", "None") for reason in reasons]
    if codes and codes[0] == _UNMET:
        return Unmet(reasons[0].get("Item"))
    if _UNMET in codes:
        return Taken()
    cause = next((code for code in codes if code != "None"), "TransactionCanceled")
    return Broken(UnavailableError(operation, cause), ambiguous=False, repeat=True)
