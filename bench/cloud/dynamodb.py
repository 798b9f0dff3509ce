"""DynamoDB's API on tables in memory."""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from bench.cloud import partiql
from bench.cloud.expressions import applied, condition_of, update_of
from bench.cloud.meter import Meter
from bench.cloud.table import Change, Condition, Table
from bench.cloud.values import Item
from bench.cloud.wire import Request, Response

Document = dict[str, Any]

_FAILED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
_REQUEST_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class ConditionFailedError(Exception):
    """A single write was refused; carries the answer."""

    def __init__(self, answer: Document) -> None:
        super().__init__("The conditional request failed")
        self.answer = answer


class DynamoDB:
    """The operations that handlers of this bench use."""

    def __init__(self, tables: tuple[Table, ...], meter: Meter) -> None:
        self._tables = {table.name: table for table in tables}
        self._meter = meter
        self._operations: Mapping[str, Callable[[Document], Document]] = {
            "BatchExecuteStatement": self._batch_execute_statement,
            "BatchGetItem": self._batch_get_item,
            "BatchWriteItem": self._batch_write_item,
            "GetItem": self._get_item,
            "PutItem": self._put_item,
            "UpdateItem": self._update_item,
        }

    def answer(self, request: Request) -> Response:
        """Answer as DynamoDB does, with its headers and checksum."""
        operation = request.headers["x-amz-target"].partition(".")[2]
        self._meter.calls[operation] += 1
        try:
            answer, status = self._operations[operation](json.loads(request.body)), HTTPStatus.OK
        except ConditionFailedError as error:
            answer, status = error.answer, HTTPStatus.BAD_REQUEST
        body = json.dumps(answer, separators=(",", ":")).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "x-amzn-RequestId": "".join(secrets.choice(_REQUEST_ID_ALPHABET) for _ in range(52)),
            "x-amz-crc32": str(zlib.crc32(body)),
        }
        return Response(body, headers, status)

    def _get_item(self, asked: Document) -> Document:
        found = self._tables[asked["TableName"]].get(asked["Key"])
        return {"Item": found} if found is not None else {}

    def _batch_get_item(self, asked: Document) -> Document:
        found: Document = {}
        for name, wanted in asked["RequestItems"].items():
            items = [self._tables[name].get(key) for key in wanted["Keys"]]
            found[name] = [item for item in items if item is not None]
        return {"Responses": found, "UnprocessedKeys": {}}

    def _put_item(self, asked: Document) -> Document:
        return _answer(asked, self._put(asked["TableName"], asked["Item"], _condition(asked)))

    def _put(self, table: str, item: Item, condition: Condition | None) -> Change:
        return self._tables[table].write(item, condition, lambda _: item)

    def _update_item(self, asked: Document) -> Document:
        assignments = update_of(asked["UpdateExpression"], _names(asked))
        values = asked.get("ExpressionAttributeValues", {})
        table = self._tables[asked["TableName"]]
        change = table.write(asked["Key"], _condition(asked), lambda before: applied(assignments, before, values))
        return _answer(asked, change)

    def _batch_write_item(self, asked: Document) -> Document:
        for name, requests in asked["RequestItems"].items():
            for request in requests:
                self._put(name, request["PutRequest"]["Item"], None)
        return {"UnprocessedItems": {}}

    def _batch_execute_statement(self, asked: Document) -> Document:
        units: dict[str, float] = {}
        responses = []
        for entry in asked["Statements"]:
            statement = partiql.parse(entry["Statement"])
            change, code = partiql.execute(statement, self._tables[statement.table], entry["Parameters"])
            units[statement.table] = units.get(statement.table, 0) + change.units
            responses.append(_statement_answer(statement, entry, change, code))
        answer: Document = {"Responses": responses}
        if asked.get("ReturnConsumedCapacity", "NONE") != "NONE":
            answer["ConsumedCapacity"] = [{"TableName": name, "CapacityUnits": used} for name, used in units.items()]
        return answer


def _statement_answer(statement: object, entry: Document, change: Change, code: str) -> Document:
    table = getattr(statement, "table", "")
    if code:
        message = (
            "The conditional request failed" if code != "DuplicateItem" else "Duplicate primary key exists in table"
        )
        error: Document = {"Code": code, "Message": message}
        if code != "DuplicateItem" and change.before and entry.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            error["Item"] = change.before
        return {"Error": error, "TableName": table}
    if isinstance(statement, partiql.Update) and statement.answers_before:
        return {"TableName": table, "Item": change.before}
    return {"TableName": table}


def _answer(asked: Document, change: Change) -> Document:
    if not change.accepted:
        refused: Document = {"__type": _FAILED, "message": "The conditional request failed"}
        if change.before and asked.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
            refused["Item"] = change.before
        raise ConditionFailedError(refused)
    answer: Document = {}
    if asked.get("ReturnValues") == "ALL_OLD" and change.before:
        answer["Attributes"] = change.before
    if asked.get("ReturnConsumedCapacity", "NONE") != "NONE":
        answer["ConsumedCapacity"] = {"TableName": asked["TableName"], "CapacityUnits": change.units}
    return answer


def _condition(asked: Document) -> Condition | None:
    text = asked.get("ConditionExpression")
    if text is None:
        return None
    test, values = condition_of(text, _names(asked)), asked.get("ExpressionAttributeValues", {})
    return lambda item: test(item, values)


def _names(asked: Document) -> tuple[tuple[str, str], ...]:
    return tuple(asked.get("ExpressionAttributeNames", {}).items())
