"""JobQueue: what is sent arrives as it was sent, and what is hidden stays hidden."""

import time

import pytest

from tests.contract.builders import make_envelope, make_job
from tidemill.domain import limits
from tidemill.domain.duration import seconds
from tidemill.domain.ports import Send


def make_send(args=b'{"width":320}', **fields):
    return Send(make_envelope(make_job(), args), **fields)


@pytest.mark.parametrize("count", [0, 1, 2, 10, 11, 65])
def test_every_envelope_arrives_byte_for_byte(queues, count):
    sends = [make_send(b'{"text":"\xc3\xa9 \xf0\x9d\x84\x9e %d"}' % number) for number in range(count)]

    assert queues.queue.send("bulk", sends) == [None] * count

    received = queues.receive("bulk", count + 5)
    assert sorted(one.body for one in received) == sorted(send.envelope.encode() for send in sends)
    assert queues.receive("mail") == []


def test_ten_large_envelopes_do_not_fit_one_request(queues):
    """Ten of the largest are 1.3 MB, a request holds 1 MiB."""
    largest = b'"%s"' % (b"x" * (limits.MAX_ARGS_BYTES - 2))
    sends = [make_send(largest) for _ in range(10)]

    assert queues.queue.send("bulk", sends) == [None] * 10
    assert len(queues.receive("bulk", 15)) == 10


def test_a_delay_holds_a_message_back(queues):
    assert queues.queue.send("bulk", [make_send(delay_s=1), make_send(delay_s=900), make_send()]) == [None] * 3
    assert len(queues.receive("bulk")) == 1

    queues.wait(seconds(1.1))

    assert len(queues.receive("bulk")) == 1


def test_a_delay_holds_a_single_message_back(queues):
    assert queues.queue.send("bulk", [make_send(delay_s=900)]) == [None]
    assert queues.receive("bulk") == []


def test_a_received_message_is_counted_and_timed(queues):
    before = getattr(queues, "clock", None)
    queues.queue.send("bulk", [make_send()])

    (first,) = queues.receive("bulk")

    now = before.now_ms() if before else time.time() * 1000
    assert abs(first.sent_at - now) < 5_000
    assert first.receives == 1


def test_hiding_decides_when_a_message_comes_back(queues):
    queues.queue.send("bulk", [make_send() for _ in range(12)])
    received = queues.receive("bulk", 12)
    assert len(received) == 12
    assert queues.receive("bulk") == []

    waits = [0, 1, 600] * 4
    queues.queue.hide("bulk", [(one.receipt, wait) for one, wait in zip(received, waits, strict=True)])

    assert {one.message_id for one in queues.receive("bulk", 12)} == {one.message_id for one in received[0::3]}
    queues.wait(seconds(1.1))
    assert {one.message_id for one in queues.receive("bulk", 12)} == {one.message_id for one in received[1::3]}


def test_hiding_never_raises(queues):
    queues.queue.hide("bulk", [])
    queues.queue.hide("bulk", [("no such receipt", 5)])

    queues.queue.send("bulk", [make_send()])
    (received,) = queues.receive("bulk")
    queues.delete("bulk", received.receipt)
    queues.queue.hide("bulk", [(received.receipt, 0), ("no such receipt", 0)])

    assert queues.receive("bulk") == []


def test_a_bad_receipt_does_not_keep_its_neighbour_hidden(queues):
    queues.queue.send("bulk", [make_send()])
    (received,) = queues.receive("bulk")

    queues.queue.hide("bulk", [("no such receipt", 0), (received.receipt, 0)])

    assert [one.message_id for one in queues.receive("bulk")] == [received.message_id]
