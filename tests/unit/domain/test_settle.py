"""What becomes of the message."""

import pytest

from tests.builders import MINUTE, NOW, OTHER_SEND_ID, SEND_ID, a_failure, a_job
from tidemill.domain.decide import Waits
from tidemill.domain.duration import milliseconds, minutes, seconds
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import (
    CLOCK_SKEW,
    MAX_FIFO_RECEIVES,
    MAX_HIDING,
    MAX_IN_ORDER_AGE,
    MAX_IN_QUEUE_WAIT,
    MAX_RECEIVES,
    SHORT_HOLD,
    SWEEP_AHEAD,
)
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete, Cost, Expire, Park, RetryLater, Stop
from tidemill.domain.settle import (
    ACK,
    LEAVE,
    TO_DLQ,
    UNASKED,
    Hold,
    Mine,
    Revival,
    Shelve,
    settle,
    settle_fenced_out,
    settle_refused,
)

HELD = Held(SEND_ID, NOW)
LATER = Held(SEND_ID, NOW + 1)
EARLIER = Held(SEND_ID, NOW - 1)
OTHER = Held(OTHER_SEND_ID, NOW + 1)
REACH = milliseconds(SWEEP_AHEAD + CLOCK_SKEW)


def refused(job, held=HELD, *, generation=1, fingerprint=None, owner="me", receives=1):
    mine = job.fingerprint if fingerprint is None else fingerprint
    waits = Waits(receives)
    return settle_refused(job, held, generation=generation, fingerprint=mine, owner=owner, now_ms=NOW, waits=waits)


@pytest.mark.parametrize(
    ("verdict", "settlement"),
    [
        (Complete(None, NOW), ACK),
        (Expire(NOW), ACK),
        (Stop(NOW), ACK),
        (Park(NOW + 99, 99, cost=Cost.ATTEMPT, reason="r", failure=None), ACK),
        (RetryLater(NOW + 99, 99, cost=Cost.ATTEMPT, reason="r", failure=None), Hold(NOW + 99)),
        (Bury("r", a_failure(), NOW), TO_DLQ),
    ],
)
def test_a_recorded_verdict_settles_its_message(verdict, settlement):
    assert settle(verdict) == settlement


@pytest.mark.parametrize("state", State)
def test_a_worker_that_lost_its_fence_acks_only_what_succeeded_or_was_cancelled(state):
    assert settle_fenced_out(a_job(state)) == (ACK if state in {State.SUCCEEDED, State.CANCELLED} else LEAVE)


def test_a_worker_whose_record_is_gone_leaves_the_message():
    assert settle_fenced_out(None) == LEAVE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("held", [HELD, LATER, OTHER])
@pytest.mark.parametrize("generation", [1, 2])
def test_a_message_with_other_arguments_than_the_record_never_runs(state, held, generation):
    assert refused(a_job(state), held, generation=generation, fingerprint="f" * 32) == ACK


FINAL_TABLE = [
    (State.SUCCEEDED, HELD, 1, ACK),
    (State.SUCCEEDED, LATER, 1, ACK),
    (State.SUCCEEDED, OTHER, 1, ACK),
    (State.SUCCEEDED, OTHER, 2, ACK),
    (State.CANCELLED, HELD, 1, ACK),
    (State.CANCELLED, LATER, 1, ACK),
    (State.CANCELLED, OTHER, 2, Revival.RERUN),
    (State.EXPIRED, LATER, 1, ACK),
    (State.EXPIRED, OTHER, 2, Revival.RERUN),
    (State.DEAD, HELD, 1, TO_DLQ),
    (State.DEAD, EARLIER, 1, TO_DLQ),
    (State.DEAD, LATER, 1, Revival.REDRIVE),
    (State.DEAD, OTHER, 1, ACK),
    (State.DEAD, OTHER, 2, Revival.RERUN),
    (State.DEAD, LATER, 2, Revival.RERUN),
]


@pytest.mark.parametrize(("state", "held", "generation", "expected"), FINAL_TABLE)
def test_a_final_state_settles_by_message_and_generation(state, held, generation, expected):
    assert refused(a_job(state, held=HELD), held, generation=generation) == expected


def test_of_a_later_generation_an_earlier_message_is_redundant():
    assert refused(a_job(State.DEAD, generation=2, held=OTHER), HELD, generation=1) == ACK
    assert refused(a_job(State.DEAD, generation=2, held=OTHER), LATER, generation=2) == ACK


def test_a_dead_job_that_nobody_held_takes_no_message_for_its_own():
    assert refused(a_job(State.DEAD, held=None), LATER) == ACK


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING, State.RUNNING, State.SCHEDULED])
@pytest.mark.parametrize("held", [HELD, LATER, OTHER])
def test_a_message_that_comes_too_early_is_hidden_until_its_time(state, held):
    assert refused(a_job(state, claimable_at=NOW + MINUTE, owns_args=False), held) == Hold(NOW + MINUTE)


def test_a_claimable_job_is_met_again_soon_and_never_at_once():
    assert refused(a_job(State.QUEUED, claimable_at=0)) == Hold(NOW + 1000)
    assert refused(a_job(State.RETRYING, claimable_at=NOW)) == Hold(NOW + 1000)


def test_a_lease_that_names_this_very_delivery_is_its_own():
    assert refused(a_job(State.RUNNING, owner="me")) == Mine()
    assert refused(a_job(State.RUNNING, owner="you", claimable_at=NOW + 5000)) == Hold(NOW + 5000)
    assert refused(a_job(State.RETRYING, owner="me", claimable_at=NOW + 5000)) == Hold(NOW + 5000)


@pytest.mark.parametrize("held", [HELD, OTHER])
def test_the_message_of_a_job_that_the_table_owns_is_not_needed(held):
    assert refused(a_job(State.SCHEDULED, claimable_at=NOW + REACH + 1), held) == ACK


@pytest.mark.parametrize("due_in", [1, 1000, REACH])
def test_what_a_sweep_may_just_have_sent_is_kept(due_in):
    assert refused(a_job(State.SCHEDULED, claimable_at=NOW + due_in), OTHER) == Hold(NOW + max(due_in, 1000))


@pytest.mark.parametrize(
    ("hold", "expected"),
    [
        (TO_DLQ, 0),
        (LEAVE, 0),
        (Hold(NOW - 5), 0),
        (Hold(NOW + 1), 1),
        (Hold(NOW + 1000), 1),
        (Hold(NOW + 1001), 2),
        (Hold(NOW + 365 * 24 * 60 * MINUTE), int(MAX_HIDING.total_seconds())),
    ],
)
def test_visibility_is_whole_seconds_never_early_and_never_more_than_sqs_takes(hold, expected):
    assert hold.seconds_from(NOW) == expected


def test_a_redrive_keeps_the_send_and_gets_a_later_time():
    assert LATER.is_redrive_of(HELD)
    assert not HELD.is_redrive_of(HELD)
    assert not EARLIER.is_redrive_of(HELD)
    assert not OTHER.is_redrive_of(HELD)


@pytest.mark.parametrize("due_in", [1, 1000, REACH])
def test_the_send_that_was_parked_is_not_needed_however_near_the_due_time_is(due_in):
    parked = a_job(State.SCHEDULED, claimable_at=NOW + due_in, owns_args=True, held=HELD)

    assert refused(parked, HELD) == ACK
    assert refused(parked, OTHER) == Hold(NOW + max(due_in, 1000))


@pytest.mark.parametrize("state", [State.QUEUED, State.RETRYING, State.RUNNING, State.SCHEDULED])
def test_a_message_older_than_the_one_that_was_claimed_is_not_needed(state):
    job = a_job(state, claimable_at=NOW + MINUTE, held=HELD, owns_args=False)

    assert refused(job, Held(OTHER_SEND_ID, NOW - 1)) == ACK
    assert refused(job, Held(OTHER_SEND_ID, NOW)) == Hold(NOW + MINUTE)
    assert refused(job, EARLIER) == Hold(NOW + MINUTE)


def test_an_older_message_is_kept_while_the_table_does_not_know_what_became_of_the_newer_one():
    job = a_job(State.RUNNING, claimable_at=NOW + MINUTE, held=HELD, watched=True)

    assert refused(job, Held(OTHER_SEND_ID, NOW - 1)) == Hold(NOW + MINUTE)


@pytest.mark.parametrize(
    ("receives", "in_order", "wait"),
    [
        (1, False, minutes(2)),
        (2, False, minutes(4)),
        (6, False, minutes(64)),
        (7, False, minutes(64)),
        (10, False, minutes(64)),
        (1, True, minutes(2)),
        (5, True, MAX_IN_ORDER_AGE / MAX_FIFO_RECEIVES),
        (99, True, MAX_IN_ORDER_AGE / MAX_FIFO_RECEIVES),
    ],
)
def test_a_message_that_the_table_tells_nothing_of_is_hidden_ever_longer(receives, in_order, wait):
    assert UNASKED.hold(receives, NOW, NOW, in_order=in_order) == Hold(NOW + milliseconds(wait))


def test_it_is_not_shown_before_a_claim_whose_answer_was_lost_would_be_over():
    assert UNASKED.hold(1, NOW + 10 * MINUTE, NOW, in_order=False) == Hold(NOW + 10 * MINUTE + milliseconds(SHORT_HOLD))


# --- a job that was postponed while its message was in the queue ---------------------------------


def postponed(wait, **fields):
    return a_job(State.QUEUED, claimable_at=NOW + milliseconds(wait), **fields)


def test_a_message_that_comes_long_before_a_postponed_job_lets_the_table_take_it_over():
    assert refused(postponed(minutes(2))) == Shelve()
    assert refused(postponed(MAX_IN_QUEUE_WAIT)) == Hold(NOW + milliseconds(MAX_IN_QUEUE_WAIT))


@pytest.mark.parametrize(("receives", "shelves"), [(1, False), (MAX_RECEIVES - 2, False), (MAX_RECEIVES - 1, True)])
def test_a_short_wait_leaves_the_queue_too_before_the_receives_are_used_up(receives, shelves):
    found = refused(postponed(seconds(5)), receives=receives)

    assert isinstance(found, Shelve) is shelves


@pytest.mark.parametrize(
    "job",
    [
        postponed(minutes(2), owns_args=True),
        postponed(minutes(-2)),
        a_job(State.RETRYING, claimable_at=NOW + 2 * MINUTE),
        a_job(State.RUNNING, claimable_at=NOW + 2 * MINUTE),
    ],
    ids=["the table has its arguments", "it is due", "a retry", "a lease"],
)
def test_nothing_else_is_taken_over(job):
    assert not isinstance(refused(job, receives=MAX_RECEIVES), Shelve)


def test_a_message_of_another_generation_is_no_way_back_for_it():
    assert isinstance(refused(postponed(minutes(2), generation=2), generation=1), Hold)


def test_nor_is_one_with_other_arguments():
    assert refused(postponed(minutes(2)), fingerprint="0" * 32) == ACK
