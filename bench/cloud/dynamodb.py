"""DynamoDB's API on tables in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bench.cloud.batches import Batches
from bench.cloud.choices import Choices
from bench.cloud.items import Document, SingleItems
from bench.cloud.queries import Queries
from bench.cloud.table import Table
from bench.cloud.transactions import Transactions


class DynamoDB:
    """The operations by their names; each takes and answers what botocore takes and answers."""

    def __init__(self, tables: Sequence[Table], now_ms: Callable[[], int], choices: Choices) -> None:
        self.tables = {table.name: table for table in tables}
        for table in tables:
            table.now_ms, table.choices = now_ms, choices
        items, batches = SingleItems(self.tables), Batches(self.tables, choices)
        queries = Queries(self.tables)
        self.operations: Mapping[str, Callable[[Document], Document]] = {
            "BatchExecuteStatement": batches.batch_execute_statement,
            "BatchGetItem": batches.batch_get_item,
            "BatchWriteItem": batches.batch_write_item,
            "DeleteItem": items.delete_item,
            "ExecuteStatement": batches.execute_statement,
            "GetItem": items.get_item,
            "PutItem": items.put_item,
            "Query": queries.query,
            "Scan": queries.scan,
            "TransactWriteItems": Transactions(self.tables, now_ms).transact_write_items,
            "UpdateItem": items.update_item,
        }
