"""Assertions hold when they should, and show what is there when they don't."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from tests.unit.testing.conftest import Doze, Pay
from tidemill import JobArgs, JobContext, JobRegistry, PermanentError, RateLimitedError, job, minutes, seconds
from tidemill.domain.ports import Send
from tidemill.errors import KeyConflictError, UnavailableError
from tidemill.testing import (
    Harness,
    MemoryPayloads,
    MemoryStore,
    assert_dead,
    assert_retried,
    assert_state,
    assert_submitted,
    assert_succeeded,
    refute_submitted,
)
from tidemill.testing.submitted import Ledger


class Line(BaseModel):
    sku: str
    count: int = 1


class Ship(JobArgs, kind="try.ship", aliases=("try.send",)):
    order: str
    lines: tuple[Line, ...] = ()
    to: dict[str, str] = {}  # noqa: RUF012 - pydantic copies it


@pytest.fixture
def shop():
    @job(Ship)
    def ship(args: Ship, _: JobContext) -> Line:
        return Line(sku=args.order)

    with Harness(JobRegistry(ship)) as tide:
        yield tide


def test_what_was_submitted_is_found_by_any_part_of_it(shop):
    sent = Ship(order="1", lines=(Line(sku="a"),), to={"city": "Oslo", "zip": "0150"})
    receipt = shop.client.submit(sent, tenant="acme", key="ship:1", delay=minutes(5), lane="bulk")

    found = assert_submitted(shop, Ship)
    assert found.args == sent
    assert (found.job_id, found.tenant) == (receipt.job_id, "acme")
    assert_submitted(shop, "try.ship")
    assert_submitted(shop, sent)
    assert_submitted(shop, Ship, {"to": {"city": "Oslo"}, "lines": [{"sku": "a", "count": 1}]})
    assert_submitted(shop, Ship, tenant="acme", key="ship:1", delay=minutes(5), lane="bulk", times=1)
    refute_submitted(shop, Ship(order="2"))
    refute_submitted(shop, Ship, {"to": {"city": "Bergen"}})
    refute_submitted(shop, Ship, {"lines": [{"sku": "a"}]})
    refute_submitted(shop, Ship, tenant="default")
    refute_submitted(shop, Ship, key=None)
    refute_submitted(shop, Doze)


def test_what_is_missing_is_said_with_what_is_there(shop):
    shop.client.submit(Ship(order="1"), key="ship:1")

    with pytest.raises(AssertionError) as failed:
        assert_submitted(shop, Ship, {"order": "2"}, tenant="acme")

    assert str(failed.value).splitlines() == [
        "Ship with match={'order': '2'}, tenant='acme' was not submitted",
        "submitted were:",
        "  try.ship Ship(order='1', lines=(), to={}) of default in lane default under key 'ship:1'",
    ]
    with pytest.raises(AssertionError, match="was 1 times submitted, and should have been 2 times"):
        assert_submitted(shop, Ship, times=2)
    with pytest.raises(AssertionError, match=r"Ship was submitted: try\.ship"):
        refute_submitted(shop, Ship)


def test_nothing_is_said_to_be_nothing(shop):
    with pytest.raises(AssertionError, match="nothing was submitted"):
        assert_submitted(shop, Ship)


def test_a_job_counts_once_however_often_it_is_sent(shop):
    shop.faults.deliver_twice()
    shop.client.submit(Ship(order="1"), key="k", delay=minutes(30))
    shop.client.submit(Ship(order="1"), key="k", delay=minutes(30))
    with pytest.raises(KeyConflictError):
        shop.client.submit(Ship(order="2"), key="k")
    shop.drain_until_idle()

    assert_submitted(shop, Ship, times=1)
    assert len(shop.submitted()) == 1


def test_what_was_refused_was_not_submitted(shop):
    shop.faults.throttle("send")
    with pytest.raises(Exception, match="send is unavailable"):
        shop.client.submit(Ship(order="1"))

    refute_submitted(shop, Ship)


def test_what_a_job_submits_is_seen(tide, world):
    world.does = lambda ctx: tide.client.submit(Doze(seconds=1), causation_id=ctx.job_id)
    cause = tide.run_one(Pay())

    found = assert_submitted(tide, Doze, {"seconds": 1})
    assert found.envelope.causation_id == cause.ref.id


def test_large_arguments_are_seen(shop):
    shop.client.submit(Ship(order="x" * 200_000))

    assert len(assert_submitted(shop, Ship).args.order) == 200_000


def test_results_are_compared_as_json_or_as_what_was_returned(shop):
    done = shop.run_one(Ship(order="1"))

    assert_succeeded(shop, done, {"sku": "1", "count": 1})
    assert_succeeded(shop, done, Line(sku="1"))
    assert_succeeded(shop, done.ref.id)
    with pytest.raises(AssertionError, match=r"returned \{'count': 1, 'sku': '1'\}, not None"):
        assert_succeeded(shop, done, None)


def test_a_job_that_failed_shows_why(tide, world):
    world.fails(error=PermanentError)
    done = tide.run_one(Pay())

    assert_dead(tide, done, "permanent", error="asleep")
    assert_dead(tide, done, error="PermanentError")
    with pytest.raises(AssertionError) as failed:
        assert_succeeded(tide, done)
    said = str(failed.value)
    assert "the job is not succeeded\ntry.pay default/" in said
    assert "generation 1, attempt 1: tidemill.domain.signals.PermanentError: the bank is asleep" in said
    assert "in fail\n" in said
    with pytest.raises(AssertionError, match="which does not contain 'awake'"):
        assert_dead(tide, done, error="awake")
    with pytest.raises(AssertionError, match=r"the job is not dead \(poison\)"):
        assert_dead(tide, done, "poison")


def test_retries_are_counted_and_deferrals_are_not(tide, world):
    def throttled(_):
        raise RateLimitedError(retry_after=seconds(3))

    world.does = throttled
    receipt = tide.client.submit(Pay())
    tide.run_for(seconds(10))
    with pytest.raises(AssertionError, match="retried 0 times, not at least once"):
        assert_retried(tide, receipt)

    world.fails(2)
    tide.run_for(minutes(2))
    assert_retried(tide, receipt, 2, error="TransientError")
    tide.drain_until_idle()
    assert_retried(tide, receipt, 2)
    with pytest.raises(AssertionError, match="retried 2 times, not 3 times"):
        assert_retried(tide, receipt, 3)
    with pytest.raises(AssertionError, match="no failure of the job contains 'KeyError'"):
        assert_retried(tide, receipt, error="KeyError")


def test_no_such_job_and_no_such_state(tide):
    with pytest.raises(AssertionError, match="there is no job default/nobody"):
        assert_state(tide, "nobody", "queued")
    with pytest.raises(ValueError, match="finished"):
        assert_state(tide, tide.client.submit(Pay()), "finished")


def test_what_sqs_refused_was_not_submitted(shop):
    shop.queues.outage = UnavailableError("send", "Throttled")
    with pytest.raises(UnavailableError):
        shop.client.submit(Ship(order="1"))

    refute_submitted(shop, Ship)


def test_the_loser_of_a_key_was_not_submitted(shop):
    """Two submits race: both messages are sent, and one record is written."""
    receipt = shop.client.submit(Ship(order="1"), key="k")
    loser = shop.client.submit(Ship(order="2"), key="other")
    lost = replace(assert_submitted(shop, Ship(order="2")).envelope, ref=receipt.job.ref)
    ledger = Ledger()
    ledger.saw("send", ("default", [Send(assert_submitted(shop, Ship(order="1")).envelope), Send(lost)]), [None, None])

    store = MemoryStore(jobs={receipt.job.ref: receipt.job})
    [found] = ledger.submitted(store, JobRegistry(job(Ship)(lambda args, ctx: None)), MemoryPayloads())
    assert found.args.order == "1"
    assert loser.created
