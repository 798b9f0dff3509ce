"""TransactWriteItems: all or nothing over several items, at twice the price."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.cloud.items import (
    CONDITION_FAILED,
    Document,
    Tables,
    capacity,
    planned_delete,
    planned_put,
    planned_update,
    table_of,
    wants_capacity,
)
from bench.cloud.refused import Refused, invalid
from bench.cloud.requests import Asked, asked_of
from bench.cloud.table import Change, Table
from bench.cloud.values import copied

MAX_ACTIONS = 100
# API Reference, TransactWriteItems: "A client request token is valid for 10 minutes after the first request that
# uses it is completed."
TOKEN_MS = 10 * 60 * 1_000
_NOTHING = {"Code": "None"}


class Transactions:
    """The transactions of an account, and the tokens of the last ten minutes."""

    def __init__(self, tables: Tables, now_ms: Callable[[], int]) -> None:
        self._tables = tables
        self._now_ms = now_ms
        self._done: dict[str, tuple[int, str]] = {}

    def transact_write_items(self, asked: Document) -> Document:
        """Do every action, or none.

        Raises:
            Refused: TransactionCanceledException with a reason for each action; the same token with other actions;
                two actions on one item.
        """
        if self._is_repeated(asked):
            return {}
        actions = [next(iter(action.items())) for action in asked["TransactItems"]]
        self._check(actions)
        planned: list[tuple[Table, Change]] = []
        reasons: list[Document] = []
        for verb, action in actions:
            try:
                table, change, _ = _PLANS[verb](self._tables, action)
            except Refused as refused:
                reasons.append({"Code": "ValidationError", "Message": refused.message})
                continue
            planned.append((table, change))
            reasons.append(_NOTHING if change.accepted else _failed(action, change))
        units = _committed(planned, do=all(reason is _NOTHING for reason in reasons), verbs=actions)
        if any(reason is not _NOTHING for reason in reasons):
            raise _cancelled(reasons)
        self._remember(asked)
        if wants_capacity(asked):
            return {"ConsumedCapacity": [capacity(name, used) for name, used in units.items()]}
        return {}

    def _check(self, actions: list[tuple[str, Document]]) -> None:
        if not 1 <= len(actions) <= MAX_ACTIONS:
            raise invalid("Member must have length less than or equal to 100")
        keys = []
        for verb, action in actions:
            table = table_of(self._tables, action["TableName"])
            asked_of(action)
            key = table.key_of(action["Item"]) if verb == "Put" else table.whole_key(action["Key"])
            keys.append((table.name, key))
        if len(set(keys)) != len(keys):
            raise invalid("Transaction request cannot include multiple operations on one item")

    def _is_repeated(self, asked: Document) -> bool:
        token = asked.get("ClientRequestToken")
        if token is None or token not in self._done:
            return False
        at, earlier = self._done[token]
        if at + TOKEN_MS <= self._now_ms():
            return False
        if earlier != _text(asked):
            raise Refused(
                "IdempotentParameterMismatchException",
                "The provided client token is not valid: it was used with other parameters",
            )
        return True

    def _remember(self, asked: Document) -> None:
        token = asked.get("ClientRequestToken")
        if token is not None:
            self._done[token] = (self._now_ms(), _text(asked))


def _planned_check(tables: Tables, asked: Document) -> tuple[Table, Change, Asked]:
    table = table_of(tables, asked["TableName"])
    request = asked_of(asked)
    before = table.items.get(table.whole_key(asked["Key"]))
    change = Change(table.whole_key(asked["Key"]), before, before, accepted=request.holds(before or {}))
    return table, change, request


_PLANS: dict[str, Any] = {
    "ConditionCheck": _planned_check,
    "Delete": planned_delete,
    "Put": planned_put,
    "Update": planned_update,
}


def _committed(planned: list[tuple[Table, Change]], *, do: bool, verbs: list[tuple[str, Document]]) -> dict[str, float]:
    units: dict[str, float] = {}
    for number, (table, change) in enumerate(planned):
        if not do or verbs[number][0] == "ConditionCheck":
            # A check, and every action of a cancelled transaction, costs what stands there and changes nothing.
            change = Change(change.key, change.before, change.before, accepted=False)  # noqa: PLW2901
        table.commit(change, factor=2)
        units[table.name] = units.get(table.name, 0) + change.units
    return units


def _failed(asked: Document, change: Change) -> Document:
    reason: Document = {"Code": "ConditionalCheckFailed", "Message": CONDITION_FAILED}
    if change.before is not None and asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        reason["Item"] = copied(change.before)
    return reason


def _cancelled(reasons: list[Document]) -> Refused:
    message = (
        "Transaction cancelled, please refer cancellation reasons for specific reasons "
        f"[{', '.join(reason['Code'] for reason in reasons)}]"
    )
    members = {"Message": message, "CancellationReasons": [dict(reason) for reason in reasons]}
    return Refused("TransactionCanceledException", message, members=members)


def _text(asked: Document) -> str:
    return repr(asked["TransactItems"])
