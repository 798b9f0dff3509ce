"""Many workers, one job: on a real server, from real threads."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from tests.contract.backends import NEVER
from tests.contract.builders import LEASE, NOW, make_claim, make_conclusion, make_job
from tests.contract.conftest import dynamo_jobs
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Refused, Written

WORKERS = 8


@pytest.fixture(params=[NEVER, 1], ids=["singles", "batches"])
def jobs(request, ministack):
    return dynamo_jobs(ministack, batch_from=request.param)


def all_at_once(calls):
    start = Barrier(len(calls))

    def begin(call):
        start.wait(timeout=30)
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(begin, calls))


def winners(answers):
    return [answer for answer in answers if isinstance(answer, Written)]


def test_one_of_many_claims_wins_each_job(jobs):
    there = [make_job() for _ in range(10)]
    jobs.store.insert(there)

    answers = all_at_once([lambda: jobs.store.claim([make_claim(job) for job in there])] * WORKERS)

    for of_one_job in zip(*answers, strict=True):
        (won,) = winners(of_one_job)
        assert won.job.fence == 1
        assert all(answer == Refused(won.job) for answer in of_one_job if answer is not won)


def test_one_of_many_inserts_wins(jobs):
    job = make_job()
    rivals = [replace(job, created_at=NOW + number) for number in range(WORKERS)]

    answers = all_at_once([lambda rival=rival: jobs.store.insert([rival])[0] for rival in rivals])

    (won,) = winners(answers)
    assert all(answer == Refused(won.job) for answer in answers if answer is not won)


def test_one_of_many_conclusions_wins(jobs):
    job = make_job()
    jobs.store.insert([job])
    (claimed,) = jobs.store.claim([make_claim(job)])
    verdicts = ["complete", "retry", "bury", "expire"]

    answers = all_at_once(
        [lambda name=name: jobs.store.conclude([make_conclusion(claimed.job, name)])[0] for name in verdicts]
    )

    (won,) = winners(answers)
    assert jobs.reader.find([job.ref]) == [won.job]


@pytest.mark.parametrize("_round", range(10))
def test_a_cancellation_and_a_claim_exclude_each_other(jobs, _round):
    job = make_job()
    jobs.store.insert([job])
    cancelled = replace(job, state=State.CANCELLED, claimable_at=None, finished_at=NOW)

    answers = all_at_once(
        [lambda: jobs.store.move(Verb.CANCEL, job, cancelled), lambda: jobs.store.claim([make_claim(job)])[0]]
    )

    (won,) = winners(answers)
    assert jobs.reader.find([job.ref]) == [won.job]


@pytest.mark.parametrize("_round", range(10))
def test_a_take_over_and_a_late_end_exclude_each_other(jobs, _round):
    job = make_job()
    jobs.store.insert([job])
    (slow,) = jobs.store.claim([make_claim(job)])
    take_over = make_claim(job, now_ms=LEASE + 1, lease_until=LEASE + 60_000)

    answers = all_at_once(
        [lambda: jobs.store.claim([take_over])[0], lambda: jobs.store.conclude([make_conclusion(slow.job)])[0]]
    )

    (won,) = winners(answers)
    assert jobs.reader.find([job.ref]) == [won.job]


def test_one_of_many_redrives_opens_the_generation(jobs):
    dead = make_job(State.DEAD)
    jobs.store.insert([dead])
    afters = [dead.regenerated(f"owner-{n}", dead.held, NOW, LEASE, dead.ttl_s) for n in range(WORKERS)]

    answers = all_at_once([lambda after=after: jobs.store.move(Verb.REDRIVE, dead, after) for after in afters])

    (won,) = winners(answers)
    assert won.job.generation == 2
    assert jobs.reader.find([dead.ref]) == [won.job]
