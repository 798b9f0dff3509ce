"""FIFO lanes: how long somebody may hold back an entity, and how the dead come back."""

from datetime import timedelta

import pytest

from tests.builders import HOUR, moved
from tests.unit.service.conftest import PERMANENT, raising
from tests.unit.service.ordered import LANE, OrderedWorld
from tidemill import RateLimitedError, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.lifecycle import State
from tidemill.service.manner import Manner, Mode


@pytest.fixture
def world():
    return OrderedWorld()


# --- waiting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wait", [seconds(5), minutes(10), hours(20)])
def test_whoever_waits_waits_in_the_queue(world, wait):
    job = world.ship("a")
    world.ship("a")
    world.does = [raising(RateLimitedError(retry_after=wait))]
    world.drain()
    assert (world.state(job), world.queues.count(LANE)) == (State.RETRYING, 2)

    received = 0
    end = world.clock.now_ms() + int(wait.total_seconds() * 1000)
    while world.clock.now_ms() < end:
        assert len(world.saw) == 1
        assert world.janitor.sweep() == 0
        world.clock.advance(wait / 50)
        received += len(world.step())
    # At the very millisecond it may not start yet, and is hidden for a second more.
    world.clock.advance(seconds(1.1))
    world.drain()

    assert [one[:3] for one in world.saw] == [("a", 1, None), ("a", 1, None), ("a", 2, 1)]
    # At its end, and once before if it is longer than SQS hides a message.
    assert received == (2 if wait > limits.MAX_HIDING else 1)


def test_an_outage_of_six_hours_kills_nobody_and_changes_no_order(world):
    for _ in range(3):
        world.ship("a")
    end = world.clock.now_ms() + 6 * HOUR
    while world.clock.now_ms() < end:
        world.does = [raising(ConnectionRefusedError("down"))]
        world.step()
        world.clock.advance(minutes(1))
    assert world.queues.depth(LANE) == 0

    world.does = []
    for _ in range(120):
        world.drain()
        world.clock.advance(minutes(1))

    assert [one[1] for one in world.saw if one[1] != 1] == [2, 3]
    assert world.queues.depth(LANE) == 0


def test_a_dependency_that_asks_for_five_seconds_again_and_again_is_waited_for_a_day(world):
    job = world.ship("a")
    for _ in range(24 * 60):
        world.does = [raising(RateLimitedError(retry_after=seconds(5)))]
        world.drain()
        world.clock.advance(minutes(1))

    assert world.state(job) is State.RETRYING


def test_who_waits_too_long_dies_so_that_who_waits_behind_is_not_deleted(world):
    job = world.ship("a")
    behind = world.ship("a")
    waited = timedelta(0)
    while not world.job(job).state.is_final:
        world.does = [raising(RateLimitedError(retry_after=minutes(30)))]
        world.drain()
        world.clock.advance(minutes(10))
        waited += minutes(10)

    assert world.job(job).reason == "waited_too_long"
    assert limits.MAX_IN_ORDER_AGE - hours(1) < waited <= limits.MAX_IN_ORDER_AGE
    world.does = []
    world.drain()
    # The one behind is as old, and had its turn.
    assert world.state(behind) is State.SUCCEEDED


def test_a_job_that_goes_on_and_on_ends_before_the_queue_gives_up_on_it(world):
    def go_on(_, ctx):
        object.__setattr__(ctx.lifeline, "hands_over_at", 0)
        ctx.checkpoint({"at": 1})

    job = world.ship("a")
    behind = world.ship("a")
    while not world.job(job).state.is_final:
        world.does = [go_on]
        assert world.step()
        world.clock.advance(seconds(1))

    assert world.job(job).reason == "receives_exhausted"
    assert len(world.saw) == limits.MAX_FIFO_RECEIVES
    world.does = []
    world.drain()
    assert world.state(behind) is State.SUCCEEDED


# --- back from the DLQ ---------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["queue", "table"])
def test_a_redriven_job_has_its_number_still_and_sees_that_it_is_late(world, way):
    job = world.ship("a")
    world.ship("a")
    world.does = [raising(PERMANENT)]
    world.drain()

    world.clock.advance(seconds(1))
    if way == "queue":
        moved(world.queues, LANE, lambda _: True, 10)
    else:
        world.queues._dlqs[LANE].messages.clear()
        world.desk.redrive(job.ref)
    world.drain()

    assert world.state(job) is State.SUCCEEDED
    assert world.saw[-1] == ("a", 1, 2, 2)
    world.ship("a")
    world.drain()
    assert world.saw[-1] == ("a", 3, 2, 1)


def test_a_restart_goes_to_the_end_of_its_entitys_line(world):
    job = world.ship("a")
    world.does = [raising(PERMANENT)]
    world.drain()
    world.does = [raising(OSError("x"))]
    world.ship("a")
    world.step()
    world.desk.redrive(job.ref, Manner(Mode.RESTART))
    assert world.step() == []

    world.clock.advance(minutes(1))
    world.drain()
    world.janitor.sweep()
    world.drain()

    assert [one[1] for one in world.saw] == [1, 2, 2, 1]


def test_a_death_nobody_saw_keeps_its_entity_and_its_number(world):
    job = world.ship("a")
    world.store.jobs.clear()
    for _ in range(limits.MAX_FIFO_RECEIVES):
        (delivery,) = world.queues.receive(LANE, 1)
        world.queues.hide(LANE, [(delivery.receipt, 0)])
    assert world.queues.receive(LANE, 1) == []
    world.clock.advance(minutes(10))

    assert world.janitor.census() == 1
    assert world.job(job).reason == "never_ran"
    world.queues._dlqs[LANE].messages.clear()
    world.desk.redrive(job.ref)
    world.drain()

    assert world.saw == [("a", 1, None, 2)]


def test_a_job_that_was_submitted_again_is_not_taken_for_dead_by_its_old_message(world):
    """A FIFO queue gives a message a new time when it moves it to the DLQ."""
    job = world.ship("a", key="k")
    world.clock.advance(seconds(5))
    world.does = [raising(PERMANENT)]
    world.drain()
    assert world.queues.depth(LANE) == 1
    world.ship("a", key="k")
    world.clock.advance(minutes(10))

    assert world.janitor.census() == 0
    world.drain()
    assert world.state(job) is State.SUCCEEDED


def test_a_job_whose_message_is_used_up_is_dead_and_overtakes_nobody(world):
    job = world.ship("a")
    world.does = [raising(ValueError())]
    world.drain()
    assert world.state(job) is State.RETRYING
    for _ in range(limits.MAX_FIFO_RECEIVES + 1):
        world.queues.receive(LANE)
        world.clock.advance(minutes(7))
    assert world.queues.depth(LANE) == 1

    assert world.janitor.census() == 1

    assert world.state(job) is State.DEAD
