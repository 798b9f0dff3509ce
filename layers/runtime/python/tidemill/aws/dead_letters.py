"""The lanes' dead-letter queues in SQS. See `tidemill.domain.ports.DeadLetterQueue`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tidemill.aws.errors import AwsError, raise_for
from tidemill.aws.queue_walk import MAX_MET, MESSAGES_PER_CALL, QueueWalk
from tidemill.domain.message import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef


class SqsDeadLetters:
    """`DeadLetterQueue` on the DLQ of each lane.

    Arguments:
        queue_urls: the queue of each lane, where messages go back to.
        dlq_urls: its DLQ.
    """

    def __init__(self, client: SQSClient, queue_urls: Mapping[str, str], dlq_urls: Mapping[str, str]) -> None:
        self._client = client
        self._urls = queue_urls
        self._dlq_urls = dlq_urls

    def depth(self, lane: str) -> int:
        """See DeadLetterQueue. Messages that somebody looks at right now count too.

        Raises:
            UnavailableError: SQS did not answer.
        """
        attributes = self._attributes(
            "depth", lane, ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        )
        return sum(map(int, attributes.values()))

    def peek(self, lane: str, limit: int) -> list[Delivery]:
        """See DeadLetterQueue. They are hidden while the walk lasts.

        Raises:
            UnavailableError: SQS did not answer.
        """
        walk = QueueWalk(self._client, self._dlq_urls[lane])
        try:
            while len(walk.met) < limit and walk.receive(limit - len(walk.met)):
                pass
        finally:
            walk.end()
        return [_delivery(message) for message in walk.met.values()]

    def move(self, lane: str, chosen: Callable[[Delivery], bool], limit: int, search: int = MAX_MET) -> list[Delivery]:
        """See DeadLetterQueue. A message whose deletion failed is in both queues; the engine runs it once.

        Raises:
            UnavailableError: SQS did not answer; what was moved before stays moved.
        """
        walk = QueueWalk(self._client, self._dlq_urls[lane])
        moved: list[Delivery] = []
        looked_at = 0
        try:
            while len(moved) < limit and looked_at < search:
                messages = walk.receive(min(MESSAGES_PER_CALL, search - looked_at))
                if not messages:
                    break
                looked_at += len(messages)
                wanted = [message for message in messages if chosen(_delivery(message))]
                sent = self._send(self._urls[lane], wanted[: limit - len(moved)])
                moved += [_delivery(message) for message in sent]
                walk.delete(sent)
        finally:
            walk.end()
        return moved

    def _attributes(self, operation: str, lane: str, names: Sequence[Any]) -> Mapping[str, str]:
        try:
            answer = self._client.get_queue_attributes(QueueUrl=self._dlq_urls[lane], AttributeNames=names)
        except AwsError as error:
            raise_for(operation, error)
        return answer["Attributes"]  # type: ignore[return-value]  # the stubs type the names, not strings

    def _send(self, url: str, messages: Sequence[MessageTypeDef]) -> list[MessageTypeDef]:
        """Send the same bodies, and answer the messages that SQS took."""
        if not messages:
            return []
        entries = [_again(index, message) for index, message in enumerate(messages)]
        try:
            answer = self._client.send_message_batch(QueueUrl=url, Entries=entries)
        except AwsError as error:
            raise_for("move", error)
        return [messages[int(entry["Id"])] for entry in answer.get("Successful", ())]


def _again(index: int, message: MessageTypeDef) -> SendMessageBatchRequestEntryTypeDef:
    """The entry that sends a message once more, as it was sent at first."""
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(index), "MessageBody": message["Body"]}
    group = message.get("Attributes", {}).get("MessageGroupId")
    if group:
        entry["MessageGroupId"] = group
    if "MessageAttributes" in message:
        entry["MessageAttributes"] = message["MessageAttributes"]  # a message of another system may lean on them
    return entry


def _delivery(message: MessageTypeDef) -> Delivery:
    attributes = message["Attributes"]
    return Delivery(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent_at=int(attributes["SentTimestamp"]),
        receives=int(attributes["ApproximateReceiveCount"]),
    )
