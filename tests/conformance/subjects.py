"""The fake, moto and MiniStack behind one interface: the same tables, queues and bucket in each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from botocore.exceptions import ClientError
from moto.sqs.models import sqs_backends

from bench.cloud.account import INDEXES, Account, TableDefinition, jobs_table
from bench.cloud.ids import numbered_ids
from bench.cloud.queue import QueueDefinition
from bench.cloud.s3 import BucketDefinition

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

MAX_RECEIVES = 2
VISIBILITY_S = 300
# What stands in a step for what is named differently in each place.
QUEUES = ("QUEUE", "DLQ", "FIFO", "FIFO-DLQ")
_WORD = re.compile("<([A-Z-]+)>")
_numbers = count(1)


class Subject:
    """One place that answers as AWS does, or should.

    Attributes:
        name: `fake`, `moto` or `ministack`, as in the table of differences.
        answers: what was answered so far, as a client sees it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.words: dict[str, str] = {}
        self.answers: list[Answer] = []

    def run(self, service: str, operation: str, arguments: Arguments) -> Answer:
        """One call; an error is an answer too, with its code and the rest of its members."""
        try:
            answer = self._call(service, operation, self._said(arguments))
        except ClientError as error:
            answer = {**error.response}
        answer.pop("ResponseMetadata", None)
        self.answers.append(answer)
        heard = {name: value for name, value in self._heard(answer).items() if name not in ("message", "Message")}
        return {**heard, "Error": heard["Error"]["Code"]} if "Code" in heard.get("Error", ()) else heard

    def wait(self, seconds: int) -> None:
        """Let time pass, where the clock is ours.

        Raises:
            NotImplementedError: it is the machine's.
        """
        raise NotImplementedError

    def _call(self, service: str, operation: str, arguments: Any) -> Answer:
        raise NotImplementedError

    def _said(self, value: Any) -> Any:
        if isinstance(value, str):
            return _WORD.sub(lambda found: self._meaning(found[1]), value) if "<" in value else value
        if isinstance(value, Mapping):
            return {self._said(name): self._said(one) for name, one in value.items()}
        return [self._said(one) for one in value] if isinstance(value, list) else value

    def _meaning(self, word: str) -> str:
        return self.words[word]

    def _heard(self, value: Any) -> Any:
        if isinstance(value, str):
            return next((f"<{word}>" for word, meaning in self.words.items() if value == meaning), value)
        if isinstance(value, Mapping):
            return {self._heard(name): self._heard(one) for name, one in value.items()}
        return [self._heard(one) for one in value] if isinstance(value, list) else value


class Fake(Subject):
    """`bench.cloud`, with a clock that stands unless it is moved."""

    def __init__(self) -> None:
        super().__init__("fake")
        self.now_ms = 1_795_000_000_000
        self.account = Account(
            tables=(jobs_table("jobs"), TableDefinition("numbers", ("pk", "at"), INDEXES, numeric=("at",))),
            queues=(
                QueueDefinition("work", visibility_s=VISIBILITY_S, max_receives=MAX_RECEIVES, dlq="dead"),
                QueueDefinition("dead", visibility_s=VISIBILITY_S),
                QueueDefinition(
                    "work.fifo", fifo=True, visibility_s=VISIBILITY_S, max_receives=MAX_RECEIVES, dlq="dead.fifo"
                ),
                QueueDefinition("dead.fifo", fifo=True, visibility_s=VISIBILITY_S),
            ),
            buckets=(BucketDefinition("payloads"),),
            now_ms=lambda: self.now_ms,
            new_id=numbered_ids(),
        )
        queues = ("work", "dead", "work.fifo", "dead.fifo")
        self.words = {word: self.account.queues[name].url for word, name in zip(QUEUES, queues, strict=True)}
        self.words |= {f"{word}-ARN": self.account.queues[name].arn for word, name in zip(QUEUES, queues, strict=True)}
        self.words |= {"TABLE": "jobs", "NUMBERS": "numbers", "BUCKET": "payloads"}

    def wait(self, seconds: int) -> None:
        """Move the clock."""
        self.now_ms += seconds * 1_000

    def _call(self, service: str, operation: str, arguments: Any) -> Answer:
        return self.account.call(service, operation, arguments)


class Emulator(Subject):
    """An emulator behind botocore's clients, which check every request against AWS's model."""

    def __init__(self, name: str, client: Callable[[str], Any]) -> None:
        super().__init__(name)
        self._client = client
        self._number = next(_numbers)

    def wait(self, seconds: int) -> None:
        """Make what waits in moto's queues older; the clock of MiniStack, which is a server, can't be moved."""
        if self.name != "moto":
            raise NotImplementedError
        for queue in sqs_backends["123456789012"]["us-east-1"].queues.values():
            for message in queue._messages:
                message.sent_timestamp -= seconds * 1_000

    def _call(self, service: str, operation: str, arguments: Any) -> Answer:
        try:
            return dict(self._client(service)._make_api_call(operation, arguments))
        except ClientError:
            raise
        except Exception as error:  # noqa: BLE001 - moto runs in this process, and falls over in it
            return {"Error": type(error).__name__}

    def _meaning(self, word: str) -> str:
        """Made when it is first named: what a test does not name would take most of its time."""
        if word not in self.words:
            if word in ("TABLE", "NUMBERS"):
                self._create_table(word, *(("sk", "S") if word == "TABLE" else ("at", "N")))
            elif word == "BUCKET":
                self.words[word] = f"payloads-{self._number}"
                self._client("s3").create_bucket(Bucket=self.words[word])
            else:
                self._create_queues(fifo=word.startswith("FIFO"))
        return self.words[word]

    def _create_table(self, word: str, sort: str, kind: str) -> None:
        self.words[word] = f"{word.lower()}-{self._number}"
        strings = ["pk", *(name for index in INDEXES for name in index.keys)]
        self._client("dynamodb").create_table(
            TableName=self.words[word],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                *({"AttributeName": name, "AttributeType": "S"} for name in strings),
                {"AttributeName": sort, "AttributeType": kind},
            ],
            KeySchema=_schema(("pk", sort)),
            GlobalSecondaryIndexes=[
                {
                    "IndexName": index.name,
                    "KeySchema": _schema(index.keys),
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
                for index in INDEXES
            ],
        )

    def _create_queues(self, *, fifo: bool) -> None:
        work, dead, ending = ("FIFO", "FIFO-DLQ", ".fifo") if fifo else ("QUEUE", "DLQ", "")
        attributes = {"VisibilityTimeout": str(VISIBILITY_S), "MaximumMessageSize": "1048576"}
        attributes |= {"FifoQueue": "true"} if fifo else {}
        self._add_queue(dead, f"dead-{self._number}{ending}", attributes)
        policy = {"deadLetterTargetArn": self.words[f"{dead}-ARN"], "maxReceiveCount": str(MAX_RECEIVES)}
        self._add_queue(work, f"work-{self._number}{ending}", {**attributes, "RedrivePolicy": json.dumps(policy)})

    def _add_queue(self, word: str, name: str, attributes: dict[str, str]) -> None:
        sqs = self._client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.words |= {word: url, f"{word}-ARN": found["Attributes"]["QueueArn"]}


def _schema(keys: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=True)]
