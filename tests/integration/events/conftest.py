"""The shipped projector on an account in memory, fed by its table's stream as Lambda's poller does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from os import environ
from typing import Any
from unittest.mock import patch

import pytest
from pydantic import BaseModel, ConfigDict

from bench.cloud.account import EVENTS_TABLE, LINES_TABLE, Account, events_table, jobs_table, lines_table
from bench.environment import environment
from bench.workload import _NOWHERE
from tests.streams import Moved, account
from tidemill import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.projector import projector_handler
from tidemill.settings import PREFIX
from tidemill.streams import projection


class Balance(BaseModel):
    model_config = ConfigDict(frozen=True)

    cents: int = 0
    moves: int = 0


POISON = 666


@projection("balances", of=account, model=Balance, group=lambda _: "all", order=lambda line: line.moves)
def balances(line, event, _fact):
    if not isinstance(event, Moved):
        return line
    if event.cents == POISON:
        raise ValueError("no such coin")
    line = line or Balance()
    return Balance(cents=line.cents + event.cents, moves=line.moves + 1)


registry = JobRegistry(streams=[account], projections=[balances])


@dataclass
class Stream:
    """The stream of the events table: one shard, its records in order, and a poller that keeps its place.

    Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB": a batch that fails is tried again, cut in two where
    bisecting is on; one whose answer names failures goes on from the first of these; what has used up its tries is
    left out. The stream forgets what is older than a day.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    place: int = 0
    dropped: int = 0

    def watch(self, _table: object, key: tuple[str, ...], before: Any, after: Any) -> None:
        name = "INSERT" if before is None else "REMOVE" if after is None else "MODIFY"
        change = {"Keys": {"pk": {"S": key[0]}, "sk": {"S": key[1]}}, "SequenceNumber": str(len(self.records) + 1)}
        if after is not None:
            change["NewImage"] = dict(after)
        self.records.append({"eventName": name, "dynamodb": change})

    def trim(self) -> None:
        """Forget all that has not been read."""
        self.place = len(self.records)

    def poll(self, handler: Callable[..., Any], *, batch: int = 10, tries: int = 4) -> None:
        """Hand in everything that is there."""
        while self.place < len(self.records):
            end = min(len(self.records), self.place + batch)
            self._batch(handler, self.place, end, tries)
            self.place = end

    def _batch(self, handler: Callable[..., Any], start: int, end: int, tries: int) -> None:
        while start < end and tries:
            tries -= 1
            try:
                failures = handler({"Records": self.records[start:end]}, Context())["batchItemFailures"]
            except Exception:  # noqa: BLE001 - as Lambda does it
                middle = (start + end) // 2
                if middle > start:
                    self._batch(handler, start, middle, tries)
                    start = middle
                continue
            if not failures:
                return
            start = min(int(one["itemIdentifier"]) for one in failures) - 1
        self.dropped += end - start


class Context:
    aws_request_id = "request-1"


@dataclass
class Deployment:
    """A stack with an event store, its projector, and the table's stream between them."""

    account: Account
    program: Program
    stream: Stream
    projector: Callable[..., Any]

    def move(self, key: str, *cents: int) -> None:
        for one in cents:
            self.program.streams.change(account, key, lambda _, one=one: [Moved(cents=one)])

    def balance(self, key: str) -> int | None:
        found = self.program.read_models.get(balances, key)
        return found and found.shown and found.shown.cents

    def poll(self, handler: Callable[..., Any] | None = None, **options: int) -> None:
        self.stream.poll(handler or self.projector, **options)


@pytest.fixture
def deployment() -> Iterator[Deployment]:
    account = Account(tables=[jobs_table(), events_table(), lines_table()])
    stream = Stream()
    account.tables[EVENTS_TABLE].watchers.append(stream.watch)
    tables = {f"{PREFIX}EVENTS_TABLE": EVENTS_TABLE, f"{PREFIX}LINES_TABLE": LINES_TABLE}
    with patch.dict(environ, {**environment(), **tables}), account.wire.connected(), redirect_stdout(_NOWHERE):
        yield Deployment(account, Program.from_env(registry), stream, projector_handler(registry))
