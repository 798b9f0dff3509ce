"""The DLQ adapter when SQS fails in the middle: nothing is lost, and nothing stays hidden."""

import pytest
from botocore.exceptions import ClientError

from tests.builders import moved
from tests.unit.aws.stub import Wire, error
from tidemill.aws.queue_walk import EMPTY_POLLS, HIDDEN_S
from tidemill.aws.sqs import SqsDeadLetters
from tidemill.domain.errors import UnavailableError

URLS = {"bulk": "https://sqs/bulk", "orders": "https://sqs/orders.fifo"}
DLQ_URLS = {"bulk": "https://sqs/bulk-dlq", "orders": "https://sqs/orders-dlq.fifo"}
ATTRIBUTES = {"SentTimestamp": "1800000000000", "ApproximateReceiveCount": "6", "MessageGroupId": "acme"}
SERVED_BY = {
    "ReceiveMessage": "receive",
    "SendMessageBatch": "send",
    "DeleteMessageBatch": "delete",
    "ChangeMessageVisibilityBatch": "show",
}


class Sqs:
    """A DLQ of `count` messages that receives as short polls do, and fails where it is told to."""

    def __init__(self, count, **failures):
        self.there = {f"m{number}": f"body {number}" for number in range(count)}
        self.hidden, self.sent, self.calls, self.failures = {}, [], [], failures
        self.dead_letters = SqsDeadLetters(Wire(serve=self._serve).sqs, URLS, DLQ_URLS)

    def _serve(self, operation, body):
        self.calls.append((operation, body))
        failure = self.failures.get(operation)
        return failure if isinstance(failure, dict) else getattr(self, SERVED_BY[operation])(body, failure or ())

    def receive(self, body, _):
        fresh = [one for one in self.there if one not in self.hidden][: body["MaxNumberOfMessages"]]
        self.hidden.update(dict.fromkeys(fresh, body["VisibilityTimeout"]))
        return {
            "Messages": [
                {"MessageId": one, "ReceiptHandle": f"r-{one}", "Body": self.there[one], "Attributes": ATTRIBUTES}
                for one in fresh
            ]
        }

    def send(self, body, refused):
        taken = [entry for entry in body["Entries"] if entry["MessageBody"] not in refused]
        self.sent += [(body["QueueUrl"], entry["MessageBody"], entry["MessageGroupId"]) for entry in taken]
        failed = [entry for entry in body["Entries"] if entry not in taken]
        return {
            "Successful": [{"Id": entry["Id"], "MessageId": "new"} for entry in taken],
            "Failed": [{"Id": entry["Id"], "Code": "InternalError"} for entry in failed],
        }

    def delete(self, body, refused):
        taken = [entry for entry in body["Entries"] if entry["ReceiptHandle"] not in refused]
        for entry in taken:
            del self.there[entry["ReceiptHandle"].removeprefix("r-")]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken]}

    def show(self, body, _):
        for entry in body["Entries"]:
            assert entry["VisibilityTimeout"] == 0
            del self.hidden[entry["ReceiptHandle"].removeprefix("r-")]
        return {}

    @property
    def operations(self):
        return [name for name, _ in self.calls]

    @property
    def still_hidden(self):
        return set(self.hidden) & set(self.there)


def everything(_):
    return True


def test_sent_before_deleted_with_the_same_group():
    sqs = Sqs(2)

    assert len(moved(sqs.dead_letters, "bulk", everything, 10)) == 2

    assert sqs.operations.index("SendMessageBatch") < sqs.operations.index("DeleteMessageBatch")
    assert sqs.sent == [(URLS["bulk"], "body 0", "acme"), (URLS["bulk"], "body 1", "acme")]
    assert sqs.there == {}


def test_what_the_queue_did_not_take_stays_and_is_shown():
    sqs = Sqs(5, SendMessageBatch={"body 1", "body 3"})

    gone = moved(sqs.dead_letters, "bulk", everything, 10)

    assert [one.body for one in gone] == ["body 0", "body 2", "body 4"]
    assert set(sqs.there.values()) == {"body 1", "body 3"}
    assert sqs.still_hidden == set()


def test_nothing_overtakes_what_the_queue_of_a_fifo_lane_did_not_take():
    sqs = Sqs(5, SendMessageBatch={"body 2"})

    gone = moved(sqs.dead_letters, "orders", everything, 10)

    assert [one.body for one in gone] == ["body 0", "body 1"]
    assert set(sqs.there.values()) == {"body 2", "body 3", "body 4"}
    assert sqs.still_hidden == set()


@pytest.mark.parametrize("operation", ["SendMessageBatch", "DeleteMessageBatch"])
def test_a_call_that_fails_is_told_and_hides_nothing(operation):
    sqs = Sqs(15, **{operation: error("InternalFailure", 500)})

    with pytest.raises(UnavailableError):
        moved(sqs.dead_letters, "bulk", everything, 20)

    assert len(sqs.there) == 15
    assert sqs.still_hidden == set()


def test_a_message_that_was_sent_and_not_deleted_is_shown_again():
    """It is in both queues: the record's fence runs it once."""
    sqs = Sqs(3, DeleteMessageBatch={"r-m1"})

    assert len(moved(sqs.dead_letters, "bulk", everything, 10)) == 3

    assert list(sqs.there) == ["m1"]
    assert sqs.still_hidden == set()


def test_a_limit_is_kept_within_one_receive():
    sqs = Sqs(10)

    assert len(moved(sqs.dead_letters, "bulk", everything, 4)) == 4

    assert (len(sqs.sent), len(sqs.there), sqs.still_hidden) == (4, 6, set())


def test_a_peek_asks_for_no_more_than_it_wants_and_hides_shortly():
    sqs = Sqs(30)

    assert len(sqs.dead_letters.peek("bulk", 12)) == 12

    receives = [body for name, body in sqs.calls if name == "ReceiveMessage"]
    assert [body["MaxNumberOfMessages"] for body in receives] == [10, 2]
    assert {body["VisibilityTimeout"] for body in receives} == {HIDDEN_S}
    assert {body["WaitTimeSeconds"] for body in receives} == {0}
    assert sqs.still_hidden == set()


def test_a_peek_says_what_the_message_is():
    (seen,) = Sqs(1).dead_letters.peek("bulk", 5)

    assert (seen.message_id, seen.body, seen.sent_at, seen.receives) == ("m0", "body 0", 1_800_000_000_000, 6)


def test_an_empty_answer_is_asked_again_before_the_queue_is_taken_for_empty():
    sqs = Sqs(0)

    assert sqs.dead_letters.peek("bulk", 5) == []
    assert sqs.operations == ["ReceiveMessage"] * 3


def test_a_receive_that_fails_is_told():
    sqs = Sqs(1, ReceiveMessage=error("OverLimit", 403))

    with pytest.raises(UnavailableError, match="OverLimit"):
        sqs.dead_letters.peek("bulk", 5)


def test_messages_that_come_round_again_end_the_walk(monkeypatch):
    """Their hiding ended while the walk went on."""
    sqs = Sqs(5)
    monkeypatch.setattr(sqs, "hidden", type("Forgetful", (dict,), {"update": lambda self, _: None})())
    monkeypatch.setattr(sqs, "show", lambda body, _: {})

    assert len(sqs.dead_letters.peek("bulk", 50)) == 5
    assert sqs.operations.count("ReceiveMessage") == 1 + EMPTY_POLLS


def test_depth_counts_what_is_being_looked_at():
    wire = Wire(
        {"Attributes": {"ApproximateNumberOfMessages": "7", "ApproximateNumberOfMessagesNotVisible": "2"}},
        error("RequestThrottled"),
    )
    dead_letters = SqsDeadLetters(wire.sqs, URLS, DLQ_URLS)

    assert dead_letters.depth("bulk") == 9
    with pytest.raises(UnavailableError):
        dead_letters.depth("bulk")


# --- a move by SQS itself -------------------------------------------------------------------------------------


def arns():
    """The answers to the questions for the ARNs of DLQ and queue."""
    return [{"Attributes": {"QueueArn": f"arn:aws:sqs:x:1:{name}"}} for name in ("bulk-dlq", "bulk")]


@pytest.mark.parametrize(("rate", "asked"), [(None, {}), (20, 20), (900, 500)])
def test_sqs_is_asked_to_move_everything_to_the_lane_s_own_queue(rate, asked):
    wire = Wire(*arns(), {"TaskHandle": "h"})

    assert SqsDeadLetters(wire.sqs, URLS, DLQ_URLS).start_move("bulk", rate) is True

    operation, body = wire.requests[-1]
    assert operation == "StartMessageMoveTask"
    limit = {"MaxNumberOfMessagesPerSecond": asked} if asked else {}
    assert body == {"SourceArn": "arn:aws:sqs:x:1:bulk-dlq", "DestinationArn": "arn:aws:sqs:x:1:bulk", **limit}


@pytest.mark.parametrize(
    "code", ["InvalidAction", "UnknownOperationException", "AWS.SimpleQueueService.UnsupportedOperation"]
)
def test_an_sqs_without_the_call_says_so(code):
    assert SqsDeadLetters(Wire(*arns(), error(code)).sqs, URLS, DLQ_URLS).start_move("bulk", None) is False


def test_a_move_that_is_under_way_is_to_be_waited_for():
    running = error(
        "InvalidParameterValue", message="There is already a task running. Only one active task is allowed."
    )
    dead_letters = SqsDeadLetters(Wire(*arns(), running).sqs, URLS, DLQ_URLS)

    with pytest.raises(UnavailableError, match="MoveTaskRunning"):
        dead_letters.start_move("bulk", None)


def test_a_missing_right_to_move_is_no_reason_to_move_otherwise():
    dead_letters = SqsDeadLetters(Wire(*arns(), error("AccessDenied", 403)).sqs, URLS, DLQ_URLS)

    with pytest.raises(ClientError, match="AccessDenied"):
        dead_letters.start_move("bulk", None)


def test_a_fifo_message_is_no_repeat_of_the_one_that_died(monkeypatch):
    """Sent under the first one's id within five minutes, SQS would swallow it."""
    monkeypatch.setitem(ATTRIBUTES, "MessageDeduplicationId", "the send's id")
    sqs = Sqs(1)

    moved(sqs.dead_letters, "bulk", everything, 1)

    (entry,) = next(body["Entries"] for name, body in sqs.calls if name == "SendMessageBatch")
    assert entry["MessageDeduplicationId"] == "m0"


def test_a_purge_deletes_and_sends_nothing():
    sqs = Sqs(3)

    gone = sqs.dead_letters.purge("bulk", lambda one: one.body != "body 1", 10)

    assert [one.body for one in gone] == ["body 0", "body 2"]
    assert (list(sqs.there), sqs.sent, sqs.still_hidden) == (["m1"], [], set())


def test_a_step_takes_no_more_than_it_has_room_for_and_keeps_nothing_from_others():
    sqs = Sqs(12)
    steps = iter([2, 1, 0])
    hidden = []

    def step():
        hidden.append(sqs.still_hidden)
        return next(steps)

    moved = [[one.body for one in some] for some in sqs.dead_letters.move("bulk", everything, step)]

    assert moved == [["body 0", "body 1"], ["body 2"]]
    assert hidden == [set(), set(), set()]


def test_what_is_rare_is_looked_for_ten_at_a_time_in_one_walk():
    sqs = Sqs(25)
    chosen = {"body 14", "body 15", "body 24"}

    moved = list(sqs.dead_letters.move("bulk", lambda delivery: delivery.body in chosen, lambda: 1))

    assert [[one.body for one in some] for some in moved] == [["body 14"], ["body 15"], ["body 24"]]
    # Not one of the first fourteen was received twice.
    assert sqs.operations.count("ReceiveMessage") <= 8 + EMPTY_POLLS
    assert sqs.still_hidden == set()


def test_a_purge_does_not_tell_of_what_stayed():
    sqs = Sqs(3, DeleteMessageBatch={"r-m1"})

    assert [one.body for one in sqs.dead_letters.purge("bulk", everything, 10)] == ["body 0", "body 2"]
    assert (list(sqs.there), sqs.still_hidden) == (["m1"], set())
