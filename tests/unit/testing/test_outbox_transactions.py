"""What a caller's own transaction commits, and what the relay does with it."""

from __future__ import annotations

import pytest

from tests.unit.testing.orders import HOW, REGISTRY, OrderLost, OrderPlaced, Pack, Post, pack
from tidemill import (
    JobRegistry,
    State,
    Submission,
    job,
    minutes,
    seconds,
)
from tidemill.domain import limits
from tidemill.errors import DefinitionError, InputError, JobNotFoundError
from tidemill.events import Event, Publication
from tidemill.testing import (
    Harness,
    Process,
    assert_dead,
    assert_published,
    assert_submitted,
    assert_succeeded,
    refute_published,
)


@pytest.fixture
def tide():
    with Harness(REGISTRY) as tide:
        yield tide


@pytest.fixture
def doing(monkeypatch):
    """What `place` does beside."""
    return lambda name, does: monkeypatch.setitem(HOW, name, does)


# --- a caller's transaction ------------------------------------------------------------------------


def test_nothing_happens_before_the_transaction_commits(tide):
    items = tide.client.transact_items(Pack(order="7"), OrderPlaced(order="7"))
    tide.drain()

    refute_published(tide, OrderPlaced)
    with pytest.raises(JobNotFoundError):
        tide.client.get(items.ids[0])
    tide.outbox.commit([{"Put": {"TableName": "shop", "Item": {"pk": {"S": "order#7"}}}}, *items])
    tide.drain()

    assert_published(tide, OrderPlaced, times=1)
    assert_succeeded(tide, tide.client.get(items.ids[0]))


def test_a_job_is_found_before_it_is_sent(tide):
    items = tide.client.transact_items(Submission(Pack(order="7"), tenant="acme"))
    tide.outbox.commit(items)

    found = tide.client.get(items.ids[0], "acme")

    assert (found.state, found.reason) == (State.QUEUED, "in_outbox")


@pytest.mark.parametrize("verb", ["cancel", "kill"])
def test_a_job_that_is_not_sent_yet_can_be_cancelled(tide, verb):
    items = tide.client.transact_items(Pack(order="7"))
    tide.outbox.commit(items)

    ended = getattr(tide.client, verb)(items.ids[0])
    tide.drain()

    assert ended.state is State.CANCELLED
    assert tide.client.get(items.ids[0]).state is State.CANCELLED


def test_and_moved(tide):
    items = tide.client.transact_items(Submission(Pack(order="7"), delay=minutes(30)))
    tide.outbox.commit(items)

    assert not tide.client.move(items.ids[0], delay=seconds(10)).state.is_final
    tide.drain_until_idle(within=minutes(5))
    assert_succeeded(tide, tide.client.get(items.ids[0]))


def test_one_key_is_one_job(tide):
    for order in ("7", "7"):
        tide.outbox.commit(tide.client.transact_items(Submission(Pack(order=order), key="once")))
    tide.drain()

    assert_submitted(tide, Pack, times=1)


def test_of_two_with_one_key_and_other_arguments_one_runs(tide):
    first = tide.client.transact_items(Submission(Pack(order="7"), key="once"))
    second = tide.client.transact_items(Submission(Pack(order="8"), key="once"))
    tide.outbox.commit([*first, *second])
    tide.drain()

    assert first.ids == second.ids
    assert_succeeded(tide, tide.client.get(first.ids[0]))
    assert tide.telemetry.counts["OutboxRefused"] == 1
    assert tide.outbox.rows == {}


def test_the_same_entries_twice_are_one_job_and_one_fact(tide):
    items = tide.client.transact_items(Pack(order="7"), OrderPlaced(order="7"))
    for _ in range(2):
        tide.outbox.commit(items)
        tide.drain()

    assert_submitted(tide, Pack, times=1)
    assert_published(tide, OrderPlaced, times=1)
    assert sum(one.type == "order.placed" for one in tide.bus.published) == 2


@pytest.mark.parametrize(
    ("thing", "problem"),
    [
        (OrderLost(order="7"), "not listed"),
        ("order.placed", "must be arguments"),
        (Post(order="7"), "FIFO"),
        (Submission(Pack(order="7"), lane="orders"), "FIFO"),
        (Submission(Pack(order="7"), tenant="#"), "tenant"),
        (Publication(OrderPlaced(order="7"), subject="with a space"), "subject"),
        (Publication(OrderPlaced(order="7"), sequence=-1), "sequence"),
        (Publication(OrderPlaced(order="7"), hops=99), "hops"),
        (OrderPlaced(order="x" * 131_072), "the limit is 131072"),
    ],
)
def test_what_can_not_be_committed_is_refused(tide, thing, problem):
    with pytest.raises(InputError, match=problem):
        tide.client.transact_items(Pack(order="1"), thing)


def test_nothing_and_too_much_are_refused(tide):
    for count in (0, limits.MAX_OUTBOUNDS + 1):
        with pytest.raises(InputError, match="1 to 90"):
            tide.client.transact_items(*[Pack(order="7")] * count)


def test_large_arguments_are_stored_first(tide):
    items = tide.client.transact_items(Pack(order="x" * 200_000))
    tide.outbox.commit(items)
    tide.drain()

    assert_succeeded(tide, tide.client.get(items.ids[0]))


def test_a_program_without_an_outbox_says_so():
    @job(Pack)
    def tells(args, ctx):
        ctx.submit(Pack(order="8"))

    with Harness(JobRegistry(tells)) as tide:
        with pytest.raises(InputError, match="outbox=True"):
            tide.client.transact_items(Pack(order="7"))
        receipt = tide.client.submit(Pack(order="7"))
        tide.drain_until_idle()
        assert_dead(tide, receipt, error="outbox=True")


# --- the relay -------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["publish", "send"])
def test_what_is_not_sent_stays_and_is_sent_later(tide, call):
    tide.faults.throttle(call, times=3, by=Process.RELAY)
    tide.outbox.commit(tide.client.transact_items(Pack(order="7"), OrderPlaced(order="7")))
    tide.run_for(minutes(4))

    assert_published(tide, OrderPlaced, times=1)
    assert_submitted(tide, Pack, times=1)
    assert tide.outbox.rows == {}


def test_the_janitor_sends_in_the_place_of_a_relay_that_is_dead(tide):
    tide.faults.crash_before("publish", times=10_000, by=Process.RELAY)
    tide.outbox.commit(tide.client.transact_items(OrderPlaced(order="7")))
    tide.run_for(minutes(4))
    tide.faults.forget()

    assert_published(tide, OrderPlaced, times=1)
    assert tide.telemetry.counts["OutboxLeftovers"] == 1


@pytest.mark.parametrize("call", ["publish", "send", "remove", "insert"])
def test_a_relay_that_dies_sends_once_more_under_the_same_ids(tide, call):
    tide.faults.crash_after(call, by=Process.RELAY)
    tide.outbox.commit(tide.client.transact_items(Pack(order="7"), OrderPlaced(order="7")))
    tide.run_for(minutes(4))

    assert_published(tide, OrderPlaced, times=1)
    assert_submitted(tide, Pack, times=1)
    assert tide.outbox.rows == {}


def test_two_events_of_one_type_can_not_be_listed():
    class Other(Event, type="order.placed"):
        pass

    for events in ([OrderPlaced, Other], [Pack], "order.placed", [Event]):
        with pytest.raises(DefinitionError):
            JobRegistry(pack, events=events)
