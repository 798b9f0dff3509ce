"""Waiting and running side by side."""

import threading
from random import Random

import pytest

from tidemill.aws.patience import THREADS, Patience, each, in_chunks


def test_waits_double_at_the_most_and_are_spread():
    slept = []
    for seed in range(200):
        patience = Patience(sleep=slept.append, random=Random(seed))  # noqa: S311 - the same waits in every run
        for tried in (1, 2, 3):
            patience.wait(tried)

    for tried, most in ((1, 0.05), (2, 0.1), (3, 0.2)):
        waits = slept[tried - 1 :: 3]
        assert max(waits) <= most
        assert max(waits) > most * 0.9
        assert min(waits) < most * 0.1


@pytest.mark.parametrize("count", [0, 1, THREADS, THREADS + 1, 50])
def test_each_keeps_the_order(count):
    assert each(lambda number: number * 2, range(count)) == [number * 2 for number in range(count)]


def test_few_calls_stay_on_this_thread_and_many_are_spread():
    few = set(each(lambda _: threading.get_ident(), range(THREADS)))
    barrier = threading.Barrier(THREADS)

    def wait_for_the_others(_):
        barrier.wait(timeout=10)
        return threading.get_ident()

    assert few == {threading.get_ident()}
    assert len(set(each(wait_for_the_others, range(THREADS * 2)))) == THREADS


@pytest.mark.parametrize(("length", "sizes"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (30, [10, 10, 10])])
def test_chunks(length, sizes):
    chunks = in_chunks(list(range(length)), 10)

    assert [len(chunk) for chunk in chunks] == sizes
    assert [number for chunk in chunks for number in chunk] == list(range(length))
