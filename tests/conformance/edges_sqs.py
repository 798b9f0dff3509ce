"""Corners of SQS."""

from collections.abc import Callable
from typing import Any

from tests.conformance.edge import CLOCK, Edge, Request
from tests.conformance.subjects import Answer


def _sqs(operation: str, queue: str = "QUEUE", **arguments: Any) -> Request:
    return ("sqs", operation, {"QueueUrl": f"<{queue}>", **arguments})


def _on_receipt(operation: str, queue: str = "QUEUE", *, of: int = -1, **arguments: Any) -> Request:
    """A request about the message that answer number `of` handed out."""

    def made(answers: list[Answer]) -> dict[str, Any]:
        receipt = answers[of]["Messages"][0]["ReceiptHandle"]
        return {"QueueUrl": f"<{queue}>", "ReceiptHandle": receipt, **arguments}

    return ("sqs", operation, made)


def _receive(queue: str = "QUEUE", **arguments: Any) -> Request:
    return _sqs("ReceiveMessage", queue, AttributeNames=["All"], **arguments)


def _bodies(answer: Answer) -> Any:
    return " ".join(message["Body"] for message in answer.get("Messages", ())) or "nothing"


def _system(name: str) -> Callable[[Answer], Any]:
    return lambda answer: "there" if name in answer["Messages"][0]["Attributes"] else "absent"


def _depth(answer: Answer) -> Any:
    return answer["Attributes"]["ApproximateNumberOfMessages"]


_DEPTH = _sqs("GetQueueAttributes", AttributeNames=["ApproximateNumberOfMessages"])
_SEND = _sqs("SendMessage", MessageBody="x")


def _fifo(body: str = "x", group: str = "g", deduplication: str = "1") -> Request:
    return _sqs("SendMessage", "FIFO", MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication)


SQS = (
    Edge("an empty body", [_sqs("SendMessage", MessageBody="")]),
    Edge("a character that XML can't hold", [_sqs("SendMessage", MessageBody="\x00")]),
    Edge("a body of 1 MiB", [_sqs("SendMessage", MessageBody="x" * 1_048_576)]),
    Edge("a body of 1 MiB and a byte", [_sqs("SendMessage", MessageBody="x" * 1_048_577)]),
    Edge(
        "a batch of 1 MiB and a byte",
        [
            _sqs(
                "SendMessageBatch",
                Entries=[{"Id": "0", "MessageBody": "x" * 524_288}, {"Id": "1", "MessageBody": "x" * 524_289}],
            )
        ],
    ),
    Edge("a delay of 901 s", [_sqs("SendMessage", MessageBody="x", DelaySeconds=901)]),
    Edge(
        "eleven entries",
        [_sqs("SendMessageBatch", Entries=[{"Id": str(number), "MessageBody": "x"} for number in range(11)])],
    ),
    Edge("no entries", [_sqs("SendMessageBatch", Entries=[])]),
    Edge("no entries of a visibility batch", [_sqs("ChangeMessageVisibilityBatch", Entries=[])]),
    Edge("two entries of one id", [_sqs("SendMessageBatch", Entries=[{"Id": "0", "MessageBody": "x"}] * 2)]),
    Edge("eleven messages at once", [_receive(MaxNumberOfMessages=11)]),
    Edge("a receipt that is none", [_sqs("DeleteMessage", ReceiptHandle="none")]),
    Edge("a deletion again", [_SEND, _receive(), _on_receipt("DeleteMessage"), _on_receipt("DeleteMessage", of=1)]),
    Edge(
        "a deletion of a message that died since",
        [
            _SEND,
            _receive(VisibilityTimeout=0),
            _receive(VisibilityTimeout=0),
            _receive(),
            _on_receipt("DeleteMessage", of=2),
        ],
    ),
    Edge(
        "one receipt twice in a batch",
        [
            _SEND,
            _receive(),
            (
                "sqs",
                "DeleteMessageBatch",
                lambda answers: {
                    "QueueUrl": "<QUEUE>",
                    "Entries": [
                        {"Id": str(number), "ReceiptHandle": answers[-1]["Messages"][0]["ReceiptHandle"]}
                        for number in (0, 1)
                    ],
                },
            ),
        ],
        lambda answer: [one["Id"] for one in answer.get("Successful", ())],
    ),
    Edge(
        "a deletion by an old receipt",
        [
            _SEND,
            _receive(VisibilityTimeout=0),
            _receive(VisibilityTimeout=0),
            _on_receipt("DeleteMessage", of=1),
            _DEPTH,
        ],
        _depth,
    ),
    Edge(
        "the answer to a deletion by an old receipt",
        [_SEND, _receive(VisibilityTimeout=0), _receive(VisibilityTimeout=0), _on_receipt("DeleteMessage", of=1)],
    ),
    Edge(
        "a deletion after the visibility",
        [_SEND, _receive(VisibilityTimeout=0), _on_receipt("DeleteMessage"), _DEPTH],
        _depth,
    ),
    Edge(
        "a visibility of 43,201 s",
        [_SEND, _receive(), _on_receipt("ChangeMessageVisibility", VisibilityTimeout=43_201)],
    ),
    Edge(
        "the visibility of a message that was sent 13 hours ago",
        [
            _SEND,
            (CLOCK, str(13 * 3_600), {}),
            _receive(),
            _on_receipt("ChangeMessageVisibility", VisibilityTimeout=60),
        ],
    ),
    Edge(
        "the visibility of a visible message",
        [_SEND, _receive(VisibilityTimeout=0), _on_receipt("ChangeMessageVisibility", VisibilityTimeout=9)],
    ),
    Edge(
        "what became of a visible message",
        [
            _SEND,
            _receive(VisibilityTimeout=0),
            _on_receipt("ChangeMessageVisibility", VisibilityTimeout=9),
            _DEPTH,
        ],
        _depth,
    ),
    Edge(
        "the visibility by an old receipt",
        [
            _SEND,
            _receive(VisibilityTimeout=0),
            _receive(),
            _on_receipt("ChangeMessageVisibility", of=1, VisibilityTimeout=9),
        ],
    ),
    Edge(
        "the visibility of a deleted message",
        [
            _SEND,
            _receive(),
            _on_receipt("DeleteMessage"),
            _on_receipt("ChangeMessageVisibility", of=1, VisibilityTimeout=9),
        ],
    ),
    Edge(
        "a message received too often",
        [_SEND, _receive(VisibilityTimeout=0), _receive(VisibilityTimeout=0), _receive(), _receive("DLQ")],
        _bodies,
    ),
    Edge(
        "where a dead message came from",
        [_SEND, _receive(VisibilityTimeout=0), _receive(VisibilityTimeout=0), _receive(), _receive("DLQ")],
        _system("DeadLetterQueueSourceArn"),
    ),
    Edge("a task that moves messages", [("sqs", "StartMessageMoveTask", {"SourceArn": "<DLQ-ARN>"})]),
    Edge("a task from a queue that is no DLQ", [("sqs", "StartMessageMoveTask", {"SourceArn": "<QUEUE-ARN>"})]),
    Edge("the tasks of a queue", [("sqs", "ListMessageMoveTasks", {"SourceArn": "<DLQ-ARN>"})]),
    Edge(
        "a group on a standard queue",
        [_sqs("SendMessage", MessageBody="x", MessageGroupId="g"), _receive()],
        _system("MessageGroupId"),
    ),
    Edge("a deduplication id on a standard queue", [_sqs("SendMessage", MessageBody="x", MessageDeduplicationId="1")]),
    Edge("an unknown queue", [("sqs", "SendMessage", {"QueueUrl": "<QUEUE>x", "MessageBody": "x"})]),
    Edge("an unknown queue by its name", [("sqs", "GetQueueUrl", {"QueueName": "no-such-queue"})]),
    Edge("a purge", [_SEND, _sqs("PurgeQueue"), _DEPTH], _depth),
    Edge("a purge again", [_sqs("PurgeQueue"), _sqs("PurgeQueue")]),
    Edge("a FIFO message without a group", [_sqs("SendMessage", "FIFO", MessageBody="x", MessageDeduplicationId="1")]),
    Edge(
        "a FIFO message without a deduplication id", [_sqs("SendMessage", "FIFO", MessageBody="x", MessageGroupId="g")]
    ),
    Edge(
        "a FIFO message with a delay",
        [_sqs("SendMessage", "FIFO", MessageBody="x", MessageGroupId="g", MessageDeduplicationId="1", DelaySeconds=1)],
    ),
    Edge(
        "a group with a message in flight",
        [_fifo("x"), _fifo("y", deduplication="2"), _receive("FIFO"), _receive("FIFO")],
        _bodies,
    ),
    Edge("the next group", [_fifo("x"), _fifo("y", "h", "2"), _receive("FIFO"), _receive("FIFO")], _bodies),
    Edge(
        "a duplicate after the first was deleted",
        [_fifo("x"), _receive("FIFO"), _on_receipt("DeleteMessage", "FIFO"), _fifo("x"), _receive("FIFO")],
        _bodies,
    ),
    Edge(
        "two messages of a group that are visible again",
        [
            _fifo("x"),
            _fifo("y", deduplication="2"),
            _receive("FIFO", VisibilityTimeout=0, MaxNumberOfMessages=10),
            _receive("FIFO", MaxNumberOfMessages=10),
        ],
        _bodies,
    ),
    Edge(
        "a FIFO deletion after the visibility",
        [_fifo("x"), _receive("FIFO", VisibilityTimeout=0), _on_receipt("DeleteMessage", "FIFO")],
    ),
    Edge(
        "the deduplication id in a FIFO DLQ",
        [
            _fifo("x"),
            _receive("FIFO", VisibilityTimeout=0),
            _receive("FIFO", VisibilityTimeout=0),
            _receive("FIFO"),
            _receive("FIFO-DLQ"),
        ],
        lambda answer: (
            "the message's id"
            if answer["Messages"][0]["Attributes"]["MessageDeduplicationId"] == answer["Messages"][0]["MessageId"]
            else "kept"
        ),
    ),
)
