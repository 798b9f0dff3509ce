"""Each handler of `functions/` as Lambda loads it, on a stack that moto plays."""

import functools
import importlib.util
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from moto import mock_aws

from jobs import registry, storage
from tests.contract.backends import NEVER, create_jobs_table
from tidemill.aws.store import DynamoJobStore
from tidemill.domain.job import Job, JobRef
from tidemill.entrypoints import adapters
from tidemill.entrypoints.bootstrap import Program, SystemClock
from tidemill.settings import LaneSettings, RuntimeSettings

TABLE = "tidemill-jobs"
BUCKET = "tidemill-media"
CONTEXT = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 600_000)


@dataclass(frozen=True)
class Stack:
    """What the handlers see, and what a test looks at afterwards."""

    program: Program
    load: Callable[..., Callable[[dict[str, Any], Any], Any]]

    def call(self, function: str, event: dict[str, Any], lane: str = "") -> Any:
        """Invoke a function of the stack, in a fresh container."""
        return self.load(function, lane)(event, CONTEXT)

    def work(self, event: dict[str, Any], lane: str = "default") -> list[str]:
        """Invoke a worker; answers the messages that stay on its queue."""
        answer = self.call("worker", event, lane)
        return [failed["itemIdentifier"] for failed in answer["batchItemFailures"]]

    def job(self, ref: JobRef) -> Job | None:
        return self.program.reader.find([ref])[0]

    def rows(self) -> list[dict[str, Any]]:
        return self.program.clients.dynamodb.scan(TableName=TABLE)["Items"]

    def queued(self, lane: str = "default") -> list[str]:
        """Take the visible messages off the lane's queue: their bodies."""
        return [message["Body"] for message in self._receive(lane)]

    def next_event(self, lane: str = "default") -> dict[str, Any]:
        """The visible messages of the lane's queue as Lambda's poller would hand them to the worker."""
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSource": "aws:sqs",
            }
            for message in self._receive(lane)
        ]
        return {"Records": records}

    def _receive(self, lane: str) -> list[Any]:
        answer = self.program.clients.sqs.receive_message(
            QueueUrl=self.program.settings.lanes[lane].queue_url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
        )
        return answer.get("Messages", [])


@pytest.fixture
def event(repository: Path) -> Callable[[str], dict[str, Any]]:
    """A fresh copy of one of `events/*.json`."""
    return lambda name: json.loads((repository / "events" / f"{name}.json").read_text())


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, repository: Path) -> Iterator[Stack]:
    # moto ignores the conditions of PartiQL statements, so that every record goes out alone.
    monkeypatch.setattr(adapters, "DynamoJobStore", functools.partial(DynamoJobStore, batch_from=NEVER))
    with mock_aws():
        settings = RuntimeSettings(
            stack="tidemill", table=TABLE, lanes={"none": LaneSettings(queue_url="-", dlq_url="-")}
        )
        clients = Program.from_env(registry, settings.to_env()).clients
        create_jobs_table(clients.dynamodb, TABLE)
        clients.s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": clients.s3.meta.region_name}
        )
        settings = settings.model_copy(update={"lanes": {name: _queues(clients.sqs, name) for name in registry.lanes}})

        def load(function: str, lane: str) -> Any:
            for name, value in settings.model_copy(update={"lane": lane}).to_env().items():
                monkeypatch.setenv(name, value)
            return _module(repository / "functions" / function / "handler.py").handler

        yield Stack(Program.from_env(registry, settings.to_env()), load)
    # The jobs' client was made for this moto.
    storage._client.cache_clear()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the stack's clock go by so many minutes; SQS keeps its own."""
    real = SystemClock.now_ms

    def shift(minutes: int) -> None:
        monkeypatch.setattr(SystemClock, "now_ms", lambda self: real(self) + minutes * 60_000)

    return shift


def _queues(sqs: Any, lane: str) -> LaneSettings:
    """The two queues of a lane. No redrive policy: a test plays the poller, and counts no receives."""
    queue, dlq = (sqs.create_queue(QueueName=f"tidemill-{lane}{suffix}")["QueueUrl"] for suffix in ("", "-dlq"))
    return LaneSettings(queue_url=queue, dlq_url=dlq)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_handler", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
