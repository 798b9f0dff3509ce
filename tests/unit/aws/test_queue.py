"""The queue adapter when SQS takes a part, or nothing."""

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.contract.builders import make_envelope, make_job
from tests.unit.aws.stub import Wire, error
from tidemill.aws.sqs import SqsJobQueue
from tidemill.domain import limits
from tidemill.domain.ports import Send

URLS = {"bulk": "https://sqs/bulk"}


def sends(count, args=b"{}"):
    return [Send(make_envelope(make_job(), args)) for _ in range(count)]


def taken(body):
    return {"Successful": [{"Id": entry["Id"], "MessageId": "m"} for entry in body["Entries"]]}


def causes(errors):
    return [error and error.cause for error in errors]


def test_entries_that_sqs_refuses_under_http_200_are_not_sent():
    def all_but_some(body):
        ids = [entry["Id"] for entry in body["Entries"]]
        failed = [{"Id": one, "Code": "InternalError", "SenderFault": False} for one in ids if int(one) % 4 == 0]
        return {"Successful": [{"Id": one} for one in ids if int(one) % 4], "Failed": failed}

    errors = SqsJobQueue(Wire(repeat=all_but_some).sqs, URLS).send("bulk", sends(23))

    assert causes(errors) == ["InternalError" if number % 4 == 0 else None for number in range(23)]
    assert {error.operation for error in errors if error} == {"send"}


@pytest.mark.parametrize("failure", [error("InternalFailure", 500), ReadTimeoutError(endpoint_url="x")])
def test_a_call_that_failed_sent_nothing_and_its_neighbours_are_sent(failure):
    wire = Wire(taken, failure, taken)

    errors = SqsJobQueue(wire.sqs, URLS).send("bulk", sends(25))

    assert [bool(one) for one in errors] == [False] * 10 + [True] * 10 + [False] * 5
    assert len(wire.requests) == 3


def test_a_single_send_that_failed():
    wire = Wire(error("OverLimit", 403))

    assert causes(SqsJobQueue(wire.sqs, URLS).send("bulk", sends(1))) == ["OverLimit"]
    assert wire.operations == ["SendMessage"]


@pytest.mark.parametrize("count", [1, 3])
def test_what_is_sent(count):
    wire = Wire(repeat=taken if count > 1 else {"MessageId": "m"})
    envelopes = [make_envelope(make_job(tenant=f"t{n}")) for n in range(count)]

    SqsJobQueue(wire.sqs, URLS).send("bulk", [Send(one, n * 5) for n, one in enumerate(envelopes)])

    ((_, body),) = wire.requests
    entries = body["Entries"] if count > 1 else [{**body, "Id": "0"}]
    assert body["QueueUrl"] == URLS["bulk"]
    for number, (entry, envelope) in enumerate(zip(entries, envelopes, strict=True)):
        assert entry["MessageBody"] == envelope.encode()
        assert entry["MessageGroupId"] == f"t{number}"
        assert entry.get("DelaySeconds", 0) == number * 5
        assert set(entry) <= {"Id", "MessageBody", "MessageGroupId", "DelaySeconds", "QueueUrl"}


@pytest.mark.parametrize("size", [10, 100_000, limits.MAX_ARGS_BYTES])
def test_no_request_is_too_large(size):
    wire = Wire(repeat=taken)
    # Letters of three bytes: bodies are counted in bytes.
    args = b'"%s"' % ("€".encode() * ((size - 2) // 3))

    assert SqsJobQueue(wire.sqs, URLS).send("bulk", sends(37, args)) == [None] * 37

    assert all(len(body["Entries"]) <= 10 for _, body in wire.requests)
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in body["Entries"]) for _, body in wire.requests]
    assert max(sizes) <= limits.SEND_BATCH_BYTES
    assert sum(len(body["Entries"]) for _, body in wire.requests) == 37


def test_hides_that_fail_are_counted_and_nothing_else():
    def half(body):
        return {"Failed": [{"Id": entry["Id"], "Code": "x"} for entry in body["Entries"][::2]]}

    wire = Wire(half, error("InternalFailure", 500), {})
    queue = SqsJobQueue(wire.sqs, URLS)

    queue.hide("bulk", [(f"receipt-{number}", number) for number in range(25)])

    assert queue.unhidden == 5 + 10
    entries = [entry for _, body in wire.requests for entry in body["Entries"]]
    assert [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for entry in entries] == [
        (f"receipt-{number}", number) for number in range(25)
    ]
