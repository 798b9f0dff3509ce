"""Every minute: parked jobs that fall due are sent."""

from dataclasses import replace

import pytest

from tests.builders import MINUTE, NOW, Greet
from tests.unit.service.conftest import raising
from tidemill import RateLimitedError, days, hours, minutes, seconds
from tidemill.domain.errors import IntegrityError, UnavailableError
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Unwritten


def test_what_falls_due_within_two_minutes_is_sent_to_start_to_the_second(world):
    job = world.submit(delay=hours(1))
    world.clock.advance(minutes(58) + seconds(30))

    assert world.janitor.sweep() == 1
    assert world.state(job) is State.QUEUED
    world.clock.advance(seconds(89))
    assert world.invoke() == []
    world.clock.advance(seconds(1.001))
    world.invoke()

    assert world.state(job) is State.SUCCEEDED
    assert world.telemetry.counts["JobsRevived"] == 1


def test_a_sweep_ends_when_its_time_is_over_and_the_next_goes_on(world):
    for _ in range(250):
        world.submit(delay=hours(1))
    world.clock.advance(hours(1))
    send, sent = world.queues.send, []

    def slow(lane, sends):
        sent.append(len(sends))
        world.clock.advance(seconds(1))
        return send(lane, sends)

    world.queues.send = slow

    assert world.janitor.sweep(world.clock.now_ms() + 1_500) == 200
    assert world.janitor.sweep(world.clock.now_ms() + 1_500) == 50
    assert sent == [100, 100, 50]


def test_what_is_not_yet_due_is_left(world):
    job = world.submit(delay=hours(1))
    world.clock.advance(minutes(57) + seconds(59))

    assert world.janitor.sweep() == 0
    assert (world.state(job), world.bodies()) == (State.SCHEDULED, [])


def test_what_was_cancelled_is_never_sent(world):
    job = world.submit(delay=hours(1))
    world.client.cancel(job.ref.id)
    world.clock.advance(days(1))

    assert world.janitor.sweep() == 0
    assert world.bodies() == []


def test_what_the_index_still_shows_though_it_moved_on_is_not_sent(world):
    job = world.submit(delay=hours(1))
    stale = world.job(job)
    world.client.cancel(job.ref.id)
    waiting = world.store.waiting
    world.store.waiting = lambda *args: replace(waiting(*args), jobs=(world.job(stale),))

    assert world.janitor.sweep() == 0
    assert world.bodies() == []


def test_what_is_cancelled_between_the_send_and_the_mark_stays_cancelled_and_never_runs(world):
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1))
    move = world.store.move

    def late(verb, before, after):
        world.store.move = move
        if verb is Verb.REVIVE:
            world.client.cancel(job.ref.id)
        return move(verb, before, after)

    world.store.move = late
    world.janitor.sweep()
    world.invoke()

    assert (world.state(job), world.runs, world.queues.count("default")) == (State.CANCELLED, [], 0)


def test_a_mark_that_failed_sends_once_more_and_the_job_runs_once(world):
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1))
    world.store.move, move = (lambda *_: Unwritten(UnavailableError("move", "x"))), world.store.move
    world.janitor.sweep()
    world.store.move = move

    world.settle()

    assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 1)


@pytest.mark.parametrize("slow_s", [0, 1, 29])
def test_a_message_that_overtakes_its_own_mark_on_a_slow_clock_is_not_lost(world, slow_s):
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1) - seconds(slow_s))
    worker_is_behind = world.clock.now_ms()
    move = world.store.move

    def late(verb, before, after):
        world.store.move = move
        delivery = world.queues._hand_out(world.queues._queues["default"].messages[0], worker_is_behind)
        world.work([delivery])
        return move(verb, before, after)

    world.store.move = late
    world.janitor.sweep()
    world.settle()

    assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 1)


def test_a_parked_job_keeps_its_attempts_and_runs_when_it_is_due(world):
    job = world.submit()
    world.does = [raising(ValueError()), raising(RateLimitedError(retry_after=hours(3)))]

    world.invoke()
    world.clock.advance(seconds(11))
    world.invoke()

    assert (world.state(job), world.job(job).attempt, world.queues.count("default")) == (State.SCHEDULED, 1, 0)
    world.clock.advance(hours(3) - minutes(1))
    world.settle()
    assert [attempt for _, _, attempt in world.runs] == [1, 2, 2]
    assert world.job(job).started_at >= NOW + 3 * 60 * MINUTE


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_one_job_without_arguments_keeps_no_other_waiting(world, damage):
    broken, sound = world.submit(delay=hours(1)), world.submit(Greet(name="eve"), delay=hours(1))
    world.clock.advance(hours(1))
    envelope_of = world.store.envelope_of

    def read(job):
        if job.ref != broken.ref:
            return envelope_of(job)
        if damage == "gone":
            return None
        raise IntegrityError("damaged")

    world.store.envelope_of = read

    assert world.janitor.sweep() == 1
    assert (world.state(broken), world.state(sound)) == (State.SCHEDULED, State.QUEUED)
    assert world.telemetry.events("alert") == ["parked_without_arguments"]


def test_while_the_queue_is_down_everything_stays_parked(world):
    job = world.submit(delay=hours(1))
    world.clock.advance(hours(1))
    world.queues.outage = UnavailableError("send", "down")

    assert world.janitor.sweep() == 0
    assert world.state(job) is State.SCHEDULED


def test_each_job_is_sent_to_its_own_lane(world):
    world.submit(delay=hours(1), lane="bulk")
    world.submit(delay=hours(1), lane="critical")
    world.clock.advance(hours(1))

    assert world.janitor.sweep() == 2
    assert (world.queues.count("bulk"), world.queues.count("critical"), world.queues.count("default")) == (1, 1, 0)


def test_a_crowd_that_falls_due_together_is_sent_in_one_run_or_the_next(world):
    for n in range(250):
        world.submit(Greet(times=n), delay=hours(1))
    world.clock.advance(hours(1))

    sent = world.janitor.sweep() + world.janitor.sweep()

    assert sent == world.queues.count("default") == 250


def test_a_record_that_waits_for_its_due_time_outlives_the_message_that_comes_then(world):
    job = world.submit(delay=days(300))

    assert job.ttl_s * 1000 > NOW + days(318) // seconds(0.001)
