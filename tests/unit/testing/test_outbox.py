"""What a job publishes and commits: with its success, and never without."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.unit.testing.orders import HOW, REGISTRY, OrderLost, OrderPlaced, Pack, Place, Post, place
from tidemill import (
    PermanentError,
    State,
    job,
    minutes,
    seconds,
)
from tidemill.domain import limits
from tidemill.errors import DefinitionError, InputError
from tidemill.events import JobDied, JobSucceeded
from tidemill.service.leftovers import look_at
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


def test_what_is_told_early_is_young_when_it_is_committed(tide, doing):
    """The janitor finds nothing old a minute after the success, and the fact still says when it happened."""
    doing("slow", lambda args, ctx: tide.advance(minutes(3)))
    tide.faults.crash_before("publish", times=10_000, by=Process.RELAY)
    tide.client.submit(Place(order="7", how="slow"))
    began = tide.now
    tide.drain()

    assert tide.now - began >= minutes(3)
    assert tide.now - datetime.fromtimestamp(look_at(tide.outbox, 100).oldest_at / 1000, UTC) < seconds(1)
    tide.run_for(minutes(1))
    assert tide.telemetry.counts["OutboxLeftovers"] == 0
    tide.run_for(minutes(3))
    assert tide.telemetry.counts["OutboxLeftovers"] == 3
    assert assert_published(tide, OrderPlaced, times=1).at - began.timestamp() * 1000 < 1_000
    tide.faults.forget()


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
