"""DeadLetterQueue: looking changes nothing, and what goes back goes back whole."""

import pytest

from tests.builders import moved
from tests.contract.backends import MAX_RECEIVES, MemoryBackend
from tests.contract.builders import make_envelope, make_job
from tidemill.domain.ports import Send


def bury(queues, lane, bodies):
    """Let these messages end in the lane's DLQ, by the queue's own redrive policy."""
    for body in bodies:
        queues.put(lane, body)
    for _ in range(MAX_RECEIVES):
        received = queues.receive(lane, len(bodies))
        assert len(received) == len(bodies)
        queues.queue.hide(lane, [(one.receipt, 0) for one in received])
    assert queues.receive(lane, len(bodies)) == []


def test_an_empty_dlq(queues):
    assert queues.dlq.depth("bulk") == 0
    assert queues.dlq.peek("bulk", 10) == []
    assert moved(queues.dlq, "bulk", lambda _: True, 10) == []


@pytest.mark.parametrize(("count", "limit"), [(1, 1), (3, 10), (12, 5), (12, 12), (25, 100)])
def test_peek_shows_messages_and_leaves_them(queues, count, limit):
    bodies = [f"body é {number}" for number in range(count)]
    bury(queues, "bulk", bodies)

    for _ in range(2):
        seen = queues.dlq.peek("bulk", limit)
        assert len(seen) == len({one.message_id for one in seen}) == min(count, limit)
        assert {one.body for one in seen} <= set(bodies)
    assert queues.dlq.depth("bulk") == count
    assert queues.dlq.depth("mail") == 0


def test_peek_says_when_a_message_was_sent(queues):
    queues.put("bulk", "x")
    (first,) = queues.receive("bulk")
    queues.queue.hide("bulk", [(first.receipt, 0)])
    (second,) = queues.receive("bulk")
    queues.queue.hide("bulk", [(second.receipt, 0)])
    assert queues.receive("bulk") == []

    (seen,) = queues.dlq.peek("bulk", 10)

    # A move to the DLQ keeps the time of the first send on a standard queue.
    assert seen.sent_at == first.sent_at


def test_move_puts_the_chosen_back_byte_for_byte(queues):
    envelopes = [make_envelope(make_job(tenant=f"t{number % 3}")).encode() for number in range(14)]
    bury(queues, "bulk", envelopes)
    chosen = set(envelopes[::2])

    gone = moved(queues.dlq, "bulk", lambda delivery: delivery.body in chosen, 100)

    assert {one.body for one in gone} == chosen
    back = queues.receive("bulk", 20)
    assert sorted(one.body for one in back) == sorted(chosen)
    assert {one.receives for one in back} == {1}
    assert queues.dlq.depth("bulk") == 7
    assert {one.body for one in queues.dlq.peek("bulk", 20)} == set(envelopes) - chosen


@pytest.mark.parametrize("limit", [0, 1, 3, 11])
def test_move_stops_at_its_limit(queues, limit):
    bury(queues, "bulk", [f"body {number}" for number in range(12)])

    assert len(moved(queues.dlq, "bulk", lambda _: True, limit)) == limit

    assert len(queues.receive("bulk", 20)) == limit
    assert queues.dlq.depth("bulk") == 12 - limit
    assert len(queues.dlq.peek("bulk", 20)) == 12 - limit


def test_move_of_more_than_there_is_moves_what_there_is(queues):
    bury(queues, "bulk", ["a", "b"])

    assert sorted(one.body for one in moved(queues.dlq, "bulk", lambda _: True, 100)) == ["a", "b"]
    assert queues.dlq.depth("bulk") == 0


def test_a_moved_message_is_a_later_send_of_the_same(queues):
    send = Send(make_envelope(make_job()))
    queues.queue.send("bulk", [send])
    for _ in range(MAX_RECEIVES):
        (first,) = queues.receive("bulk")
        queues.queue.hide("bulk", [(first.receipt, 0)])
    queues.receive("bulk")

    moved(queues.dlq, "bulk", lambda _: True, 1)

    (again,) = queues.receive("bulk")
    assert again.message_id != first.message_id
    assert again.sent_at >= first.sent_at
    assert again.body == send.envelope.encode()


def test_move_shows_every_message_to_the_chooser_once(queues):
    bury(queues, "bulk", [f"body {number}" for number in range(23)])
    shown = []

    moved(queues.dlq, "bulk", lambda delivery: shown.append(delivery.body), 5)

    assert sorted(shown) == sorted(f"body {number}" for number in range(23))
    assert len(queues.dlq.peek("bulk", 30)) == 23


def test_move_goes_step_by_step_as_it_is_asked(queues):
    bury(queues, "bulk", [f"body {number}" for number in range(7)])
    steps = iter([2, 3, 0])

    walk = queues.dlq.move("bulk", lambda delivery: delivery.body != "body 3", lambda: next(steps), 100)

    assert queues.dlq.depth("bulk") == 7
    first, second = (len(some) for some in walk)
    # How many it finds at once is the queue's own business.
    assert (first, 0 < second <= 3) == (2, True)
    assert (queues.dlq.depth("bulk"), len(queues.receive("bulk", 20))) == (7 - 2 - second, 2 + second)
    assert "body 3" in {one.body for one in queues.dlq.peek("bulk", 20)}


def test_a_move_looks_no_further_than_told(queues):
    bury(queues, "bulk", [f"body {number}" for number in range(7)])

    assert sum(len(some) for some in queues.dlq.move("bulk", lambda _: True, lambda: 2, 3)) == 3
    assert queues.dlq.depth("bulk") == 4


def test_a_chooser_that_fails_hides_nothing(queues):
    bury(queues, "bulk", ["a", "b", "c"])

    with pytest.raises(ZeroDivisionError):
        moved(queues.dlq, "bulk", lambda _: 1 / 0, 5)

    assert len(queues.dlq.peek("bulk", 10)) == 3


# --- purge ----------------------------------------------------------------------------------------------------


def test_purge_deletes_the_chosen_for_good_and_leaves_the_others(queues):
    bodies = [f"body {number}" for number in range(14)]
    bury(queues, "bulk", bodies)
    chosen = set(bodies[::2])

    gone = queues.dlq.purge("bulk", lambda delivery: delivery.body in chosen, 100, 100)

    assert {one.body for one in gone} == chosen
    assert queues.receive("bulk", 20) == []
    assert queues.dlq.depth("bulk") == 7
    assert {one.body for one in queues.dlq.peek("bulk", 20)} == set(bodies) - chosen


@pytest.mark.parametrize(("limit", "search", "gone"), [(0, 20, 0), (3, 20, 3), (20, 5, 5), (20, 20, 12)])
def test_purge_stops_at_its_limit_and_looks_no_further_than_told(queues, limit, search, gone):
    bury(queues, "bulk", [f"body {number}" for number in range(12)])

    assert len(queues.dlq.purge("bulk", lambda _: True, limit, search)) == gone

    assert queues.dlq.depth("bulk") == 12 - gone
    assert len(queues.dlq.peek("bulk", 20)) == 12 - gone


def test_purge_of_an_empty_dlq(queues):
    assert queues.dlq.purge("bulk", lambda _: True, 10, 10) == []


# --- start_move -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [None, 500, 10_000])
def test_a_move_by_the_queues_themselves_moves_all_or_says_that_they_can_not(queues, rate):
    """No emulator here has the call: each must say so, and must not have touched a message."""
    bodies = ["a", "b", "c"]
    bury(queues, "bulk", bodies)

    begun = queues.dlq.start_move("bulk", rate)

    assert begun is False
    assert queues.receive("bulk", 20) == []
    assert sorted(one.body for one in queues.dlq.peek("bulk", 20)) == bodies


def test_a_move_by_itself_is_byte_for_byte_too():
    queues = MemoryBackend()
    queues.dlq.moves_by_itself = True
    bury(queues, "bulk", ["é", "b"])

    assert queues.dlq.start_move("bulk", None) is True

    assert sorted(one.body for one in queues.receive("bulk", 20)) == ["b", "é"]
    assert queues.dlq.depth("bulk") == 0
