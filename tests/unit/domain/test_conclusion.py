"""The record after a verdict, and the arithmetic of attempts and crashes."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import DAY, NOW, SEND_ID, WAITING, a_failure, a_job
from tidemill.domain.conclusion import (
    cancelled,
    concluded,
    final_ttl_s,
    message_ttl_s,
    reported_dead,
    revived,
    verb_of,
)
from tidemill.domain.lifecycle import State, Verb, check_move
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete, Cost, Expire, Park, RetryLater, Stop

HELD = Held(SEND_ID, NOW)
COMPLETE = Complete('"r"', NOW + DAY)
EXPIRE = Expire(NOW + DAY)
STOP = Stop(NOW + DAY)
BURY = Bury("poison", a_failure(), NOW + DAY)
RETRY = RetryLater(NOW + 5, 5, cost=Cost.ATTEMPT, reason="error", failure=a_failure())
PARK = Park(NOW + 9, 9, cost=Cost.ATTEMPT, reason="error", failure=a_failure())
DEFER = RetryLater(NOW + 5, 5, cost=Cost.DEFERRAL, reason="rate_limited", failure=None)
PARKED_DEFERRAL = Park(NOW + 9, 9, cost=Cost.DEFERRAL, reason="rate_limited", failure=None)


@pytest.mark.parametrize(
    ("verdict", "verb", "state"),
    [
        (COMPLETE, Verb.COMPLETE, State.SUCCEEDED),
        (EXPIRE, Verb.EXPIRE, State.EXPIRED),
        (BURY, Verb.BURY, State.DEAD),
        (STOP, Verb.STOP, State.CANCELLED),
        (RETRY, Verb.RETRY, State.RETRYING),
        (PARK, Verb.PARK, State.SCHEDULED),
    ],
)
def test_each_verdict_is_a_move_of_the_table(verdict, verb, state):
    after = concluded(a_job(State.RUNNING), verdict, NOW + 3)

    assert (verb_of(verdict), after.state) == (verb, state)
    check_move(verb, State.RUNNING, after.state)
    assert after.concluded == a_job(State.RUNNING).concluded + 1


@pytest.mark.parametrize("verdict", [COMPLETE, EXPIRE, BURY, STOP])
def test_a_final_record_is_not_claimable_and_is_kept_for_its_retention(verdict):
    after = concluded(a_job(State.RUNNING), verdict, NOW + 3)

    assert after.claimable_at is None
    assert (after.finished_at, after.keep_until) == (NOW + 3, NOW + DAY)
    assert (after.is_gone(NOW + DAY - 1), after.is_gone(NOW + DAY)) == (False, True)


def test_what_each_end_leaves_in_the_record():
    job = a_job(State.RUNNING)

    assert concluded(job, COMPLETE, NOW).result == '"r"'
    assert concluded(job, EXPIRE, NOW).reason == "expired"
    dead = concluded(job, BURY, NOW)
    assert (dead.reason, dead.error, dead.owns_args) == ("poison", a_failure().fingerprint, True)
    assert concluded(job, RETRY, NOW).owns_args is False
    assert concluded(job, PARK, NOW).owns_args is True


@pytest.mark.parametrize("verdict", [RETRY, PARK])
def test_a_waiting_record_is_claimable_at_its_time_and_remembers_the_wait(verdict):
    after = concluded(a_job(State.RUNNING), verdict, NOW)

    assert (after.claimable_at, after.wait_ms, after.reason) == (verdict.at, verdict.wait_ms, "error")
    assert after.ttl_s >= message_ttl_s(verdict.at)


def test_a_record_outlives_its_retention_and_every_message_that_names_it():
    short = a_job(State.RUNNING, ttl_s=10)

    assert final_ttl_s(short, 99_000) == 100
    assert final_ttl_s(replace(short, ttl_s=500), 99_000) == 500
    assert message_ttl_s(NOW) == (NOW + 19 * DAY) // 1000


@pytest.mark.parametrize("state", WAITING)
def test_a_cancelled_record_is_final(state):
    after = cancelled(a_job(state), NOW + 1, NOW + DAY)

    assert (after.state, after.claimable_at, after.reason) == (State.CANCELLED, None, "cancelled")
    assert (after.finished_at, after.keep_until, after.owns_args) == (NOW + 1, NOW + DAY, False)


def test_a_revived_record_waits_for_the_message_that_was_sent():
    parked = a_job(State.SCHEDULED, claimable_at=NOW + 30 * DAY, ttl_s=1)

    after = revived(parked, NOW + 30 * DAY)

    assert (after.state, after.claimable_at) == (State.QUEUED, parked.claimable_at)
    assert after.ttl_s == message_ttl_s(NOW + 30 * DAY)


@pytest.mark.parametrize(("attempt", "reason"), [(0, "never_ran"), (1, "crashed")])
def test_a_reported_death_says_whether_a_worker_ever_held_the_job(attempt, reason):
    after = reported_dead(a_job(State.QUEUED, attempt=attempt), HELD, NOW, NOW + DAY)

    assert (after.state, after.reason, after.held, after.owns_args) == (State.DEAD, reason, HELD, True)


@dataclass
class Counter:
    """The simplest account of what happened in one generation."""

    generation: int = 1
    tries: int = 0
    crashes: int = 0
    deferrals: int = 0
    fence: int = 0


STEPS = st.lists(st.sampled_from(["crash", "retry", "park", "defer", "park_deferral", "bury", "redrive"]), max_size=30)


@given(STEPS)
def test_attempts_and_crashes_add_up_over_any_history(steps):
    job, count = a_job(State.QUEUED), Counter()

    def claim():
        nonlocal job
        job = job.claimed("owner", HELD, NOW, NOW, 0)
        count.fence += 1
        count.tries += 1

    claim()
    for step in steps:
        if step == "crash":
            count.tries -= 1
            count.crashes += 1
        elif step in {"retry", "park"}:
            job = concluded(job, RETRY if step == "retry" else PARK, NOW)
        elif step in {"defer", "park_deferral"}:
            job = concluded(job, DEFER if step == "defer" else PARKED_DEFERRAL, NOW)
            count.tries -= 1
            count.deferrals += 1
        else:
            job = concluded(job, BURY, NOW)
            if step == "bury":
                break
            count = Counter(generation=count.generation + 1, tries=1, fence=count.fence + 1)
            job = job.regenerated("owner", HELD, NOW, NOW, 0)
            assert (job.attempt, job.crashes, job.tries, job.error, job.reason) == (1, 0, 1, None, None)
            continue
        assert (job.crashes, job.tries) == (count.crashes, count.tries) or step == "crash"
        claim()
        assert job.tries >= 1

    assert (job.generation, job.tries, job.crashes) == (count.generation, count.tries, count.crashes)
    assert (job.deferrals, job.fence) == (count.deferrals, count.fence)


def test_a_reopened_record_keeps_its_identity_and_forgets_its_last_generation():
    dead = a_job(State.DEAD, fence=7, concluded=4, attempt=6, deferrals=2, result="1", error="e", reason="r", key="k")

    after = dead.reopened(State.QUEUED, 0, 99)

    assert (after.ref, after.key, after.fingerprint, after.created_at) == (dead.ref, "k", dead.fingerprint, NOW)
    assert (after.generation, after.fence, after.attempt, after.crashes) == (2, 7, 0, 0)
    assert (after.result, after.error, after.reason, after.owner, after.keep_until) == (None,) * 5
