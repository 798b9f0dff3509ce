"""JobStore.refuse: a dead record and its evidence, both or neither."""

from dataclasses import replace

import pytest

from tests.contract.builders import FAILURE, NOW, make_job
from tidemill.domain.lifecycle import BIRTHS, State
from tidemill.domain.ports import AttemptFailure, Refused, Written

EVIDENCE = AttemptFailure(1, 0, NOW, FAILURE)
OTHER = AttemptFailure(1, 0, NOW + 1, replace(FAILURE, message="something else"))


def a_refusal(**fields):
    return make_job(State.DEAD, attempt=0, fence=0, concluded=0, owner=None, started_at=None, reason="bad", **fields)


def test_a_refusal_is_there_with_its_evidence_and_listed(store, reader):
    dead = a_refusal()

    assert store.refuse(dead, EVIDENCE) == Written(dead)

    assert reader.find([dead.ref]) == [dead]
    assert reader.failures_of(dead.ref) == [EVIDENCE]
    assert reader.waiting(State.DEAD, None, 10, None).jobs == (dead,)


@pytest.mark.parametrize("state", State)
def test_a_record_that_is_there_stays_and_gets_no_evidence(store, reader, state):
    first = make_job(state)
    store.insert([first])

    assert store.refuse(a_refusal(id=first.ref.id), EVIDENCE) == Refused(first)

    assert reader.find([first.ref]) == [first]
    assert reader.failures_of(first.ref) == []


def test_the_second_refusal_of_a_message_meets_the_first(store, reader):
    first = a_refusal()
    store.refuse(first, EVIDENCE)

    assert store.refuse(replace(first, finished_at=NOW + 1, reason="worse"), OTHER) == Refused(first)

    assert reader.failures_of(first.ref) == [EVIDENCE]


def test_the_very_same_refusal_again_is_no_refusal_of_it(store, reader):
    dead = a_refusal()
    store.refuse(dead, EVIDENCE)

    assert store.refuse(dead, EVIDENCE) == Written(dead)
    assert reader.failures_of(dead.ref) == [EVIDENCE]


def test_a_submit_meets_a_refusal(store):
    dead = a_refusal()
    store.refuse(dead, EVIDENCE)

    assert store.insert([make_job(id=dead.ref.id)]) == [Refused(dead)]


@pytest.mark.parametrize("state", sorted(set(State) - {birth.state for birth in BIRTHS if birth.through == "refuse"}))
def test_nothing_but_a_dead_record_is_born_so(store, reader, state):
    job = make_job(state)

    with pytest.raises(ValueError, match="no record is born"):
        store.refuse(job, EVIDENCE)
    assert (reader.find([job.ref]), reader.failures_of(job.ref)) == ([None], [])
