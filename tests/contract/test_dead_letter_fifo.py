"""A FIFO lane's DLQ: what goes back is not taken for a repeat of the send that died."""

from itertools import count

import pytest

from tests.builders import moved
from tidemill.aws.dead_letters import SqsDeadLetters

_names = count(1)


@pytest.fixture(params=["moto", "ministack"])
def sqs(request):
    return request.getfixturevalue(request.param).sqs


def received(sqs, url):
    bodies = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return bodies


def test_a_message_goes_back_within_five_minutes_of_its_first_send(sqs):
    """SQS swallows a send under a deduplication id that it saw within five minutes (Developer Guide, "Exactly-once
    processing in Amazon SQS")."""
    name, attributes = f"fifo-{next(_names)}", {"FifoQueue": "true"}
    queue = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]
    dlq = sqs.create_queue(QueueName=f"{name}-dlq.fifo", Attributes=attributes)["QueueUrl"]
    for url in (queue, dlq):
        for number in range(4):
            entity = f"entity-{number % 2}"
            sqs.send_message(
                QueueUrl=url, MessageBody=f"b{number}", MessageGroupId=entity, MessageDeduplicationId=f"s{number}"
            )
    assert len(received(sqs, queue)) == 4
    dead_letters = SqsDeadLetters(sqs, {"lane": queue}, {"lane": dlq})

    assert len(moved(dead_letters, "lane", lambda _: True, 10)) == 4

    bodies = received(sqs, queue)
    assert [body for body in bodies if body in ("b0", "b2")] == ["b0", "b2"]
    assert [body for body in bodies if body in ("b1", "b3")] == ["b1", "b3"]
    assert dead_letters.depth("lane") == 0
