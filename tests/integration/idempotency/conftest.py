"""The table of idempotency records, played by moto, what may happen to it behind a run's back, and runs."""

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency import BasePersistenceLayer, idempotent_function
from moto import mock_aws

TABLE = "idempotency-records"
DATA = "the same data"


@dataclass(frozen=True)
class Records:
    """The table from outside."""

    client: Any

    def all(self) -> list[dict[str, Any]]:
        return self.client.scan(TableName=TABLE)["Items"]

    def states(self) -> list[tuple[str, str]]:
        """Each record's state and what it remembers."""
        return [(record["status"]["S"], record.get("data", {}).get("S", "")) for record in self.all()]

    def end_leases(self) -> None:
        """Let the time of every run in progress be over."""
        for record in self.all():
            self.client.update_item(
                TableName=TABLE,
                Key={"id": record["id"]},
                UpdateExpression="SET in_progress_expiration = :past",
                ExpressionAttributeValues={":past": {"N": "1"}},
            )

    def clear(self) -> None:
        for record in self.all():
            self.client.delete_item(TableName=TABLE, Key={"id": record["id"]})


@pytest.fixture
def records() -> Iterator[Records]:
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
        yield Records(client)


class Run:
    """A call of a decorated function in a thread of its own, which does nothing until it is told how to end."""

    def __init__(self, store: BasePersistenceLayer, name: str = "work", data: str = DATA) -> None:
        self._told: SimpleQueue[Any] = SimpleQueue()
        self._entered: Future[bool] = Future()
        self._ended: Future[Any] = Future()

        @idempotent_function(data_keyword_argument="data", persistence_store=store, key_prefix=name)
        def work(data: str) -> Any:
            self._entered.set_result(True)
            end = self._told.get()
            if isinstance(end, BaseException):
                raise end
            return end

        self._call = lambda: work(data=data)

    def start(self) -> "Run":
        """Start; returns when the function is entered, and raises what kept it from that."""
        Thread(target=self._run, daemon=True).start()
        self._entered.result(timeout=10)
        return self

    def end(self, end: Any) -> Any:
        """Let the function return `end`, or raise it; answers what its caller gets, or raises that."""
        self._told.put(end)
        return self._ended.result(timeout=10)

    def _run(self) -> None:
        try:
            self._ended.set_result(self._call())
        except BaseException as error:  # noqa: BLE001 - it is raised in the thread that asks
            self._ended.set_exception(error)
            if not self._entered.done():
                self._entered.set_exception(error)


def call(store: BasePersistenceLayer, result: Any = "called", name: str = "work", data: str = DATA) -> Any:
    """A call of a decorated function that returns `result`."""

    @idempotent_function(data_keyword_argument="data", persistence_store=store, key_prefix=name)
    def work(data: str) -> Any:
        return result

    return work(data=data)
