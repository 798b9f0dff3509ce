"""JobStore.conclude: the end of a claim is recorded once, by its holder, and with its evidence."""

from dataclasses import replace

import pytest

from tests.contract.builders import (
    ARGS,
    FAILURE,
    KEEP,
    LEASE,
    NOW,
    VERDICTS,
    make_claim,
    make_conclusion,
    make_envelope,
    make_job,
)
from tidemill.domain import limits
from tidemill.domain.conclusion import concluded, verb_of
from tidemill.domain.lifecycle import State, transition
from tidemill.domain.outcome import Complete, Cost, Park
from tidemill.domain.ports import AttemptFailure, Refused, Written


def claimed(store, **fields):
    job = make_job(**fields)
    store.insert([job])
    (answer,) = store.claim([make_claim(job)])
    return answer.job


@pytest.mark.parametrize("verdict", VERDICTS)
def test_each_verdict_is_recorded_as_the_domain_computes_it(store, reader, verdict):
    job = claimed(store, key="thumb:k:320", expires_at=NOW + 9)
    conclusion = make_conclusion(job, verdict)

    (answer,) = store.conclude([conclusion])

    after = concluded(job, conclusion.verdict, conclusion.now_ms)
    assert answer == Written(after, job)
    assert reader.find([job.ref]) == [after]
    assert after.state is transition(verb_of(conclusion.verdict)).target
    assert after.concluded == 1


@pytest.mark.parametrize("verdict", [name for name in VERDICTS if name not in {"retry", "defer", "park"}])
def test_after_a_final_verdict_nobody_claims(store, verdict):
    job = claimed(store)
    (answer,) = store.conclude([make_conclusion(job, verdict)])

    assert store.claim([make_claim(job, now_ms=NOW * 2)]) == [Refused(answer.job)]


def test_a_retry_is_claimable_when_it_is_due(store):
    job = claimed(store)
    store.conclude([make_conclusion(job, "retry")])

    assert isinstance(store.claim([make_claim(job, now_ms=NOW + 5_000)])[0], Refused)
    (again,) = store.claim([make_claim(job, now_ms=NOW + 5_001)])
    assert (again.job.attempt, again.job.fence, again.job.crashes) == (2, 2, 0)


def test_a_deferral_gives_its_attempt_back(store):
    job = claimed(store)
    (answer,) = store.conclude([make_conclusion(job, "defer")])

    assert (answer.job.attempt, answer.job.deferrals, answer.job.reason) == (0, 1, "rate_limited")


def test_whoever_lost_the_fence_changes_nothing(store, reader):
    slow = claimed(store)
    (taken,) = store.claim([make_claim(slow, now_ms=LEASE + 1, lease_until=LEASE + 60_000)])

    assert store.conclude([make_conclusion(slow)]) == [Refused(taken.job)]
    assert reader.find([slow.ref]) == [taken.job]
    (done,) = store.conclude([make_conclusion(taken.job)])
    assert done.job.state is State.SUCCEEDED
    assert store.conclude([make_conclusion(slow, "bury")]) == [Refused(done.job)]


@pytest.mark.parametrize("state", [state for state in State if state is not State.RUNNING])
def test_only_a_running_job_is_concluded(store, reader, state):
    job = make_job(state, fence=1)
    store.insert([job])
    stale = replace(job, state=State.RUNNING, claimable_at=LEASE, concluded=5)

    assert store.conclude([make_conclusion(stale)]) == [Refused(job)]
    assert reader.find([job.ref]) == [job]


def test_a_job_that_is_gone_is_refused_without_a_record(store):
    assert store.conclude([make_conclusion(make_job(State.RUNNING))]) == [Refused(None)]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_same_conclusion_again_is_no_refusal(store, verdict):
    """Its answer was lost, and the call was repeated."""
    job = claimed(store)
    conclusion = make_conclusion(job, verdict)
    (first,) = store.conclude([conclusion])

    assert store.conclude([conclusion]) == [first]


def test_another_conclusion_of_a_concluded_claim_is_refused(store):
    job = claimed(store)
    (first,) = store.conclude([make_conclusion(job, "retry")])

    assert store.conclude([make_conclusion(job, "complete")]) == [Refused(first.job)]


def test_evidence_is_kept_by_attempt_oldest_first(store, reader):
    job = claimed(store)
    refs = []
    for attempt in range(1, 12):
        at = NOW + attempt * 100_000
        code = f"code-{attempt}" if attempt > 1 else ""
        (waiting,) = store.conclude([make_conclusion(job, "retry", now_ms=at, code=code)])
        refs.append(AttemptFailure(1, attempt, at, FAILURE, code))
        (answer,) = store.claim([make_claim(waiting.job, now_ms=at + 10_000, lease_until=at + 20_000)])
        job = answer.job

    assert reader.failures_of(job.ref) == refs
    assert reader.failures_of(make_job().ref) == []


def test_evidence_of_generations_sorts_by_number(store, reader):
    job = make_job(State.RUNNING, generation=10, attempt=1)
    store.insert([job])
    store.conclude([make_conclusion(job, "bury"), make_conclusion(replace(job, generation=2), "retry")])

    assert [failed.generation for failed in reader.failures_of(job.ref)] == [2, 10]


def test_evidence_of_a_deferred_attempt_takes_the_place_of_the_last(store, reader):
    job = claimed(store)
    newer = replace(FAILURE, message="again")
    park = Park(NOW - 1, 0, cost=Cost.DEFERRAL, reason="rate_limited", failure=FAILURE)
    (parked,) = store.conclude([make_conclusion(job, park)])
    (answer,) = store.claim([make_claim(parked.job)])
    store.conclude([make_conclusion(answer.job, replace(park, failure=newer))])

    assert [failed.failure for failed in reader.failures_of(job.ref)] == [newer]


@pytest.mark.parametrize("verdict", ["bury", "park"])
def test_a_dead_or_parked_job_owns_its_arguments(store, reader, verdict):
    job = claimed(store)
    conclusion = make_conclusion(job, verdict)
    (answer,) = store.conclude([conclusion])

    assert answer.job.owns_args
    assert reader.envelope_of(answer.job) == conclusion.envelope
    assert reader.envelope_of(answer.job).encode() == conclusion.envelope.encode()


def test_without_an_envelope_it_does_not(store, reader):
    job = claimed(store)
    (answer,) = store.conclude([make_conclusion(job, "bury", envelope=None)])

    assert not answer.job.owns_args
    assert reader.find([job.ref]) == [answer.job]
    assert reader.envelope_of(answer.job) is None


def test_evidence_comes_before_the_state(store, reader):
    """A job whose fence was lost has left its evidence all the same: it was written first."""
    slow = claimed(store)
    store.claim([make_claim(slow, now_ms=LEASE + 1)])
    conclusion = make_conclusion(slow, "bury")

    store.conclude([conclusion])

    assert reader.failures_of(slow.ref) == [AttemptFailure(1, 1, conclusion.now_ms, FAILURE)]
    assert reader.envelope_of(slow) == conclusion.envelope


@pytest.mark.parametrize("size", [0, 20, 200, 700, 1_100, limits.MAX_RESULT_BYTES])
@pytest.mark.parametrize("letter", ["x", "é", "𝄞"])
def test_a_result_of_any_size_is_found_again(store, reader, size, letter):
    result = f'"{letter * ((size - 2) // len(letter.encode()))}"' if size else None
    job = claimed(store)

    (answer,) = store.conclude([make_conclusion(job, Complete(result, KEEP))])

    assert reader.find([job.ref]) == [answer.job]
    assert reader.result_of(answer.job) == result


def test_a_batch_of_all_verdicts_answers_each(store, reader):
    names = [*VERDICTS, *VERDICTS, *VERDICTS, *VERDICTS, *VERDICTS]
    jobs = [claimed(store) for _ in names]
    conclusions = [make_conclusion(job, name) for job, name in zip(jobs, names, strict=True)]
    conclusions[3] = make_conclusion(make_job(State.RUNNING))

    answers = store.conclude(conclusions)

    assert answers[3] == Refused(None)
    del answers[3], conclusions[3]
    after = [concluded(one.job, one.verdict, one.now_ms) for one in conclusions]
    assert answers == [Written(job, one.job) for job, one in zip(after, conclusions, strict=True)]
    assert reader.find([job.ref for job in after]) == after
    dead = [job for job in after if job.state is State.DEAD]
    assert len(dead) == 5
    assert all(reader.failures_of(job.ref) and reader.envelope_of(job) for job in dead)


def test_envelopes_are_kept_by_fingerprint_and_again(store, reader):
    job = make_job()
    mine, other = make_envelope(job), make_envelope(job, args=b'{"width":640}')

    assert store.keep([mine, other, mine], [NOW, NOW, NOW]) == [None, None, None]
    assert store.keep([mine], [NOW]) == [None]
    assert reader.envelope_of(job) == mine
    assert reader.envelope_of(replace(job, fingerprint=other.fingerprint)) == other
    assert reader.envelope_of(make_job()) is None


def test_the_largest_arguments_are_kept(store, reader):
    job = make_job()
    largest = make_envelope(job, args=b'{"text":"%s"}' % (b"x" * (limits.MAX_ARGS_BYTES - 11)))
    assert len(largest.args) == limits.MAX_ARGS_BYTES > len(ARGS)

    assert store.keep([largest] * 2, [NOW, NOW]) == [None, None]
    assert reader.envelope_of(replace(job, fingerprint=largest.fingerprint)) == largest
