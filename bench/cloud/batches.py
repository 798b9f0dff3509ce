"""DynamoDB's batches: up to 25 writes or 100 reads in one call, each for itself."""

from __future__ import annotations

from bench.cloud import partiql
from bench.cloud.choices import Choices
from bench.cloud.items import Document, Tables, capacity, planned_delete, planned_put, table_of, wants_capacity
from bench.cloud.refused import invalid
from bench.cloud.requests import asked_of
from bench.cloud.table import read_units
from bench.cloud.values import copied, item_bytes

# API Reference, BatchGetItem, BatchWriteItem and BatchExecuteStatement.
MAX_READS = 100
MAX_WRITES = 25


class Batches:
    """BatchGetItem, BatchWriteItem, BatchExecuteStatement and ExecuteStatement."""

    def __init__(self, tables: Tables, choices: Choices) -> None:
        self._tables = tables
        self._choices = choices

    def batch_get_item(self, asked: Document) -> Document:
        """Read items; one that is not there is left out, one that was refused comes back as unprocessed."""
        found: Document = {}
        unread: Document = {}
        units: dict[str, float] = {}
        self._check_reads(asked["RequestItems"])
        number = 0
        for name, wanted in asked["RequestItems"].items():
            table, request = table_of(self._tables, name), asked_of(wanted)
            consistent = wanted.get("ConsistentRead", False)
            found[name] = []
            for key in wanted["Keys"]:
                if self._choices.refusal("BatchGetItem", number) is not None:
                    unread.setdefault(name, {**wanted, "Keys": []})["Keys"].append(key)
                else:
                    item = table.get(key, consistent=consistent)
                    used = read_units(item_bytes(item) if item else 1, consistent=consistent)
                    units[name] = units.get(name, 0) + used
                    found[name] += [] if item is None else [copied(request.projected(item))]
                number += 1
        return _with_capacity(asked, {"Responses": found, "UnprocessedKeys": unread}, units)

    def batch_write_item(self, asked: Document) -> Document:
        """Put and delete without conditions."""
        self._check_writes(asked["RequestItems"])
        unwritten: Document = {}
        units: dict[str, float] = {}
        number = 0
        for name, requests in asked["RequestItems"].items():
            for request in requests:
                if self._choices.refusal("BatchWriteItem", number) is not None:
                    unwritten.setdefault(name, []).append(request)
                else:
                    units[name] = units.get(name, 0) + self._write(name, request)
                number += 1
        return _with_capacity(asked, {"UnprocessedItems": unwritten}, units)

    def batch_execute_statement(self, asked: Document) -> Document:
        """Run statements, each under its own condition; what fails is told under HTTP 200."""
        entries = asked["Statements"]
        if len(entries) > MAX_WRITES:
            raise invalid(
                "1 validation error detected: Value at 'statements' failed to satisfy constraint: Member must have "
                f"length less than or equal to {MAX_WRITES}"
            )
        statements = [partiql.parse(entry["Statement"]) for entry in entries]
        partiql.check_batch(self._tables, statements, entries)
        units: dict[str, float] = {}
        responses = []
        for number, (statement, entry) in enumerate(zip(statements, entries, strict=True)):
            code = self._choices.refusal("BatchExecuteStatement", number)
            if code is not None:
                error = {"Code": code, "Message": code}
                responses.append({"Error": error, "TableName": statement.table})
                continue
            answer, used = partiql.answered(self._tables, statement, entry)
            units[statement.table] = units.get(statement.table, 0) + used
            responses.append(answer)
        return _with_capacity(asked, {"Responses": responses}, units)

    def execute_statement(self, asked: Document) -> Document:
        """Run one statement; what fails is an error."""
        statement = partiql.parse(asked["Statement"])
        answer, used = partiql.answered(self._tables, statement, asked)
        error = answer.get("Error")
        if error is not None:
            raise partiql.alone(error)
        whole: Document = {"Items": [answer["Item"]] if answer.get("Item") else []}
        if wants_capacity(asked):
            whole["ConsumedCapacity"] = capacity(statement.table, used)
        return whole

    def _write(self, name: str, request: Document) -> float:
        if "PutRequest" in request:
            table, change, _ = planned_put(self._tables, {"TableName": name, "Item": request["PutRequest"]["Item"]})
        else:
            table, change, _ = planned_delete(self._tables, {"TableName": name, "Key": request["DeleteRequest"]["Key"]})
        table.commit(change)
        return change.units

    def _check_reads(self, wanted: Document) -> None:
        keys = [
            (name, table_of(self._tables, name).whole_key(key)) for name, one in wanted.items() for key in one["Keys"]
        ]
        if len(keys) > MAX_READS:
            raise invalid("Too many items requested for the BatchGetItem call")
        if len(set(keys)) != len(keys):
            raise invalid("Provided list of item keys contains duplicates")

    def _check_writes(self, requests: Document) -> None:
        keys = []
        for name, some in requests.items():
            table = table_of(self._tables, name)
            for request in some:
                deletes = request.get("DeleteRequest")
                key = (
                    table.key_of(request["PutRequest"]["Item"]) if deletes is None else table.whole_key(deletes["Key"])
                )
                keys.append((name, key))
        if len(keys) > MAX_WRITES:
            raise invalid("Too many items requested for the BatchWriteItem call")
        if len(set(keys)) != len(keys):
            raise invalid("Provided list of item keys contains duplicates")


def _with_capacity(asked: Document, answer: Document, units: dict[str, float]) -> Document:
    if wants_capacity(asked):
        answer["ConsumedCapacity"] = [capacity(name, used) for name, used in units.items()]
    return answer
