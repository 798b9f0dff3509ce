"""One write of a record together with other items: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from tidemill.aws.errors import AwsError, code_of, is_ambiguous, unavailable
from tidemill.aws.outcomes import REPEATABLE, Broken, Done, Outcome, Taken, Unmet
from tidemill.aws.table import JobsTable
from tidemill.domain.errors import UnavailableError

# One action of TransactWriteItems, by its verb, but for the table.
Action: TypeAlias = dict[str, dict[str, Any]]

# API Reference, TransactWriteItems: CancellationReasons.
_UNMET: Final = "ConditionalCheckFailed"


def transact(table: JobsTable, operation: str, actions: Sequence[Action]) -> Outcome | Taken:
    """Do every action, or none. It costs twice the units of separate writes.

    The outcome is that of the first one, `Taken` where another one's condition stood in its way.
    """
    request: list[Any] = [
        {verb: {"TableName": table.name, **arguments} for verb, arguments in action.items()} for action in actions
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
