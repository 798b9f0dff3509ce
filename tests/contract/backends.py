"""What the contract suites run against, and what an emulator is known to get wrong."""

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import ParamValidationError
from botocore.model import OperationModel
from botocore.validate import ParamValidator

from tidemill.aws.clients import Clients
from tidemill.aws.sqs import SqsDeadLetters, SqsJobQueue
from tidemill.domain.message import Delivery
from tidemill.domain.ports import JobReader, JobStore
from tidemill.testing.clock import FrozenClock
from tidemill.testing.queue import MemoryQueues

# moto has no PartiQL that could be relied on: it ignores conditions and fails on parameters in INSERT, where
# AWS says "If the WHERE clause of the UPDATE statement does not evaluate to true ... ConditionalCheckFailedException
# is returned" (Developer Guide, "PartiQL update statements for DynamoDB"). So it is asked for single writes only.
NEVER = 1_000_000


@dataclass(frozen=True)
class Jobs:
    """One implementation of the jobs table. `client` and `table` are None in memory."""

    store: JobStore
    reader: JobReader
    client: Any = None
    table: str = ""


def create_jobs_table(client: Any, name: str) -> None:
    """The table that the construct `JobsTable` makes, as far as the adapters can see."""
    indexes = ("list", "attention", "due")
    names = ["pk", "sk", *(f"{index}_{part}" for index in indexes for part in ("pk", "sk"))]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": _keys(f"{index}_pk", f"{index}_sk"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for index in indexes
        ],
    )


def create_events_table(client: Any, name: str) -> None:
    """The table that the construct `EventsTable` makes, as far as the adapters can see."""
    names = ("pk", "sk", "streams_pk", "streams_sk")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "streams",
                "KeySchema": _keys("streams_pk", "streams_sk"),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )


def create_lines_table(client: Any, name: str) -> None:
    """The table that the construct `LinesTable` makes, as far as the adapters can see."""
    projections = {"groups": "ALL", "halted": "KEYS_ONLY"}
    names = ["pk", "sk", *(f"{index}_{part}" for index in projections for part in ("pk", "sk"))]
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute in names],
        KeySchema=_keys("pk", "sk"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": _keys(f"{index}_pk", f"{index}_sk"),
                "Projection": {"ProjectionType": projected},
            }
            for index, projected in projections.items()
        ],
    )


MAX_RECEIVES = 2
LANES = ("bulk", "mail")
FIFO_LANE = "orders"


class MemoryBackend:
    """Queues in memory, as a poller sees them."""

    def __init__(self) -> None:
        self.clock = FrozenClock()
        self.queue = self.dlq = MemoryQueues(
            self.clock, (*LANES, FIFO_LANE), MAX_RECEIVES, fifo={FIFO_LANE}, fifo_receives=MAX_RECEIVES
        )

    def put(self, lane: str, body: str) -> None:
        self.queue.put(lane, body)

    def receive(self, lane: str, limit: int = 10) -> list[Delivery]:
        return self.queue.receive(lane, limit)

    def delete(self, lane: str, receipt: str) -> None:
        self.queue.delete(lane, [receipt])

    def wait(self, span: timedelta) -> None:
        self.clock.advance(span)


class SqsBackend:
    """Queues of SQS or of what stands for it, as Lambda's poller sees them."""

    def __init__(self, client: Any, prefix: str) -> None:
        self.client = client
        self.urls: dict[str, str] = {}
        self.dlq_urls: dict[str, str] = {}
        for lane in LANES:
            self._create(prefix, lane)
        self._create(prefix, FIFO_LANE, ".fifo", {"FifoQueue": "true", "DeduplicationScope": "messageGroup"})
        self.queue = SqsJobQueue(client, self.urls)
        self.dlq = SqsDeadLetters(client, self.urls, self.dlq_urls)

    def put(self, lane: str, body: str) -> None:
        self.client.send_message(QueueUrl=self.urls[lane], MessageBody=body)

    def receive(self, lane: str, limit: int = 10) -> list[Delivery]:
        found: list[Delivery] = []
        while len(found) < limit and (messages := self.messages(self.urls[lane], min(10, limit - len(found)))):
            found += [
                Delivery(
                    message["MessageId"],
                    message["ReceiptHandle"],
                    message["Body"],
                    int(message["Attributes"]["SentTimestamp"]),
                    int(message["Attributes"]["ApproximateReceiveCount"]),
                )
                for message in messages
            ]
        return found

    def messages(self, url: str, limit: int = 10) -> list[dict[str, Any]]:
        answer = self.client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=limit, AttributeNames=["All"], MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])

    def delete(self, lane: str, receipt: str) -> None:
        self.client.delete_message(QueueUrl=self.urls[lane], ReceiptHandle=receipt)

    def wait(self, span: timedelta) -> None:
        time.sleep(span.total_seconds())

    def _create(self, prefix: str, lane: str, suffix: str = "", more: dict[str, str] | None = None) -> None:
        more = more or {}
        dlq = self.client.create_queue(QueueName=f"{prefix}-{lane}-dlq{suffix}", Attributes=more)["QueueUrl"]
        arn = self.client.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": str(MAX_RECEIVES)})
        attributes = {"RedrivePolicy": policy, "VisibilityTimeout": "360", "MaximumMessageSize": "1048576", **more}
        name = f"{prefix}-{lane}{suffix}"
        self.urls[lane] = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.dlq_urls[lane] = dlq


def clients_for(endpoint: str | None) -> Clients:
    """Clients that check every request against AWS's own model, which those that ship leave out."""
    clients = Clients("us-east-1", endpoint)
    for client in (clients.dynamodb, clients.sqs, clients.s3):
        client.meta.events.register("provide-client-params", _check_request)
    return clients


def _check_request(params: dict[str, Any], model: OperationModel, **_: object) -> None:
    report = ParamValidator().validate(params, model.input_shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [{"AttributeName": partition, "KeyType": "HASH"}, {"AttributeName": sort, "KeyType": "RANGE"}]
