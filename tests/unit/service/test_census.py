"""The census: deaths that only the DLQ knows of."""

from dataclasses import replace

import pytest

from tests.builders import MINUTE, OTHER_SEND_ID, Greet, an_envelope, moved
from tests.unit.service.conftest import raising
from tidemill import RateLimitedError, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.domain.message import Held


def forget_receives(world, lane="default"):
    """SQS hands the lane's messages out to nobody until it gives up."""
    for _ in range(MAX_RECEIVES + 1):
        world.queues.receive(lane)
        world.clock.advance(minutes(7))
    world.queues.receive(lane)


def console_redrive(world, lane="default"):
    return moved(world.queues, lane, lambda _: True, 100, 100)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_job_that_no_worker_ever_saw_is_recorded_as_dead(world, recorded):
    envelope = an_envelope(ref=world.submit().ref) if recorded else an_envelope()
    if not recorded:
        world.send(envelope)
    forget_receives(world)

    assert world.janitor.census() == 1

    job = world.job(envelope.ref)
    assert (job.state, job.reason, job.owns_args) == (State.DEAD, "never_ran", True)
    assert world.telemetry.counts["DeathsReported"] == 1
    assert world.janitor.census() == 0
    console_redrive(world)
    world.settle()
    assert world.state(job) is State.SUCCEEDED


def test_a_job_whose_worker_died_on_its_last_receive_is_recorded_as_crashed(world):
    job = world.submit()
    for _ in range(MAX_RECEIVES - 1):
        world.queues.receive("default")
        world.clock.advance(minutes(7))
    world.crash()
    world.clock.advance(minutes(10))
    world.queues.receive("default")

    assert world.janitor.census() == 1

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "crashed")


def test_what_the_census_keeps_is_kept_as_long_as_the_dead_job(world):
    kept = []
    world.submit()
    forget_receives(world)
    keep = world.store.keep
    world.store.keep = lambda envelopes, ttl_s: (kept.extend(ttl_s), keep(envelopes, ttl_s))[1]

    world.janitor.census()

    (job,) = world.store.jobs.values()
    assert kept == [job.ttl_s]
    assert job.ttl_s * 1000 > job.keep_until


def test_no_job_is_recorded_as_dead_without_its_arguments(world):
    job = world.submit()
    forget_receives(world)
    world.store.keep = lambda envelopes, ttl_s: [UnavailableError("keep", "down")]

    assert world.janitor.census() == 0
    assert world.state(job) is State.QUEUED


def test_a_live_lease_is_left_alone_whatever_the_dlq_holds(world):
    job = world.submit()
    forget_receives(world)
    console_redrive(world)
    world.begin(world.queues.receive("default"), within=minutes(14))
    forget = world.queues._queues["default"].messages.pop()
    world.queues._dlqs["default"].messages.append(forget)
    world.clock.advance(minutes(14))

    assert world.janitor.census() == 0
    assert world.state(job) is State.RUNNING
    world.clock.advance(minutes(4))
    assert world.janitor.census() == 1


def test_a_redundant_copy_in_the_dlq_is_no_death(world):
    envelope = an_envelope()
    world.send(envelope.resend(OTHER_SEND_ID))
    forget_receives(world)
    world.send(envelope)
    world.does = [raising(ValueError())]
    world.invoke()
    world.clock.advance(minutes(5))

    assert world.janitor.census() == 0
    assert world.state(envelope.ref) is State.RETRYING


def claimed_by_a_deleted_duplicate(world):
    """A parked job is sent anew; the copy that was acked comes back, claims it and dies; the new one is given up."""
    job = world.submit()
    (first,) = world.queues.receive("default")
    world.does = [raising(RateLimitedError(retry_after=minutes(20)))]
    world.work([first])
    world.clock.advance(minutes(20))
    world.janitor.sweep()
    world.clock.advance(seconds(1))
    world.begin([first])
    world.clock.advance(minutes(20))
    forget_receives(world)
    assert (world.state(job), world.queues.depth("default"), world.queues.count("default")) == (State.RUNNING, 1, 0)
    return job


def test_a_job_whose_claimed_message_was_deleted_is_dead_once_no_other_copy_can_come(world):
    job = claimed_by_a_deleted_duplicate(world)

    world.clock.advance(limits.SOURCE_RETENTION - hours(4))
    assert world.janitor.census() == 0
    world.clock.advance(hours(4))
    assert world.janitor.census() == 1

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "crashed")
    console_redrive(world)
    world.settle()
    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)


def test_a_job_that_was_sent_anew_and_waits_for_days_is_not_dead_for_an_old_copy(world):
    job = world.submit()
    old = world.job(job)
    forget_receives(world)
    sent = replace(old, state=State.QUEUED, held=Held(OTHER_SEND_ID, world.clock.now_ms()), started_at=1)
    world.store.jobs[job.ref] = sent
    world.clock.advance(limits.SOURCE_RETENTION * 2)

    assert world.janitor.census() == 0


def test_the_message_of_a_lost_key_race_in_the_dlq_is_no_death(world):
    job = world.submit(Greet(name="win"), key="k")
    world.send(an_envelope(ref=job.ref))
    world.queues._queues["default"].messages.pop(0)
    forget_receives(world)

    assert world.janitor.census() == 0
    assert world.state(job) is State.QUEUED


def test_a_parked_job_that_was_sent_again_and_died_unseen_is_recorded(world):
    job = world.submit()
    world.does = [raising(RateLimitedError(retry_after=minutes(20)))]
    world.invoke()
    world.clock.advance(minutes(20))
    world.janitor.sweep()
    forget_receives(world)

    assert world.janitor.census() == 1
    assert world.state(job) is State.DEAD


def test_a_rerun_that_died_unseen_is_recorded_although_the_old_message_is_still_there(world):
    job = world.kill(key="k")
    world.clock.advance(minutes(1))
    world.submit(key="k")
    world.clock.advance(minutes(5))
    assert world.janitor.census() == 0
    forget_receives(world)

    assert world.janitor.census() == 1
    assert (world.state(job), world.job(job).generation) == (State.DEAD, 2)


def test_a_death_is_not_reported_while_a_worker_may_still_be_coming(world):
    world.submit()
    for _ in range(MAX_RECEIVES + 1):
        world.queues.receive("default")
        world.clock.advance(seconds(0))
    for message in list(world.queues._queues["default"].messages):
        world.queues._bury("default", message)

    assert world.janitor.census() == 0
    world.clock.advance(seconds(2 * MINUTE // 1000 + 1))
    assert world.janitor.census() == 1


def test_plain_and_unreadable_messages_that_no_worker_read_are_recorded_as_dead(world):
    world.queues.put("default", "bad")
    world.queues.put("default", '{"kind":"test.greet","args":{},"tenant":"acme"}')
    forget_receives(world)

    assert (world.queues.depth("default"), world.janitor.census()) == (2, 2)

    found = {(job.kind, job.ref.tenant, job.state, job.reason) for job in world.store.jobs.values()}
    assert found == {
        ("unreadable", "default", State.DEAD, "never_ran"),
        ("test.greet", "acme", State.DEAD, "never_ran"),
    }
    assert (world.janitor.census(), len(world.store.jobs)) == (0, 2)


def test_a_refused_message_keeps_the_record_of_its_refusal(world):
    world.queues.put("default", "bad")
    world.invoke()
    forget_receives(world)

    assert world.janitor.census() == 0
    assert [job.reason for job in world.store.jobs.values()] == ["malformed_message"]


def test_a_death_is_found_behind_hundreds_of_known_ones(world):
    for _ in range(300):
        world.queues.put("default", "bad")
    for _ in range(30 * MAX_RECEIVES):
        world.invoke()
    forget_receives(world)
    job = world.submit()
    forget_receives(world)

    assert world.janitor.census() == 1
    assert world.state(job) is State.DEAD


def test_a_census_ends_when_its_time_is_over(world):
    world.submit()
    forget_receives(world)

    assert world.janitor.census(world.clock.now_ms()) == 0
    assert world.janitor.census(world.clock.now_ms() + 1) == 1


def in_the_dlq(world, envelope, job):
    """A copy whose receives are used up, beside the record of its job."""
    world.send(envelope)
    forget_receives(world)
    world.store.jobs[job.ref] = job
    assert world.queues.depth("default") == 1


OVER = {State.SUCCEEDED, State.CANCELLED, State.EXPIRED}


@pytest.mark.parametrize("state", State)
def test_a_copy_of_a_job_that_is_over_and_not_dead_is_deleted(world, state):
    envelope = an_envelope()
    record = replace(envelope.record("default", State.QUEUED, 1), state=state, claimable_at=None)
    in_the_dlq(world, envelope, record)

    world.janitor.census()

    assert world.queues.depth("default") == (0 if state in OVER else 1)
    assert world.telemetry.counts.get("SpareLettersDiscarded", 0) == (1 if state in OVER else 0)


@pytest.mark.parametrize("state", sorted(OVER))
def test_a_copy_that_asks_for_a_later_generation_is_kept_unless_the_job_succeeded(world, state):
    envelope = replace(an_envelope(), generation=2)
    record = replace(envelope.record("default", State.QUEUED, 1), state=state, claimable_at=None, generation=1)
    in_the_dlq(world, envelope, record)

    world.janitor.census()

    assert world.queues.depth("default") == (0 if state is State.SUCCEEDED else 1)


def test_the_loser_of_a_key_is_kept(world):
    envelope = an_envelope()
    record = replace(envelope.record("default", State.QUEUED, 1), state=State.SUCCEEDED, fingerprint="f" * 32)
    in_the_dlq(world, envelope, record)

    world.janitor.census()

    assert world.queues.depth("default") == 1


def given_up_while_it_waits(world, fails=1):
    """A job that waits for its next attempt, and whose message duplicates have used up."""
    world.does = [raising(ValueError())] * fails
    job = world.submit()
    world.invoke()
    assert world.state(job) is State.RETRYING
    forget_receives(world)
    assert world.queues.depth("default") == 1
    return job


def test_a_job_that_only_waits_for_its_next_attempt_is_sent_anew(world):
    job = given_up_while_it_waits(world)

    assert world.janitor.census() == 0

    assert (world.state(job), world.job(job).owns_args) == (State.SCHEDULED, True)
    assert world.telemetry.counts["JobsRescued"] == 1
    assert world.janitor.census() == 0
    assert world.queues.depth("default") == 0
    world.janitor.sweep()
    world.settle()
    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 1)


def test_a_rescued_job_keeps_its_count_of_attempts(world):
    job = given_up_while_it_waits(world)
    world.janitor.census()
    world.janitor.sweep()
    world.does = [raising(ValueError())]
    world.invoke()

    assert (world.job(job).attempt, world.job(job).tries) == (2, 2)


def test_a_copy_is_deleted_once_a_later_one_has_claimed_the_job(world):
    job = given_up_while_it_waits(world)
    (letter,) = world.queues._dlqs["default"].messages
    world.janitor.census()
    world.janitor.sweep()
    world.does = [raising(ValueError())]
    world.invoke()
    assert world.state(job) is State.RETRYING
    assert world.queues._dlqs["default"].messages == [letter]

    world.janitor.census()

    assert world.queues.depth("default") == 0


def test_no_job_is_sent_anew_without_its_arguments(world):
    job = given_up_while_it_waits(world)
    world.store.keep = lambda envelopes, ttl_s: [UnavailableError("keep", "down")]

    assert world.janitor.census() == 0
    assert world.state(job) is State.RETRYING


def test_a_job_whose_workers_cannot_start_is_rescued_once_and_then_dead(world):
    job = given_up_while_it_waits(world)
    world.janitor.census()
    world.janitor.sweep()
    forget_receives(world)

    assert world.janitor.census() == 1
    assert (world.state(job), world.job(job).reason) == (State.DEAD, "crashed")
