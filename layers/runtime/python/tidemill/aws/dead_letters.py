"""The lanes' dead-letter queues in SQS. See `tidemill.domain.ports.DeadLetterQueue`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for
from tidemill.aws.fifo import in_waves, is_fifo
from tidemill.aws.queue_walk import MAX_MET, MESSAGES_PER_CALL, QueueWalk
from tidemill.domain.errors import UnavailableError
from tidemill.domain.message import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef, SendMessageBatchRequestEntryTypeDef

# API Reference, StartMessageMoveTask: MaxNumberOfMessagesPerSecond is at most 500.
MAX_MOVE_RATE: Final = 500
# What answers that there is no such call: a local cloud, or a queue that the call does not take.
_NO_SUCH_CALL: Final = frozenset(
    {
        "InvalidAction",
        "UnknownOperationException",
        "UnsupportedOperation",
        "AWS.SimpleQueueService.UnsupportedOperation",
    }
)
# "Only one active message movement task is supported per queue at any given time" (the same page): SQS says so in
# the text of an error about a parameter.
_RUNNING: Final = "already a task running"


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
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        return sum(map(int, self._attributes("depth", self._dlq_urls[lane], names).values()))

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

    def move(
        self, lane: str, chosen: Callable[[Delivery], bool], step: Callable[[], int], search: int = MAX_MET
    ) -> Iterator[list[Delivery]]:
        """See DeadLetterQueue. A message whose deletion failed is in both queues; the engine runs it once.

        While `step` waits, no message is kept from others but those that were looked at and not chosen.

        Raises:
            UnavailableError: SQS did not answer; what was moved before stays moved.
        """
        walk = QueueWalk(self._client, self._dlq_urls[lane])
        try:
            while room := step():
                found = self._next(walk, chosen, room, search)
                if not found:
                    return
                walk.show(found[room:])
                moved = self._send(self._urls[lane], found[:room])
                walk.delete(moved)
                if moved:
                    yield [_delivery(message) for message in moved]
        finally:
            walk.end()

    def purge(self, lane: str, chosen: Callable[[Delivery], bool], limit: int, search: int = MAX_MET) -> list[Delivery]:
        """See DeadLetterQueue. One whose deletion failed is not answered.

        Raises:
            UnavailableError: SQS did not answer; what was deleted before is gone.
        """
        walk = QueueWalk(self._client, self._dlq_urls[lane])
        gone: list[Delivery] = []
        try:
            while len(gone) < limit and (found := self._next(walk, chosen, MESSAGES_PER_CALL, search)):
                gone += map(_delivery, walk.delete(found[: limit - len(gone)]))
        finally:
            walk.end()
        return gone

    def start_move(self, lane: str, rate: int | None) -> bool:
        """See DeadLetterQueue: StartMessageMoveTask. A rate over 500 is 500."""
        arguments: dict[str, Any] = {
            "SourceArn": self._arn(self._dlq_urls[lane]),
            # Named, because SQS knows the source only of messages that its own redrive policy moved here.
            "DestinationArn": self._arn(self._urls[lane]),
        }
        if rate is not None:
            arguments["MaxNumberOfMessagesPerSecond"] = min(rate, MAX_MOVE_RATE)
        try:
            self._client.start_message_move_task(**arguments)
        except NotImplementedError:
            # An SQS in this process, which tests run against, has no such call.
            return False
        except AwsError as error:
            if code_of(error) in _NO_SUCH_CALL:
                return False
            if _RUNNING in str(error):
                raise UnavailableError("start_move", "MoveTaskRunning") from error
            raise_for("start_move", error)
        return True

    def _next(
        self, walk: QueueWalk, chosen: Callable[[Delivery], bool], room: int, search: int
    ) -> list[MessageTypeDef]:
        """The next messages of the walk that are chosen; none at its end."""
        # No more than may go, so that nothing has to be shown again; but those that are rare are looked for faster.
        size = room
        while walk.looked_at < search:
            messages = walk.receive(min(size, MESSAGES_PER_CALL, search - walk.looked_at))
            if not messages:
                break
            if found := [message for message in messages if chosen(_delivery(message))]:
                return found
            size = MESSAGES_PER_CALL
        return []

    def _arn(self, url: str) -> str:
        return self._attributes("start_move", url, ["QueueArn"])["QueueArn"]

    def _attributes(self, operation: str, url: str, names: Sequence[Any]) -> Mapping[str, str]:
        try:
            answer = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        except AwsError as error:
            raise_for(operation, error)
        return answer["Attributes"]  # type: ignore[return-value]  # the stubs type the names, not strings

    def _send(self, url: str, messages: Sequence[MessageTypeDef]) -> list[MessageTypeDef]:
        """Send the same bodies, and answer the messages that SQS took: of a group none after one that it refused."""
        entries = [_again(index, message) for index, message in enumerate(messages)]
        taken: list[MessageTypeDef] = []
        stuck: set[str] = set()
        for wave in in_waves(entries) if is_fifo(url) else [entries]:
            able = [entry for entry in wave if entry.get("MessageGroupId") not in stuck]
            ids = self._send_batch(url, able) if able else set()
            taken += [messages[int(entry["Id"])] for entry in able if entry["Id"] in ids]
            stuck |= {entry["MessageGroupId"] for entry in able if is_fifo(url) and entry["Id"] not in ids}
        return taken

    def _send_batch(self, url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]) -> set[str]:
        """The ids of the entries that SQS took."""
        try:
            answer = self._client.send_message_batch(QueueUrl=url, Entries=entries)
        except AwsError as error:
            raise_for("move", error)
        return {entry["Id"] for entry in answer.get("Successful", ())}


def _again(index: int, message: MessageTypeDef) -> SendMessageBatchRequestEntryTypeDef:
    """The entry that sends a message once more, as it was sent at first."""
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(index), "MessageBody": message["Body"]}
    attributes = message.get("Attributes", {})
    group = attributes.get("MessageGroupId")
    if group:
        entry["MessageGroupId"] = group
    if "MessageDeduplicationId" in attributes:
        # A FIFO queue. Under the id that the message was sent with, a job that died within five minutes would be
        # swallowed as a repeat; its message in the DLQ has one of its own, equal if this move is tried again.
        entry["MessageDeduplicationId"] = message["MessageId"]
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
