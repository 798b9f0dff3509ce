"""JobStore.insert and JobStore.claim: who gets to create a record, and who gets to run its job."""

from dataclasses import replace

import pytest

from tests.contract.builders import LEASE, NOW, TTL, make_claim, make_job
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State, Verb, transition
from tidemill.domain.ports import Refused, Written

CLAIMABLE = sorted(transition(Verb.CLAIM).sources)
FINAL = sorted(set(State) - set(CLAIMABLE))


def test_insert_writes_the_record_as_it_is(store, reader):
    every_field = make_job(
        State.DEAD, key="thumb:k:320", expires_at=NOW + 1, wait_ms=7, reason="r", error="e", owns_args=True, deferrals=3
    )
    jobs = [make_job(), every_field, make_job(State.SUCCEEDED, result='"é"'), make_job(correlation_id=None)]

    assert store.insert(jobs) == [Written(job) for job in jobs]
    assert reader.find([job.ref for job in jobs]) == jobs


def test_insert_never_overwrites(store, reader):
    first = make_job(State.RUNNING)
    store.insert([first])
    other = make_job(id=first.ref.id, kind="another.kind")

    answers = store.insert([make_job(), other, make_job()])

    assert [type(answer) for answer in answers] == [Written, Refused, Written]
    assert answers[1] == Refused(first)
    assert reader.find([first.ref]) == [first]


def test_insert_of_one_record_that_is_there_is_refused_with_it(store):
    first = make_job()
    store.insert([first])

    assert store.insert([replace(first, created_at=first.created_at + 1)]) == [Refused(first)]


def test_insert_again_of_the_very_same_record_is_no_refusal(store):
    jobs = [make_job(), make_job(), make_job()]
    store.insert(jobs)

    assert store.insert(jobs) == [Written(job) for job in jobs]


def test_equal_ids_of_two_tenants_are_two_jobs(store, reader):
    mine = make_job(tenant="acme")
    theirs = make_job(tenant="umbrella", id=mine.ref.id)

    assert store.insert([mine, theirs]) == [Written(mine), Written(theirs)]
    assert reader.find([theirs.ref, mine.ref]) == [theirs, mine]


@pytest.mark.parametrize("state", CLAIMABLE)
def test_claim_takes_whatever_is_due(store, reader, state):
    job = make_job(state, claimable_at=NOW - 1, fence=4, concluded=3, attempt=2)
    store.insert([job])
    claim = make_claim(job)

    (answer,) = store.claim([claim])

    claimed = job.claimed(claim.owner, claim.held, NOW, LEASE, claim.ttl_s)
    assert answer == Written(claimed, job)
    assert (claimed.fence, claimed.attempt, claimed.state, claimed.claimable_at) == (5, 3, State.RUNNING, LEASE)
    assert reader.find([job.ref]) == [claimed]


@pytest.mark.parametrize("state", FINAL)
def test_a_final_job_is_never_claimed(store, reader, state):
    job = make_job(state)
    store.insert([job])

    assert store.claim([make_claim(job, now_ms=NOW * 2)]) == [Refused(job)]
    assert reader.find([job.ref]) == [job]


@pytest.mark.parametrize(("claimable_at", "wins"), [(NOW - 1, True), (NOW, False), (NOW + 1, False), (0, True)])
def test_a_job_is_claimable_only_after_its_time(store, claimable_at, wins):
    job = make_job(State.RETRYING, claimable_at=claimable_at)
    store.insert([job])

    (answer,) = store.claim([make_claim(job)])

    assert isinstance(answer, Written) is wins
    assert wins or answer == Refused(job)


def test_a_live_lease_is_respected_and_a_dead_one_taken_over(store):
    job = make_job()
    store.insert([job])
    (first,) = store.claim([make_claim(job)])

    assert store.claim([make_claim(job, now_ms=LEASE)]) == [Refused(first.job)]
    (taken,) = store.claim([make_claim(job, now_ms=LEASE + 1, lease_until=LEASE + 60_000)])
    assert (taken.before, taken.job.fence, taken.job.crashes) == (first.job, 2, 1)


def test_other_arguments_under_the_same_id_never_run(store, reader):
    job = make_job()
    store.insert([job])

    assert store.claim([make_claim(job, fingerprint="0" * 32)]) == [Refused(job)]
    assert reader.find([job.ref]) == [job]


def test_a_claim_without_a_record_says_so(store):
    job, absent = make_job(), make_job()
    store.insert([job])

    answers = store.claim([make_claim(absent), make_claim(job), make_claim(make_job(tenant="umbrella", id=job.ref.id))])

    assert [answers[0], answers[2]] == [Refused(None), Refused(None)]
    assert isinstance(answers[1], Written)


def test_a_claim_takes_a_job_out_of_the_listing_of_what_waits(store, reader):
    job = make_job(State.SCHEDULED)
    store.insert([job])
    assert reader.waiting(State.SCHEDULED, None, 10, None).jobs == (job,)

    store.claim([make_claim(job)])

    assert reader.waiting(State.SCHEDULED, None, 10, None).jobs == ()


def test_answers_keep_the_order_of_a_large_call(store, reader):
    jobs = [make_job(claimable_at=0 if number % 3 else NOW + 9) for number in range(60)]
    assert all(isinstance(answer, Written) for answer in store.insert(jobs))

    answers = store.claim([make_claim(job) for job in jobs])

    assert [isinstance(answer, Written) for answer in answers] == [number % 3 > 0 for number in range(60)]
    assert [answer.job.ref for answer in answers] == [job.ref for job in jobs]
    refs = [job.ref for job in jobs]
    assert reader.find([*refs, JobRef("acme", jobs[0].ref.id), JobRef("nobody", "x")])[:-1] == [
        *(answer.job for answer in answers),
        answers[0].job,
    ]


def test_the_record_lives_as_long_as_the_claim_says(store, reader):
    job = make_job()
    store.insert([job])

    store.claim([make_claim(job, ttl_s=TTL + 5)])

    assert reader.find([job.ref])[0].ttl_s == TTL + 5


def test_nothing_asked_nothing_answered(store, reader):
    assert (store.insert([]), store.claim([]), store.conclude([]), store.keep([], []), reader.find([])) == (
        [],
        [],
        [],
        [],
        [],
    )
