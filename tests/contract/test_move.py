"""JobStore.move: one step of the lifecycle, if nobody else made one in between."""

from dataclasses import replace

import pytest

from tests.contract.builders import KEEP, LEASE, NOW, TTL, make_claim, make_job
from tidemill.domain.lifecycle import TRANSITIONS, Guard, State, Verb
from tidemill.domain.message import Held
from tidemill.domain.ports import Refused, Written

MOVES = [(move, source) for move in TRANSITIONS if move.guard is Guard.UNCHANGED for source in sorted(move.sources)]
MOVED = pytest.mark.parametrize(("move", "source"), MOVES, ids=lambda value: str(getattr(value, "verb", value)))


def after_move(before, move):
    """Some record that `move` leads to."""
    if move.new_generation and move.target is State.RUNNING:
        return before.regenerated("the-next-owner", Held("s", NOW + 7), NOW + 8, LEASE + 8, TTL + 8)
    if move.new_generation:
        return before.reopened(move.target, NOW + 9, TTL + 9, owns_args=True)
    if move.target.is_final:
        return replace(before, state=move.target, claimable_at=None, finished_at=NOW, keep_until=KEEP, reason="why")
    at = 0 if before.claimable_at else NOW + 9
    return replace(before, state=move.target, claimable_at=at, held=None, wait_ms=0)


@MOVED
def test_an_unchanged_record_moves(store, reader, move, source):
    before = make_job(source, owns_args=True, deferrals=2, wait_ms=4_000, error="e", reason="r")
    store.insert([before])
    after = after_move(before, move)

    assert store.move(move.verb, before, after) == Written(after, before)
    assert reader.find([before.ref]) == [after]


@MOVED
@pytest.mark.parametrize("field", ["state", "fence", "generation", "claimable_at"])
def test_a_record_that_changed_since_stays(store, reader, move, source, field):
    before = make_job(source)
    other = next(state for state in State if state not in (source, move.target))
    elsewhere = {"state": other, "fence": 9, "generation": 9, "claimable_at": LEASE + 77}
    current = replace(before, **{field: elsewhere[field]})
    store.insert([current])

    assert store.move(move.verb, before, after_move(before, move)) == Refused(current)
    assert reader.find([before.ref]) == [current]


@MOVED
def test_a_record_that_became_final_or_lost_its_time_stays(store, move, source):
    before = make_job(source, claimable_at=None if make_job(source).claimable_at is not None else NOW)
    current = make_job(source, id=before.ref.id)
    store.insert([current])

    assert isinstance(store.move(move.verb, before, after_move(before, move)), Refused)


@MOVED
def test_no_record_no_move(store, move, source):
    before = make_job(source)

    assert store.move(move.verb, before, after_move(before, move)) == Refused(None)


@pytest.mark.parametrize(
    ("verb", "source", "target"),
    [
        (Verb.CANCEL, State.RUNNING, State.CANCELLED),
        (Verb.CANCEL, State.SUCCEEDED, State.CANCELLED),
        (Verb.CANCEL, State.QUEUED, State.DEAD),
        (Verb.REDRIVE, State.SUCCEEDED, State.RUNNING),
        (Verb.REVIVE, State.QUEUED, State.QUEUED),
    ],
)
def test_a_step_that_the_lifecycle_does_not_know_is_a_bug(store, reader, verb, source, target):
    before = make_job(source)
    store.insert([before])

    with pytest.raises(ValueError, match="does not lead"):
        store.move(verb, before, replace(before, state=target))
    assert reader.find([before.ref]) == [before]


def test_the_second_of_two_moves_is_refused_by_the_first(store):
    before = make_job(State.SCHEDULED)
    store.insert([before])
    revived = replace(before, state=State.QUEUED, claimable_at=0)
    cancelled = replace(before, state=State.CANCELLED, claimable_at=None, finished_at=NOW)

    assert store.move(Verb.REVIVE, before, revived) == Written(revived, before)
    assert store.move(Verb.CANCEL, before, cancelled) == Refused(revived)


def test_a_moved_record_is_claimed_as_it_stands(store):
    dead = make_job(State.DEAD, reason="attempts_exhausted", error="e", owns_args=True)
    store.insert([dead])
    queued = dead.reopened(State.QUEUED, 0, TTL + 9)
    store.move(Verb.REOPEN, dead, queued)

    (answer,) = store.claim([make_claim(dead)])

    assert answer.before == queued
    assert (answer.job.generation, answer.job.attempt, answer.job.fence, answer.job.crashes) == (2, 1, 2, 0)


def test_a_moved_record_is_listed_where_it_belongs(store, reader):
    dead = make_job(State.DEAD)
    store.insert([dead])
    later = dead.reopened(State.SCHEDULED, NOW + 5, TTL, owns_args=True)
    store.move(Verb.RESCHEDULE, dead, later)

    assert reader.waiting(State.DEAD, None, 10, None).jobs == ()
    assert reader.waiting(State.SCHEDULED, None, 10, None).jobs == (later,)
    assert reader.due(NOW + 5, 10, None).jobs == (later,)
    assert reader.due(NOW + 4, 10, None).jobs == ()
