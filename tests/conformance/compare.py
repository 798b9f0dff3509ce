"""Answers of two places, made comparable, and the edges that a request comes near."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.conformance.dynamodb_steps import QUERY_ALL, Step
from tests.conformance.subjects import Answer, Subject

# What says nothing about behaviour: texts, units, and what AWS gives no order to.
_IGNORED = ("ConsumedCapacity", "ItemCollectionMetrics", "Message", "Count", "ScannedCount")


def answer_of(subject: Subject, step: Step) -> Answer:
    """The answer to one step, without what may differ from place to place."""
    service, operation, arguments = step
    if operation == QUERY_ALL:
        return {"Items": _walked(subject, arguments)}
    answer = plain(subject.run(service, operation, arguments))
    if operation == "BatchGetItem" and "Responses" in answer:
        answer["Responses"] = {name: sorted(some, key=_place) for name, some in answer["Responses"].items()}
    return dict(answer)


def plain(value: Any) -> Any:
    """An answer without texts and units, its sets in one order."""
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)) in ("SS", "NS", "BS"):
            ((kind, members),) = value.items()
            return {kind: sorted(members, key=Decimal) if kind == "NS" else sorted(members)}
        return {name: plain(one) for name, one in value.items() if name not in _IGNORED}
    return [plain(one) for one in value] if isinstance(value, list) else value


def _place(item: dict[str, Any]) -> str:
    return repr((item["pk"], item["sk"]))


def _walked(subject: Subject, arguments: dict[str, Any]) -> Any:
    """Every page of a query. Where a page ends is open: it may end with an empty one."""
    found: list[Any] = []
    start: dict[str, Any] = {}
    for _ in range(20):
        answer = subject.run("dynamodb", "Query", {**arguments, **start})
        if "Error" in answer:
            return answer["Error"]
        found += plain(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            break
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
    else:
        return "no end"
    # Entries of an index with one sort key have no order among each other.
    if "IndexName" in arguments:
        groups: dict[str, list[Any]] = {}
        for item in found:
            groups.setdefault(repr(item["due_sk"]), []).append(item)
        in_order = list(groups) == list(dict.fromkeys(repr(item["due_sk"]) for item in found))
        return [sorted(group, key=_place) for group in groups.values()], in_order
    return found


def touched(step: Step, ours: Answer) -> set[str]:
    """The edges that a step of DynamoDB comes near, by their names."""
    _, operation, arguments = step
    text = repr(arguments)
    reasons = {reason["Code"] for reason in ours.get("CancellationReasons", ())}
    refused = ours.get("Error") == "ValidationException" or "ValidationError" in reasons
    near = {
        "a statement of PartiQL": operation in ("BatchExecuteStatement", "ExecuteStatement"),
        "a removal from nothing": "REMOVE" in text and refused,
        "a transaction that can't be applied": "ValidationError" in reasons,
        "one item twice in BatchWriteItem": operation == "BatchWriteItem" and refused,
        "the size of nothing": "size(" in text,
        "a comparison of two types": any(sign in text for sign in (" < ", " <= ", " > ", " >= ", "BETWEEN")),
        "UPDATED_NEW of a new item": arguments.get("ReturnValues") == "UPDATED_NEW",
        "UPDATED_OLD of an equal value": arguments.get("ReturnValues") in ("UPDATED_NEW", "UPDATED_OLD"),
    }
    return {name for name, is_near in near.items() if is_near}
