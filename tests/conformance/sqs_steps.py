"""Random requests to SQS: one standard queue and one FIFO queue, each with its DLQ."""

from typing import Any

from hypothesis import strategies as st

from bench.cloud.queue import Queue
from tests.conformance.subjects import Answer, Fake, Subject

# An operation, its queue, and what it needs; receipts are named by body and by which of its receives gave them.
Step = tuple[str, str, dict[str, Any]]

STANDARD = ("QUEUE", "DLQ")
FIFO = ("FIFO", "FIFO-DLQ")
BODIES = ("a", "b", "c")
_SYSTEM = ("ApproximateReceiveCount", "DeadLetterQueueSourceArn", "MessageDeduplicationId", "MessageGroupId")
_DEPTHS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


def _sends(*, fifo: bool) -> st.SearchStrategy[dict[str, Any]]:
    if fifo:
        return st.fixed_dictionaries(
            {
                "MessageBody": st.sampled_from(BODIES),
                "MessageGroupId": st.sampled_from(["g", "h"]),
                "MessageDeduplicationId": st.sampled_from([str(number) for number in range(12)]),
            }
        )
    return st.fixed_dictionaries(
        {"MessageBody": st.sampled_from(BODIES)},
        optional={"MessageGroupId": st.just("acme"), "DelaySeconds": st.sampled_from([0, 600])},
    )


_receipts = st.fixed_dictionaries({"body": st.sampled_from(BODIES), "receive": st.sampled_from([-1, -1, -1, 0])})
_visibilities = st.sampled_from([0, 0, 200, 43_201])


def sequences(queues: tuple[str, str]) -> st.SearchStrategy[list[Step]]:
    """Sequences on one queue and its DLQ."""
    work, dead = queues
    either = st.sampled_from([work, work, dead])

    def steps(operation: str, queue: Any, arguments: Any) -> st.SearchStrategy[Step]:
        return st.tuples(st.just(operation), queue, arguments)

    sends = _sends(fifo=work == "FIFO")
    receives = st.fixed_dictionaries({}, optional={"VisibilityTimeout": st.sampled_from([0, 0, 100])})
    some_sends = st.lists(sends, min_size=1, max_size=3)
    # A queue that holds something, most of it in flight: else half of the steps would meet nothing.
    beginning = st.tuples(
        steps("SendMessageBatch", st.just(work), some_sends), steps("ReceiveMessage", st.just(work), receives)
    )
    rest = st.lists(
        st.one_of(
            steps("SendMessage", st.just(work), sends),
            steps("SendMessageBatch", st.just(work), some_sends),
            steps("ReceiveMessage", st.just(work), receives),
            steps("ReceiveMessage", either, receives),
            steps("DeleteMessage", either, _receipts),
            steps("ChangeMessageVisibility", either, st.tuples(_receipts, _visibilities)),
            steps("DeleteMessageBatch", either, st.lists(_receipts, min_size=1, max_size=2)),
            steps("ChangeMessageVisibilityBatch", either, st.lists(st.tuples(_receipts, _visibilities), max_size=2)),
            steps("GetQueueAttributes", either, st.just({})),
        ),
        max_size=10,
    )
    return st.builds(lambda first, others: [*first, *others], beginning, rest)


class Talk:
    """One sequence in one place; it remembers the receipts that it got, by queue and body."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._receipts: dict[tuple[str, str], list[str]] = {}
        self._sent: set[str] = set()
        self._deduplications: set[str] = set()

    def answer(self, step: Step) -> Answer:
        """Do one step; of ids only whether they were seen before is answered."""
        operation, queue, given = step
        request = {"QueueUrl": f"<{queue}>", **self._request(operation, queue, given)}
        if "ReceiptHandle" in request and request["ReceiptHandle"] is None:
            return {"skipped": "no such receipt"}
        if any(entry.get("ReceiptHandle", "") is None for entry in request.get("Entries", ())):
            return {"skipped": "no such receipt"}
        return self._plain(operation, queue, self._subject.run("sqs", operation, request))

    def touched(self, fake: Fake, step: Step) -> set[str]:
        """The edges that the next step comes near, by their names; asked of the talk with the fake, before the step."""
        operation, queue, given = step
        if operation == "ReceiveMessage":
            near = {"where a dead message came from", "the deduplication id in a FIFO DLQ"} if "DLQ" in queue else set()
            return near | ({"two messages of a group that are visible again"} if _again(fake, queue) else set())
        if operation.startswith("SendMessage"):
            ids = {one.get("MessageDeduplicationId") for one in (given if isinstance(given, list) else [given])} - {
                None
            }
            there = {message.deduplication for message in _queue(fake, queue).messages.values()}
            again = ids & (self._deduplications - there)
            self._deduplications |= ids
            return {"a duplicate after the first was deleted"} if again else set()
        if operation == "ChangeMessageVisibilityBatch" and not given:
            return {"no entries of a visibility batch"}
        entries = given if isinstance(given, list) else [given]
        receipts = [one[0] if isinstance(one, tuple) else one for one in entries if one]
        near = {name for one in receipts for name in self._near(fake, operation, queue, self._receipt(queue, one))}
        held = [self._receipt(queue, one) for one in receipts]
        if len(set(held)) != len(held):
            near.add("one receipt twice in a batch")
        if any(isinstance(one, tuple) and one[1] > 43_200 for one in entries):
            near.add("a visibility of 43,201 s")
        return near

    def _near(self, fake: Fake, operation: str, queue: str, receipt: str | None) -> set[str]:
        """What the fake knows about the message of a receipt."""
        if receipt is None:
            return set()
        message = _queue(fake, queue).messages.get(receipt.partition("/")[0])
        deletes = operation.startswith("Delete")
        if message is None:
            return (
                {"a deletion again", "a deletion of a message that died since"}
                if deletes
                else {"the visibility of a deleted message"}
            )
        if message.receipt != receipt:
            answer = {"the answer to a deletion by an old receipt", "a deletion by an old receipt"}
            near = answer if deletes else {"the visibility by an old receipt"}
        else:
            near = set()
        if message.visible_ms <= fake.now_ms:
            near.add("a FIFO deletion after the visibility" if deletes else "what became of a visible message")
        return near

    def _request(self, operation: str, queue: str, given: Any) -> dict[str, Any]:
        single = operation.removesuffix("Batch")
        if operation != single:
            return {"Entries": [{"Id": str(i), **self._request(single, queue, one)} for i, one in enumerate(given)]}
        match operation:
            case "ReceiveMessage":
                return {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], **given}
            case "DeleteMessage":
                return {"ReceiptHandle": self._receipt(queue, given)}
            case "ChangeMessageVisibility":
                return {"ReceiptHandle": self._receipt(queue, given[0]), "VisibilityTimeout": given[1]}
            case "GetQueueAttributes":
                return {"AttributeNames": list(_DEPTHS)}
        return dict(given)

    def _receipt(self, queue: str, wanted: dict[str, Any]) -> str | None:
        got = self._receipts.get((queue, wanted["body"]))
        return got[wanted["receive"]] if got else None

    def _plain(self, operation: str, queue: str, answer: Answer) -> Answer:
        if "Error" in answer:
            return {"Error": answer["Error"]}
        if operation == "ReceiveMessage":
            messages = [self._message(queue, one) for one in answer.get("Messages", ())]
            # A standard queue promises no order.
            return {"Messages": messages if queue in FIFO else sorted(messages, key=repr)}
        if operation.startswith("SendMessage"):
            done = answer.get("Successful", [answer] if "MessageId" in answer else [])
            self._sent |= {one["MessageId"] for one in done}
            return {"Sent": len(done), "Failed": _failed(answer)}
        if operation == "GetQueueAttributes":
            return answer
        return {"Done": [one["Id"] for one in answer.get("Successful", ())], "Failed": _failed(answer)}

    def _message(self, queue: str, message: Answer) -> Answer:
        self._receipts.setdefault((queue, message["Body"]), []).append(message["ReceiptHandle"])
        system = {name: message["Attributes"][name] for name in _SYSTEM if name in message["Attributes"]}
        ids = ("MessageDeduplicationId",) if system.get("MessageDeduplicationId") == message["MessageId"] else ()
        system |= dict.fromkeys(ids, "the message's id")
        return {
            "known": message["MessageId"] in self._sent,
            "Body": message["Body"],
            "MD5OfBody": message["MD5OfBody"],
            **system,
        }


def _again(fake: Fake, word: str) -> bool:
    """Whether two messages of one group were handed out and are visible again."""
    if word not in FIFO:
        return False
    messages = _queue(fake, word).messages.values()
    groups = [one.group for one in messages if one.receives and one.visible_ms <= fake.now_ms]
    return len(set(groups)) < len(groups)


def _queue(fake: Fake, word: str) -> Queue:
    return fake.account.queues[fake.words[word].rpartition("/")[2]]


def _failed(answer: Answer) -> list[Any]:
    return [(one["Id"], one["Code"], one["SenderFault"]) for one in answer.get("Failed", ())]
