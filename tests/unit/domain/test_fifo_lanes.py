"""What a FIFO lane is, and how its messages may wait."""

import json
from datetime import timedelta

import pytest

from tests.builders import NOW, an_envelope
from tests.unit.domain.test_decide import DOWN, LIMITED, TRANSIENT, a_raise, running
from tidemill import JobArgs, JobRegistry, Lane, Retention, Retry, days, hours, job, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.death import DeathNotice
from tidemill.domain.decide import Waits, decide
from tidemill.domain.entity import Entity
from tidemill.domain.envelope import decode
from tidemill.domain.errors import DefinitionError, MalformedMessageError
from tidemill.domain.outcome import Bury, Continued, RetryLater, Returned, Suspect, Untouched
from tidemill.domain.sizing import size_lane


class Ship(JobArgs, kind="test.ship.definition"):
    x: int = 0


class Died(DeathNotice, kind="test.died.definition"):
    pass


def test_a_fifo_lane_runs_one_message_at_a_time():
    lane = Lane("orders", fifo=True)

    assert (lane.batch_size, lane.concurrency, lane.batch_window) == (1, 1, seconds(0))
    assert (Lane("bulk").batch_size, Lane("bulk").concurrency) == (10, 10)
    assert Lane("orders", fifo=True, batch_size=1, concurrency=1) == lane
    sizing = size_lane(lane, [])
    assert sizing.max_receives == limits.MAX_FIFO_RECEIVES
    assert sizing.visibility_timeout == sizing.function_timeout * 6


@pytest.mark.parametrize(
    "choices",
    [
        {"batch_size": 2},
        {"batch_size": 10},
        {"concurrency": 10},
        {"batch_window": seconds(1)},
    ],
)
def test_what_would_break_its_order_is_refused(choices):
    with pytest.raises(DefinitionError, match=r"Lane\('orders'\) is FIFO: .*Fix: leave batch_size, concurrency"):
        Lane("orders", fifo=True, **choices)


def test_fifo_is_yes_or_no():
    with pytest.raises(DefinitionError, match=r"Lane\('orders'\)\.fifo is 'yes'. Fix: give a bool"):
        Lane("orders", fifo="yes")


def test_a_notice_of_a_death_has_no_entity_and_so_no_fifo_lane():
    ship = job(Ship, on_dead=Died)(lambda args, ctx: None)
    lanes = (Lane("default"), Lane("orders", fifo=True))

    JobRegistry(ship, job(Died)(lambda args, ctx: None), lanes=lanes)
    with pytest.raises(DefinitionError, match=r"on_dead Died, which runs in FIFO lane 'orders'.*Fix"):
        JobRegistry(ship, job(Died, lane="orders")(lambda args, ctx: None), lanes=lanes)


def test_a_group_is_its_tenants_own_and_no_longer_than_sqs_takes():
    groups = {Entity(tenant, "orders", name).group for tenant in ("acme", "zeta") for name in ("a", "b", "e" * 128)}

    assert len(groups) == 6
    assert {len(group) for group in groups} == {64}
    # The lane is a queue of its own.
    assert Entity("acme", "orders", "a").group == Entity("acme", "mail", "a").group


@pytest.mark.parametrize("entity", ["", "a" * 129, "two words", "\u00e4", 5])
def test_an_envelope_with_another_entity_is_not_whole(entity):
    with pytest.raises(MalformedMessageError, match="entity"):
        decode({**json.loads(an_envelope().encode()), "entity": entity})


# --- waiting -------------------------------------------------------------------------------------

KEEP = Retention(dead=days(5))


def verdict(attempt, *, receives=1, age=timedelta(0), job=None, retry=None):
    waits = Waits(receives, in_order=True, age=age)
    retry = retry or Retry(base=seconds(2), cap=hours(1))
    return decide(job or running(), attempt, retry=retry, retention=KEEP, waits=waits, now_ms=NOW, random=lambda: 0.5)


WAITING = [Untouched(), Suspect(1), Continued(), a_raise(LIMITED, wait=seconds(5)), a_raise(DOWN), a_raise(TRANSIENT)]


@pytest.mark.parametrize("attempt", WAITING)
def test_who_waits_dies_with_a_reason_before_the_queue_gives_up_on_its_message(attempt):
    assert isinstance(verdict(attempt, receives=limits.MAX_FIFO_RECEIVES - 1), RetryLater)

    found = verdict(attempt, receives=limits.MAX_FIFO_RECEIVES)
    assert (type(found), found.reason) == (Bury, "receives_exhausted")
    assert found.failure.message
    assert found.keep_until == NOW + 5 * 86_400_000


@pytest.mark.parametrize("attempt", WAITING)
def test_who_waited_too_long_dies_so_that_those_behind_it_run_before_they_are_deleted(attempt):
    assert isinstance(verdict(attempt, age=limits.MAX_IN_ORDER_AGE - hours(2)), RetryLater)

    found = verdict(attempt, age=limits.MAX_IN_ORDER_AGE + seconds(1))
    assert (type(found), found.reason) == (Bury, "waited_too_long")
    # Who waits behind has as long again.
    assert limits.MAX_IN_ORDER_AGE * 2 <= limits.SOURCE_RETENTION


def test_a_wait_that_would_end_too_late_is_not_begun():
    assert verdict(a_raise(LIMITED, wait=days(3))).reason == "waited_too_long"


def test_who_ends_ends_however_late():
    assert not isinstance(verdict(Returned(None), receives=100, age=days(3)), Bury)


def test_the_second_half_of_the_receives_lasts_for_days():
    half = limits.MAX_FIFO_RECEIVES // 2
    waits = [verdict(a_raise(LIMITED, wait=seconds(5)), receives=receives).wait_ms for receives in range(1, 100)]

    assert set(waits[:half]) == {5_000}
    assert waits[half:] == sorted(waits[half:])
    assert timedelta(milliseconds=sum(waits)) > days(1)
    untouched = [verdict(Untouched(), receives=receives).wait_ms for receives in range(1, 100)]
    assert set(untouched[:half]) == {0}
    assert timedelta(milliseconds=sum(untouched)) > days(1)
    # One that gets on with its work is not slowed.
    assert verdict(Continued(), receives=99).wait_ms == 0


def test_a_hold_ends_before_the_twelve_hours_that_sqs_counts_from_the_receive():
    assert hours(12) >= limits.MAX_HIDING + limits.MAX_FUNCTION_TIMEOUT
    assert hours(11) + minutes(30) < limits.MAX_HIDING
