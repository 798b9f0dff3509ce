"""A walk through a queue: each message received once, hidden while the walk lasts, shown again at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tidemill.aws.errors import AwsError, raise_for
from tidemill.aws.patience import in_chunks

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

# API Reference, ReceiveMessage, DeleteMessageBatch and ChangeMessageVisibilityBatch: at most ten messages.
MESSAGES_PER_CALL: Final = 10
# Long enough to walk through thousands of messages without meeting one twice, short enough that a walk which
# died in the middle does not hide them from the next one for long.
HIDDEN_S: Final = 60
# A short poll asks some of SQS's servers only, and may miss what the others hold (Developer Guide, "Amazon SQS
# short and long polling"). Three empty answers in a row are taken for an empty queue.
EMPTY_POLLS: Final = 3
# A person waits for the walk, and hidden messages count towards the 120,000 that a queue holds in flight.
MAX_MET: Final = 10_000


class QueueWalk:
    """One walk through the queue at `url`.

    Attributes:
        met: the messages that were received and not deleted, by id, in the order of the walk.
        looked_at: how many it has met so far.
    """

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url
        self.looked_at = 0
        self.met: dict[str, MessageTypeDef] = {}

    def receive(self, limit: int) -> list[MessageTypeDef]:
        """Up to `limit` messages that this walk has not met yet; none at its end.

        Raises:
            UnavailableError: SQS did not answer.
        """
        for _ in range(EMPTY_POLLS):
            if self.looked_at >= MAX_MET:
                break
            received = self._receive(min(limit, MESSAGES_PER_CALL))
            fresh = [message for message in received if message["MessageId"] not in self.met]
            # One that comes again has a new receipt, which alone can show it.
            self.met.update({message["MessageId"]: message for message in received})
            self.looked_at += len(fresh)
            if fresh:
                return fresh
        return []

    def delete(self, messages: Sequence[MessageTypeDef]) -> list[MessageTypeDef]:
        """Delete messages of this walk; answers those that are gone. One that is not is shown again at the end.

        Raises:
            UnavailableError: SQS did not answer.
        """
        gone: list[MessageTypeDef] = []
        for chunk in in_chunks(messages, MESSAGES_PER_CALL):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]} for index, message in enumerate(chunk)
            ]
            try:
                answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]
            except AwsError as error:
                raise_for("delete", error)
            gone += [chunk[int(entry["Id"])] for entry in answer.get("Successful", ())]
        for message in gone:
            del self.met[message["MessageId"]]
        return gone

    def show(self, messages: Sequence[MessageTypeDef]) -> None:
        """Show messages of this walk to everybody; the walk will meet them again."""
        self._show(messages)
        for message in messages:
            del self.met[message["MessageId"]]

    def end(self) -> None:
        """Show what was met and not deleted."""
        self._show(list(self.met.values()))

    def _show(self, messages: Sequence[MessageTypeDef]) -> None:
        """A failure is harmless: they show themselves after `HIDDEN_S`."""
        for chunk in in_chunks(messages, MESSAGES_PER_CALL):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 0}
                for index, message in enumerate(chunk)
            ]
            try:
                self._client.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]
            except AwsError:
                return

    def _receive(self, limit: int) -> list[MessageTypeDef]:
        try:
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=limit,
                VisibilityTimeout=HIDDEN_S,
                WaitTimeSeconds=0,
                MessageSystemAttributeNames=[
                    "SentTimestamp",
                    "ApproximateReceiveCount",
                    "MessageGroupId",
                    "MessageDeduplicationId",
                ],
                MessageAttributeNames=["All"],
            )
        except AwsError as error:
            raise_for("receive", error)
        return list(answer.get("Messages", ()))
