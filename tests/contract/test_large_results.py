"""Results that the table only points to, and who may point."""

from dataclasses import replace

import pytest

from tests.contract.builders import KEEP, make_claim, make_conclusion, make_job
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Complete
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Refused, Written

LARGE = '"%s"' % ("x" * 50_000)


def claimed(store, job=None):
    job = job or make_job()
    store.insert([job])
    (answer,) = store.claim([make_claim(job)])
    return answer.job


def completed(store, job, result):
    (answer,) = store.conclude([make_conclusion(job, Complete(result, KEEP))])
    return answer


def test_a_receipt_is_found_again(store, reader):
    stored = Stored.of("result/1", b"1" * 200_000)
    job = claimed(store)

    answer = completed(store, job, stored)

    assert isinstance(answer, Written)
    assert reader.find([job.ref]) == [answer.job]
    assert (answer.job.state, answer.job.result, answer.job.has_result_item) == (State.SUCCEEDED, None, True)
    assert reader.result_of(answer.job) == stored


@pytest.mark.parametrize("late", [LARGE.replace("x", "y"), Stored.of("result/1", b"late")], ids=["text", "receipt"])
@pytest.mark.parametrize("first", [LARGE, Stored.of("result/2", b"first")], ids=["text", "receipt"])
def test_what_a_zombie_writes_before_it_is_refused_is_not_the_result(store, reader, first, late):
    zombie = claimed(store)
    lapsed = replace(zombie, claimable_at=0)
    store.extend(zombie, 1, None)
    (answer,) = store.claim([make_claim(lapsed)])
    done = completed(store, answer.job, first).job

    assert isinstance(completed(store, zombie, late), Refused)

    assert reader.result_of(done) == first
