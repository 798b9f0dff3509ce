"""Which move of the lifecycle it is to let a job start at another time."""

from dataclasses import replace

import pytest

from tests.builders import MINUTE, NOW, SECOND, a_job
from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, JobStateError
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.moving import AT_ONCE, is_later, moved

DUE = NOW + 20 * MINUTE
YEAR = milliseconds(limits.MAX_DELAY)


def waiting(state=State.SCHEDULED, *, due=DUE, **fields):
    owns = state is State.SCHEDULED
    fresh = {"fence": 0, "concluded": 0, "attempt": 0, "started_at": None, "owner": None, "held": None}
    return replace(a_job(state), **{**fresh, "claimable_at": due, "owns_args": owns, **fields})


def move(job, due):
    return moved(job, due, NOW, "to")


@pytest.mark.parametrize("due", [NOW + 1, DUE - 1, DUE + 1, NOW + YEAR])
def test_the_table_moves_what_it_sends_to_any_time_of_the_year_ahead(due):
    verb, after = move(waiting(), due)

    assert (verb, after.state, after.claimable_at) == (Verb.MOVE, State.SCHEDULED, due)


@pytest.mark.parametrize("due", [NOW, NOW - 5 * SECOND])
def test_what_is_not_after_now_is_at_once_on_every_clock(due):
    _, after = move(waiting(), due)

    assert after.claimable_at == AT_ONCE


@pytest.mark.parametrize(("due", "verb"), [(DUE + 1, Verb.SHELVE), (NOW + 1, Verb.SHELVE), (NOW, Verb.SHELVE)])
def test_the_table_takes_over_what_it_has_the_arguments_of(due, verb):
    taken, after = move(waiting(State.QUEUED, owns_args=True), due)

    assert (taken, after.state, after.owns_args) == (verb, State.SCHEDULED, True)


def test_another_queued_job_is_held_back():
    verb, after = move(waiting(State.QUEUED), DUE + 1)

    assert (verb, after.state, after.claimable_at, after.owns_args) == (Verb.POSTPONE, State.QUEUED, DUE + 1, False)


@pytest.mark.parametrize("due", [NOW, DUE - 1])
def test_and_can_not_be_called_forward(due):
    with pytest.raises(JobStateError, match=r"earlier.*durable_args"):
        move(waiting(State.QUEUED), due)


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED])
def test_the_time_that_it_has_is_no_move(state):
    assert move(waiting(state), DUE) is None


@pytest.mark.parametrize("owns", [True, False])
def test_a_job_that_its_queue_delivers_now_needs_no_move_to_now(owns):
    assert move(waiting(State.QUEUED, due=0, owns_args=owns), NOW) is None
    assert move(waiting(State.QUEUED, due=NOW - 1, owns_args=owns), NOW - 1) is None


def test_one_that_the_sweep_is_late_for_is_moved_to_now():
    verb, after = move(waiting(due=NOW - 5 * MINUTE), NOW)

    assert (verb, after.claimable_at) == (Verb.MOVE, AT_ONCE)


@pytest.mark.parametrize("state", sorted(set(State) - {State.SCHEDULED, State.QUEUED}))
def test_no_other_state_is_moved_and_the_error_says_which_it_is(state):
    with pytest.raises(JobStateError) as refused:
        move(a_job(state), DUE)

    assert refused.value.state == state
    assert f"is {state}" in str(refused.value)
    assert not str(refused.value).endswith("Fix: ")


@pytest.mark.parametrize("state", [State.SCHEDULED, State.QUEUED])
def test_the_record_outlives_the_messages_of_its_new_time_and_of_its_old_one(state):
    _, later = move(waiting(state), NOW + YEAR)
    _, sooner = move(waiting(ttl_s=message_ttl_s(DUE)), NOW + 1)

    assert later.ttl_s == message_ttl_s(NOW + YEAR)
    assert sooner.ttl_s == message_ttl_s(DUE)


def test_a_time_at_which_it_would_have_expired_is_refused():
    job = waiting(expires_at=DUE + MINUTE)

    assert move(job, DUE + MINUTE - 1)
    with pytest.raises(InputError, match="never run"):
        move(job, DUE + MINUTE)


@pytest.mark.parametrize("begun", [{"attempt": 1}, {"deferrals": 1}, {"reason": "handed_over"}])
def test_one_that_began_in_time_does_not_expire_any_more(begun):
    job = waiting(expires_at=DUE, fence=1, concluded=1, started_at=NOW - MINUTE, **begun)

    assert move(job, DUE + MINUTE)


def test_more_than_a_year_ahead_is_refused():
    with pytest.raises(InputError, match="to: is after"):
        move(waiting(), NOW + YEAR + 1)


def test_what_an_attempt_remembers_is_kept_for_a_year_and_no_move_outlasts_it():
    job = waiting(fence=1, concluded=1, attempt=1, started_at=NOW - 1_000)

    assert move(job, NOW - 1_000 + YEAR)
    with pytest.raises(InputError, match="remembers"):
        move(job, NOW - 999 + YEAR)


def test_a_later_generation_that_has_not_started_only_moves_forward():
    job = waiting(fence=3, concluded=3, generation=2)

    assert move(job, NOW + 1)
    with pytest.raises(InputError, match="remembers"):
        move(job, DUE + 1)


@pytest.mark.parametrize(("due", "later"), [(DUE + 1, True), (DUE - 1, False), (NOW, False)])
def test_only_a_later_time_needs_what_is_kept_for_longer(due, later):
    job = waiting()
    _, after = move(job, due)

    assert is_later(job, after) is later
