"""JobStore.extend and what happens to a job while it runs: leases, progress, requests to stop."""

from dataclasses import replace

import pytest

from tests.contract.builders import LEASE, NOW, make_claim, make_conclusion, make_envelope, make_job
from tidemill.domain.conclusion import asked_to_stop, extended, killed, revived
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Refused, Written

PROGRESS = '{"n":3,"of":12,"note":"pages"}'


def claimed(store, state=State.QUEUED, **fields):
    job = make_job(state, **fields)
    store.insert([job])
    (answer,) = store.claim([make_claim(job)])
    return answer.job


@pytest.mark.parametrize("progress", [None, PROGRESS])
def test_a_sign_of_life_moves_the_end_of_the_lease_and_shows_progress(store, reader, progress):
    job = claimed(store)

    answer = store.extend(job, LEASE + 5_000, progress)

    after = replace(job, claimable_at=LEASE + 5_000, progress=progress)
    assert answer == Written(after, job)
    assert after == extended(job, LEASE + 5_000, progress)
    assert reader.find([job.ref]) == [after]


def test_progress_stays_until_there_is_more(store, reader):
    job = claimed(store)
    store.extend(job, LEASE, PROGRESS)
    answer = store.extend(job, LEASE + 1, None)

    assert answer.job.progress == PROGRESS
    assert store.extend(job, LEASE + 1, '{"n":4}').job.progress == '{"n":4}'
    assert reader.find([job.ref])[0].progress == '{"n":4}'


def test_a_lease_that_was_extended_keeps_others_out(store):
    job = claimed(store)
    store.extend(job, LEASE + 60_000, None)

    (refused,) = store.claim([make_claim(job, now_ms=LEASE + 1)])
    assert isinstance(refused, Refused)
    (taken,) = store.claim([make_claim(job, now_ms=LEASE + 60_001)])
    assert isinstance(taken, Written)


def test_a_zombie_extends_nothing(store, reader):
    zombie = claimed(store)
    (holder,) = store.claim([make_claim(zombie, now_ms=LEASE + 1)])

    answer = store.extend(zombie, LEASE + 99_000, PROGRESS)

    assert answer == Refused(holder.job)
    assert reader.find([zombie.ref]) == [holder.job]


@pytest.mark.parametrize("verdict", ["complete", "retry", "park", "bury", "stop"])
def test_what_is_over_is_not_extended(store, reader, verdict):
    job = claimed(store)
    (done,) = store.conclude([make_conclusion(job, verdict)])

    assert store.extend(job, LEASE + 5_000, PROGRESS) == Refused(done.job)
    assert reader.find([job.ref]) == [done.job]


def test_what_was_never_there_is_not_extended(store, reader):
    job = make_job(State.RUNNING)

    assert store.extend(job, LEASE + 5_000, None) == Refused(None)
    assert reader.find([job.ref]) == [None]


def test_its_holder_hears_of_the_request_to_stop_with_the_next_sign(store, reader):
    job = claimed(store)
    asked = store.move(Verb.ASK_CANCEL, job, asked_to_stop(job))
    assert asked == Written(replace(job, cancel_asked=True), job)

    answer = store.extend(job, LEASE + 1, PROGRESS)

    assert answer.job == replace(job, cancel_asked=True, claimable_at=LEASE + 1, progress=PROGRESS)
    (stopped,) = store.conclude([make_conclusion(answer.job, "stop")])
    assert (stopped.job.state, stopped.job.cancel_asked, stopped.job.progress) == (State.CANCELLED, False, None)
    assert reader.find([job.ref]) == [stopped.job]


@pytest.mark.parametrize("verdict", ["complete", "bury", "expire", "stop"])
def test_a_job_that_ends_leaves_nothing_that_its_holder_did_not_know_of(store, reader, verdict):
    """Somebody asked it to stop, and the answer to its last progress was lost."""
    job = claimed(store)
    store.move(Verb.ASK_CANCEL, job, asked_to_stop(job))
    store.extend(job, LEASE + 1, PROGRESS)

    (answer,) = store.conclude([make_conclusion(job, verdict)])

    (found,) = reader.find([job.ref])
    assert found == answer.job
    assert (found.cancel_asked, found.progress) == (False, None)


@pytest.mark.parametrize("verdict", ["retry", "defer", "park"])
def test_a_job_that_is_to_stop_does_not_wait_though_its_holder_did_not_know(store, reader, verdict):
    job = claimed(store)
    store.move(Verb.ASK_CANCEL, job, asked_to_stop(job))

    (answer,) = store.conclude([make_conclusion(job, verdict)])

    assert answer == Refused(replace(job, cancel_asked=True))
    assert reader.find([job.ref]) == [answer.job]
    (stopped,) = store.conclude([make_conclusion(answer.job, "stop")])
    assert reader.find([job.ref]) == [stopped.job]


@pytest.mark.parametrize("verdict", ["retry", "defer", "park"])
def test_a_job_that_goes_on_has_no_progress_that_its_holder_did_not_know_of(store, reader, verdict):
    job = claimed(store)
    store.extend(job, LEASE + 1, PROGRESS)

    (answer,) = store.conclude([make_conclusion(job, verdict)])

    assert reader.find([job.ref]) == [replace(answer.job, progress=None)]


def test_a_crash_forgets_progress_and_not_the_request_to_stop(store, reader):
    job = claimed(store)
    store.move(Verb.ASK_CANCEL, job, asked_to_stop(job))
    store.extend(job, LEASE, PROGRESS)

    (again,) = store.claim([make_claim(job, now_ms=LEASE + 1)])

    assert (again.job.cancel_asked, again.job.progress, again.job.crashes) == (True, None, 1)
    assert reader.find([job.ref]) == [again.job]


def test_a_job_is_asked_to_stop_as_it_stands(store, reader):
    job = claimed(store)
    store.extend(job, LEASE + 5_000, None)

    # Its lease moved since it was read.
    refused = store.move(Verb.ASK_CANCEL, job, asked_to_stop(job))
    assert isinstance(refused, Refused)
    assert isinstance(store.move(Verb.ASK_CANCEL, refused.job, asked_to_stop(refused.job)), Written)


def test_a_killed_jobs_worker_loses_it(store, reader):
    job = claimed(store)
    answer = store.move(Verb.KILL, job, killed(job, NOW + 5, NOW + 99))

    assert store.extend(job, LEASE + 1, None) == Refused(answer.job)
    assert store.conclude([make_conclusion(job)]) == [Refused(answer.job)]
    assert reader.find([job.ref]) == [answer.job]
    assert (answer.job.state, answer.job.reason) == (State.CANCELLED, "killed")


# --- watched jobs --------------------------------------------------------------------------------


def watched(store):
    job = make_job(State.SCHEDULED, owns_args=True)
    store.keep([make_envelope(job)], [job.ttl_s])
    store.insert([job])
    (answer,) = store.claim([make_claim(job)])
    return job, answer.job


def test_what_is_claimed_from_the_table_stays_in_the_due_index_until_it_is_over(store, reader):
    job, mine = watched(store)
    assert mine.watched
    assert reader.due(NOW + 10**9, 10, None).jobs == (mine,)

    extended_ = store.extend(mine, LEASE + 5_000, None).job
    assert extended_ == replace(mine, claimable_at=LEASE + 5_000)
    assert reader.due(NOW + 10**9, 10, None).jobs == (extended_,)

    (done,) = store.conclude([make_conclusion(extended_)])
    assert (done.job.watched, reader.due(NOW + 10**9, 10, None).jobs) == (False, ())
    assert reader.find([job.ref]) == [done.job]


@pytest.mark.parametrize("verdict", ["retry", "park", "bury", "stop"])
def test_whatever_its_end_it_is_watched_no_more(store, reader, verdict):
    job, mine = watched(store)

    (done,) = store.conclude([make_conclusion(mine, verdict)])

    assert not done.job.watched
    assert reader.find([job.ref]) == [done.job]
    assert [found.state for found in reader.due(NOW + 10**9, 10, None).jobs] == [State.SCHEDULED] * (verdict == "park")


def test_what_is_claimed_from_its_queue_is_not_watched(store, reader):
    job = claimed(store)

    assert (job.watched, reader.due(NOW + 10**9, 10, None).jobs) == (False, ())


def test_a_watched_job_whose_worker_died_is_sent_anew_once(store, reader):
    job, mine = watched(store)

    after = revived(mine, NOW)
    assert store.move(Verb.REVIVE, mine, after) == Written(after, mine)
    assert (reader.find([job.ref]), reader.due(NOW + 10**9, 10, None).jobs) == ([after], ())
    assert reader.envelope_of(after) is not None
    assert isinstance(store.conclude([make_conclusion(mine)])[0], Refused)
    assert isinstance(store.move(Verb.REVIVE, mine, after), Written | Refused)
    (again,) = store.claim([make_claim(after)])
    assert (again.job.watched, again.job.crashes) == (False, 1)
