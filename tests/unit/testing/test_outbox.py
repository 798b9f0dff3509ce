"""What a job publishes and commits: with its success, and never without."""

from __future__ import annotations

import json

import pytest

from tidemill import (
    JobArgs,
    JobRegistry,
    Lane,
    PermanentError,
    State,
    Submission,
    TransientError,
    job,
    minutes,
    seconds,
)
from tidemill.domain import limits
from tidemill.domain.lane import DEFAULT_LANES
from tidemill.errors import DefinitionError, InputError, JobNotFoundError
from tidemill.events import Event, JobDied, JobSucceeded, Publication
from tidemill.testing import (
    Harness,
    Process,
    assert_dead,
    assert_published,
    assert_submitted,
    assert_succeeded,
    context,
    facts_in,
    refute_published,
    refute_submitted,
)


class OrderPlaced(Event, type="order.placed"):
    order: str


class OrderLost(Event, type="order.lost"):
    order: str


class Place(JobArgs, kind="orders.place"):
    order: str
    fails: int = 0
    how: str = "well"


class Pack(JobArgs, kind="orders.pack"):
    order: str


class Post(JobArgs, kind="orders.post"):
    order: str


HOW = {}


@job(Place, announces=(State.SUCCEEDED, State.DEAD))
def place(args, ctx):
    ctx.publish(OrderPlaced(order=args.order), subject=f"order/{args.order}", sequence=7)
    ctx.submit(Pack(order=args.order))
    HOW.get(args.how, lambda *_: None)(args, ctx)
    if ctx.attempt <= args.fails:
        raise TransientError("not yet")


@job(Pack)
def pack(args, ctx):
    return args.order


@job(Post, lane="orders")
def post(args, ctx):
    return args.order


REGISTRY = JobRegistry(place, pack, post, lanes=(*DEFAULT_LANES, Lane("orders", fifo=True)), events=[OrderPlaced])


@pytest.fixture
def tide():
    with Harness(REGISTRY) as tide:
        yield tide


@pytest.fixture
def doing(monkeypatch):
    """What `place` does beside."""
    return lambda name, does: monkeypatch.setitem(HOW, name, does)


# --- inside of a job -------------------------------------------------------------------------------


def test_what_a_job_tells_is_told_with_its_success(tide):
    receipt = tide.client.submit(Place(order="7"), tenant="acme", correlation_id="request-1")
    tide.drain()

    fact = assert_published(tide, OrderPlaced(order="7"), times=1)
    packed = assert_submitted(tide, Pack, {"order": "7"}, times=1, tenant="acme")
    assert (fact.tenant, fact.subject, fact.sequence) == ("acme", "order/7", 7)
    assert (fact.correlation_id, fact.causation_id, fact.hops) == ("request-1", receipt.job_id, 1)
    assert (packed.envelope.causation_id, packed.envelope.correlation_id) == (receipt.job_id, "request-1")
    assert_succeeded(tide, packed)
    assert tide.outbox.rows == {}


def test_it_is_cloudevents_json(tide):
    tide.client.submit(Place(order="7"))
    tide.drain()

    said = json.loads(next(one.text for one in tide.bus.published if one.type == "order.placed"))

    assert (said["specversion"], said["source"], said["type"]) == ("1.0", "/tidemill/testing", "order.placed")
    assert said["data"] == {"order": "7"}


def test_an_attempt_that_fails_tells_nothing(tide):
    tide.client.submit(Place(order="7", fails=1))
    tide.drain()

    refute_published(tide, OrderPlaced)
    refute_submitted(tide, Pack)
    tide.drain_until_idle()

    assert_published(tide, OrderPlaced, times=1)
    assert_submitted(tide, Pack, times=1)


def test_a_job_that_dies_tells_nothing_and_its_redrive_tells_all(tide, doing):
    doing("never", lambda args, ctx: _raise(PermanentError("never")) if ctx.generation == 1 else None)
    receipt = tide.client.submit(Place(order="7", how="never"))
    tide.drain_until_idle()

    assert_dead(tide, receipt, "permanent")
    refute_published(tide, OrderPlaced)
    tide.desk.redrive(receipt.job.ref)
    tide.drain_until_idle()

    assert_published(tide, OrderPlaced, times=1)
    assert_submitted(tide, Pack, times=1)


def _raise(error):
    raise error


@pytest.mark.parametrize("call", ["conclude"])
def test_an_end_that_is_written_again_tells_once(tide, call):
    tide.faults.lose_answer(call)
    tide.client.submit(Place(order="7"))
    tide.drain_until_idle()

    assert_published(tide, OrderPlaced, times=1)
    assert_submitted(tide, Pack, times=1)


def test_a_worker_that_dies_before_its_end_tells_nothing_twice(tide):
    tide.faults.crash_before("conclude", by=Process.WORKER)
    tide.client.submit(Place(order="7"))
    tide.drain_until_idle()

    assert_published(tide, OrderPlaced, times=1)
    assert_submitted(tide, Pack, times=1)


def test_a_worker_that_dies_after_its_end_has_told(tide):
    tide.faults.crash_after("conclude", by=Process.WORKER)
    tide.client.submit(Place(order="7"))
    tide.drain_until_idle()

    assert_published(tide, OrderPlaced, times=1)


def test_a_step_can_tell_nothing(tide, doing):
    doing("inner", lambda args, ctx: ctx.step("tell", lambda: ctx.publish(OrderPlaced(order="8"))))
    receipt = tide.client.submit(Place(order="7", how="inner"))
    tide.drain_until_idle()

    assert_dead(tide, receipt, error="beside steps")


def test_no_checkpoint_after_something_was_told(tide, doing):
    doing("marks", lambda args, ctx: ctx.checkpoint(3))
    receipt = tide.client.submit(Place(order="7", how="marks"))
    tide.drain_until_idle()

    assert_dead(tide, receipt, error="after the last checkpoint")
    refute_published(tide, OrderPlaced)


def test_an_event_that_is_not_listed_is_refused(tide, doing):
    doing("unlisted", lambda args, ctx: ctx.publish(OrderLost(order="7")))
    receipt = tide.client.submit(Place(order="7", how="unlisted"))
    tide.drain_until_idle()

    assert_dead(tide, receipt, error="JobRegistry(..., events=[...])")
    refute_published(tide, OrderPlaced)


def test_no_more_than_fits_one_transaction(tide, doing):
    def much(args, ctx):
        for number in range(limits.MAX_OUTBOUNDS):
            ctx.publish(OrderPlaced(order=str(number)))

    doing("much", much)
    receipt = tide.client.submit(Place(order="7", how="much"))
    tide.drain_until_idle()

    assert_dead(tide, receipt, error=f"over {limits.MAX_OUTBOUNDS}")


def test_no_larger_than_one_transaction(tide, doing):
    def large(args, ctx):
        for _ in range(30):
            ctx.publish(OrderPlaced(order="x" * 120_000))

    doing("large", large)
    receipt = tide.client.submit(Place(order="7", how="large"))
    tide.drain_until_idle()

    assert_dead(tide, receipt, error="in one transaction")


def test_a_job_that_catches_the_refusal_goes_on(tide, doing):
    def catches(args, ctx):
        with pytest.raises(InputError):
            ctx.publish(OrderLost(order="7"))
        with pytest.raises(InputError, match="FIFO"):
            ctx.submit(Post(order="7"))

    doing("catches", catches)
    tide.client.submit(Place(order="7", how="catches"))
    tide.drain()

    assert_published(tide, OrderPlaced, times=1)


def test_keys_and_delays_are_kept(tide, doing):
    def twice(args, ctx):
        ids = {ctx.submit(Pack(order="k"), key="k", delay=minutes(20)) for _ in range(2)}
        assert len(ids) == 1

    doing("twice", twice)
    tide.client.submit(Place(order="7", how="twice"))
    tide.drain()

    job = tide.job(assert_submitted(tide, Pack, {"order": "k"}, times=1, key="k"))
    assert job.state is State.SCHEDULED
    tide.drain_until_idle()
    assert_succeeded(tide, job)


def test_a_direct_call_tells_its_context(tide):
    ctx = context(place)

    place(Place(order="7"), ctx)

    assert ctx.calls.published == [OrderPlaced(order="7")]
    assert ctx.calls.committed == [Pack(order="7")]


# --- ends that are announced -----------------------------------------------------------------------


def test_a_success_is_announced(tide):
    receipt = tide.client.submit(Place(order="7"))
    tide.drain()

    fact = assert_published(tide, JobSucceeded, {"job_id": receipt.job_id, "attempts": 1}, times=1)
    assert fact.subject == f"job/{receipt.job_id}"
    refute_published(tide, JobDied)


def test_a_death_is_announced_in_each_generation(tide):
    receipt = tide.client.submit(Place(order="7", fails=99))
    tide.drain_until_idle()

    assert_published(tide, JobDied, {"generation": 1, "reason": "attempts_exhausted"}, times=1)
    tide.desk.redrive(receipt.job.ref)
    tide.drain_until_idle()

    assert_published(tide, JobDied, {"generation": 2}, times=1)
    assert len({fact.id for fact in facts_in(tide)}) == 2


def test_a_death_that_only_the_census_sees_is_announced(tide):
    receipt = tide.client.submit(Place(order="7"))
    tide.faults.throttle("claim", times=10_000)
    tide.drain_until_idle()
    tide.faults.forget()

    assert_dead(tide, receipt)
    assert_published(tide, JobDied, {"job_id": receipt.job_id, "reason": "never_ran"}, times=1)


@pytest.mark.parametrize("states", [(State.RUNNING,), ("gone",), 3, (None,)])
def test_what_is_no_such_end_can_not_be_announced(states):
    with pytest.raises(DefinitionError, match="announces"):
        job(Pack, announces=states)(lambda args, ctx: None)


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
