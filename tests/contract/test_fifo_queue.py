"""JobQueue and DeadLetterQueue on a FIFO lane: order within an entity, whoever else is in the queue."""

from dataclasses import replace
from itertools import count

import pytest

from tests.builders import moved
from tests.contract.backends import FIFO_LANE, MAX_RECEIVES, SqsBackend
from tests.contract.builders import make_envelope, make_job
from tidemill.aws.sqs import SqsJobQueue
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.ports import Send

_numbers = count(1)


def make_send(entity, number, tenant="acme", delay_s=0):
    envelope = make_envelope(make_job(tenant=tenant))
    return Send(replace(envelope, entity=entity, sequence=number), delay_s)


def seen(deliveries):
    envelopes = [decode(parse_body(one.body)) for one in deliveries]
    return [(envelope.ref.tenant, envelope.entity, envelope.sequence) for envelope in envelopes]


def receive(queues):
    return queues.receive(FIFO_LANE, 1)


def show_again(queues, deliveries):
    queues.queue.hide(FIFO_LANE, [(one.receipt, 0) for one in deliveries])


def test_the_messages_of_an_entity_come_one_after_the_other(queues):
    assert queues.queue.send(FIFO_LANE, [make_send("a", number) for number in (1, 2, 3)]) == [None] * 3

    for number in (1, 2, 3):
        first = receive(queues)
        assert seen(first) == [("acme", "a", number)]
        # Nothing more of the entity while one is away, and a failed one comes again before its successors.
        assert receive(queues) == []
        show_again(queues, first)
        again = receive(queues)
        assert seen(again) == [("acme", "a", number)]
        queues.queue.delete(FIFO_LANE, [again[0].receipt])
    assert receive(queues) == []


def test_entities_do_not_wait_for_each_other_and_neither_do_tenants(queues):
    sends = [make_send("a", 1), make_send("a", 2), make_send("b", 1), make_send("a", 1, tenant="zeta")]
    assert queues.queue.send(FIFO_LANE, sends) == [None] * 4

    received = [one for _ in range(4) for one in receive(queues)]

    assert sorted(seen(received)) == [("acme", "a", 1), ("acme", "b", 1), ("zeta", "a", 1)]


@pytest.mark.parametrize("number", [2, 25])
def test_many_of_one_entity_in_one_call_keep_their_order(queues, number):
    assert queues.queue.send(FIFO_LANE, [make_send("a", n) for n in range(number)]) == [None] * number

    order = []
    while received := receive(queues):
        order += seen(received)
        queues.queue.delete(FIFO_LANE, [received[0].receipt])
    assert order == [("acme", "a", n) for n in range(number)]


def test_one_send_repeated_is_one_message_and_another_send_of_the_job_is_another(queues):
    send = make_send("a", 1)
    again = Send(send.envelope.resend(make_send("a", 1).envelope.send_id))

    assert queues.queue.send(FIFO_LANE, [send]) == [None]
    assert queues.queue.send(FIFO_LANE, [send]) == [None]
    assert queues.queue.send(FIFO_LANE, [again]) == [None]

    bodies = []
    while received := receive(queues):
        bodies.append(received[0].body)
        queues.queue.delete(FIFO_LANE, [received[0].receipt])
    assert bodies == [send.envelope.encode(), again.envelope.encode()]


@pytest.mark.parametrize("together", [1, 2])
def test_a_delay_that_a_fifo_queue_would_refuse_does_not_lose_a_message(queues, together):
    sends = [make_send("a", number, delay_s=60) for number in range(together)]

    assert queues.queue.send(FIFO_LANE, sends) == [None] * together
    assert seen(receive(queues)) == [("acme", "a", 0)]


def test_a_job_without_an_entity_follows_nobody(queues):
    sends = [Send(make_envelope(make_job())) for _ in range(2)]
    assert queues.queue.send(FIFO_LANE, sends) == [None, None]

    assert len(receive(queues) + receive(queues)) == 2


def bury_first(queues):
    for _ in range(MAX_RECEIVES):
        show_again(queues, receive(queues))


def bury_all(queues, count):
    for _ in range(count):
        bury_first(queues)
    assert receive(queues) == []


def test_a_dead_message_makes_way_for_its_successors(queues):
    queues.queue.send(FIFO_LANE, [make_send("a", 1), make_send("a", 2)])
    bury_first(queues)

    assert seen(receive(queues)) == [("acme", "a", 2)]
    assert queues.dlq.depth(FIFO_LANE) == 1
    assert seen(queues.dlq.peek(FIFO_LANE, 10)) == [("acme", "a", 1)]


def test_a_message_goes_back_at_once_though_it_was_sent_a_moment_ago(queues):
    """Under its first deduplication id, SQS would take it and never hand it out."""
    send = make_send("a", 1)
    queues.queue.send(FIFO_LANE, [send])
    bury_first(queues)
    assert receive(queues) == []

    for _ in range(2):
        assert seen(moved(queues.dlq, FIFO_LANE, lambda _: True, 10)) == [("acme", "a", 1)]
        (back,) = receive(queues)
        assert back.body == send.envelope.encode()
        show_again(queues, [back])
        for _ in range(MAX_RECEIVES - 1):
            show_again(queues, receive(queues))
        assert receive(queues) == []


def test_messages_that_go_back_come_after_each_other_as_before(queues):
    queues.queue.send(FIFO_LANE, [make_send("a", 1), make_send("a", 2), make_send("a", 3)])
    bury_first(queues)
    bury_first(queues)
    show_again(queues, receive(queues))

    assert len(moved(queues.dlq, FIFO_LANE, lambda _: True, 10)) == 2

    order = []
    while received := receive(queues):
        order += seen(received)
        queues.queue.delete(FIFO_LANE, [received[0].receipt])
    assert [number for _, _, number in order] == [3, 1, 2]


class Refusing:
    """SQS that takes all but the entries with these bodies."""

    def __init__(self, client, refused):
        self._client = client
        self._refused = refused

    def __getattr__(self, name):
        return getattr(self._client, name)

    def send_message_batch(self, **request):
        entries = request["Entries"]
        taken = [entry for entry in entries if entry["MessageBody"] not in self._refused]
        answer = self._client.send_message_batch(**{**request, "Entries": taken}) if taken else {}
        failed = [
            {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False}
            for entry in entries
            if entry not in taken
        ]
        return {**answer, "Failed": [*answer.get("Failed", ()), *failed]}


@pytest.mark.parametrize("backend", ["moto", "ministack"])
def test_after_a_failed_send_nothing_more_of_its_entity_is_sent(request, backend):
    clients = request.getfixturevalue(backend)
    queues = SqsBackend(clients.sqs, f"refusing-{next(_numbers)}")
    sends = [make_send("a", 1), make_send("b", 1), make_send("a", 2), make_send("b", 2), make_send("a", 3)]
    client = Refusing(clients.sqs, {sends[2].envelope.encode()})

    errors = SqsJobQueue(client, queues.urls).send(FIFO_LANE, sends)

    assert [None if error is None else error.cause for error in errors] == [
        None,
        None,
        "InternalError",
        None,
        "EarlierOneNotSent",
    ]
    left = []
    while received := receive(queues):
        left += seen(received)
        queues.queue.delete(FIFO_LANE, [received[0].receipt])
    assert sorted(left) == [("acme", "a", 1), ("acme", "b", 1), ("acme", "b", 2)]


@pytest.mark.parametrize("number", [1, 3])
def test_what_tells_sqs_of_the_order(request, number):
    queues = SqsBackend(request.getfixturevalue("ministack").sqs, f"attributes-{next(_numbers)}")
    long = "e" * 128
    sends = [make_send(long, n) for n in range(number)]
    queues.queue.send(FIFO_LANE, sends)

    (message,) = queues.messages(queues.urls[FIFO_LANE], 1)

    attributes = message["Attributes"]
    assert attributes["MessageDeduplicationId"] == sends[0].envelope.send_id
    assert attributes["MessageGroupId"] == sends[0].envelope.entity_in(FIFO_LANE).group
    assert len(attributes["MessageGroupId"]) == 64


def test_of_one_entity_a_walk_through_a_dlq_meets_ten_until_those_are_gone(queues):
    """Nothing of a group is handed out while messages of it are away, and a call hands out ten (ReceiveMessage)."""
    queues.queue.send(FIFO_LANE, [make_send("a", number) for number in range(13)])
    queues.queue.send(FIFO_LANE, [make_send("b", 0)])
    bury_all(queues, 14)
    assert queues.dlq.depth(FIFO_LANE) == 14
    firsts = {("acme", "a", number) for number in range(10)} | {("acme", "b", 0)}

    assert set(seen(queues.dlq.peek(FIFO_LANE, 100))) == firsts
    deep = {("acme", "a", 11)}
    assert queues.dlq.purge(FIFO_LANE, lambda one: set(seen([one])) <= deep, 1, 100) == []
    assert set(seen(queues.dlq.purge(FIFO_LANE, lambda one: set(seen([one])) <= firsts, 11, 100))) == firsts
    assert seen(queues.dlq.peek(FIFO_LANE, 100)) == [("acme", "a", number) for number in (10, 11, 12)]


def test_a_whole_dlq_goes_back_in_order_however_many_are_of_one_entity(queues):
    queues.queue.send(FIFO_LANE, [make_send("a", number) for number in range(13)])
    bury_all(queues, 13)

    assert len(moved(queues.dlq, FIFO_LANE, lambda _: True, 100)) == 13

    order = []
    while received := receive(queues):
        order += seen(received)
        queues.queue.delete(FIFO_LANE, [received[0].receipt])
    assert order == [("acme", "a", number) for number in range(13)]
