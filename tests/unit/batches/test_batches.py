"""A batch from its start to its callback: what is counted, what runs when, and how often."""

from __future__ import annotations

import pytest

from tests.unit.batches.conftest import Flock, Ordered, Plain, Told, Work, works
from tidemill import State, Submission, minutes
from tidemill.batches import ALL, FIRST, Batch, BatchState, at_least, tolerate
from tidemill.errors import BatchNotFoundError


def counts(view):
    return (view.succeeded, view.failed, view.cancelled, view.skipped, view.open)


def test_the_callback_runs_once_after_the_last_child_and_is_told_how_it_went(flock):
    view = flock.run(Batch(works(*range(5)), then=Told(name="album")))

    assert view.state is BatchState.SUCCEEDED
    assert counts(view) == (5, 0, 0, 0, 0)
    (told,) = flock.told
    assert told == Told(name="album", batch_id=view.batch_id, outcome="succeeded", total=5, succeeded=5)
    assert sorted(flock.ran) == [0, 1, 2, 3, 4]


def test_nothing_runs_before_the_last_child_is_over(flock):
    flock.does[4] = lambda ctx: flock.told.append(len(flock.ran))
    flock.run(Batch(works(*range(5)), then=Plain(name="after")))

    assert flock.told[-1] == Plain(name="after")
    assert len(flock.told) == 2


def test_a_failure_runs_the_other_callback_which_is_told_who_failed(flock):
    flock.fails = {1, 3}
    view = flock.run(Batch(works(*range(5)), then=Plain(name="then"), on_failure=Told()))

    assert view.state is BatchState.FAILED
    assert counts(view) == (3, 2, 0, 0, 0)
    (told,) = flock.told
    ref = view.batch.ref
    assert (told.outcome, told.succeeded, told.failed) == ("failed", 3, 2)
    assert told.failures == [(1, ref.child(1).id), (3, ref.child(3).id)]
    assert [(one.index, one.job.state) for one in flock.client.batches.not_succeeded(view.batch_id)] == [
        (1, State.DEAD),
        (3, State.DEAD),
    ]


@pytest.mark.parametrize(
    ("rule", "failing", "state"),
    [
        (ALL, 0, "succeeded"),
        (ALL, 1, "failed"),
        (tolerate(2), 2, "succeeded"),
        (tolerate(2), 3, "failed"),
        (tolerate(6), 6, "succeeded"),
        (FIRST, 5, "succeeded"),
        (FIRST, 6, "failed"),
        (at_least(4), 2, "succeeded"),
        (at_least(4), 3, "failed"),
    ],
)
def test_the_rule_decides(flock, rule, failing, state):
    flock.fails = set(range(failing))
    view = flock.run(Batch(works(*range(6)), then=Plain(name="then"), on_failure=Plain(name="failed"), completion=rule))

    assert view.state == state
    assert flock.told == [Plain(name="then" if state == "succeeded" else "failed")]
    assert counts(view)[:2] == (6 - failing, failing)


def test_an_early_rule_runs_its_callback_while_others_go_on():
    flock = Flock(batch_size=1)
    started = flock.client.start(Batch(works(*range(5)), then=Told(), completion=at_least(2)))
    flock.tide.drain()

    view = flock.view(started)
    assert flock.told[0].succeeded == 2
    assert len(flock.told) == 1
    assert counts(view) == (5, 0, 0, 0, 0)


def test_without_callbacks_it_is_a_group(flock):
    view = flock.run(Batch(works(1, 2)))

    assert view.state is BatchState.SUCCEEDED
    assert [(one.index, one.value) for one in flock.client.batches.results(view.batch_id)] == [(0, 10), (1, 20)]


def test_an_empty_batch_succeeds_at_once(flock):
    view = flock.run(Batch([], then=Told(name="none")))

    assert view.state is BatchState.SUCCEEDED
    assert [told.total for told in flock.told] == [0]


def test_children_keep_what_their_submissions_say(flock):
    children = [
        Submission(Work(n=1), lane="bulk", correlation_id="c-1"),
        Submission(Work(n=2), delay=minutes(30)),
        Submission(Ordered(n=3), entity="order-7"),
        Submission(Work(n=4), expires_in=minutes(1)),
    ]
    started = flock.client.start(Batch(children, then=Told(), completion=tolerate(1)), tenant="acme")
    jobs = {job.ref.id: job for job in flock.tide.jobs()}
    ref = started.batch.ref
    assert jobs[ref.child(0).id].lane == "bulk"
    assert jobs[ref.child(0).id].correlation_id == "c-1"
    assert jobs[ref.child(1).id].state is State.SCHEDULED
    assert jobs[ref.child(2).id].correlation_id == ref.id
    assert {job.ref.tenant for job in jobs.values()} == {"acme"}

    flock.tide.advance(minutes(2))
    flock.tide.drain()
    assert not flock.told
    flock.tide.drain_until_idle()
    # The one that expired did not do its work.
    assert [(told.succeeded, told.failed, told.outcome) for told in flock.told] == [(3, 1, "succeeded")]


def test_a_batch_is_its_tenants(flock):
    started = flock.client.start(Batch(works(1)), tenant="acme")

    with pytest.raises(BatchNotFoundError):
        flock.client.batches.get(started.batch_id, "zeta")
    assert flock.client.batches.get(started.batch_id, "acme").batch.size == 1


def test_large_arguments_of_children_and_callbacks_go_to_s3_and_come_back(flock):
    big = "x" * 200_000
    flock.run(Batch([Work(n=1, text=big)], then=Plain(name=big)))

    assert [len(told.name) for told in flock.told] == [200_000]


def test_hundreds_of_children_fill_their_shards_and_the_batch_ends(flock):
    flock.fails = {7, 250}
    view = flock.run(Batch(works(*range(301)), on_failure=Told()))

    assert counts(view) == (299, 2, 0, 0, 0)
    assert [(told.total, told.failed) for told in flock.told] == [(301, 2)]
    assert view.batch.full == {0, 1, 2, 3}


def test_children_of_one_invocation_are_one_write(flock):
    started = flock.client.start(Batch(works(*range(100))))
    flock.tide.drain()

    ref = started.batch.ref
    # Ten messages come to a worker at once.
    assert flock.store.writes[ref, 0] == 10
    # Opened, submitted, ended, told.
    assert flock.store.writes[ref, None] == 4


def test_a_batch_can_be_looked_at_for_four_weeks_after_its_end(flock):
    view = flock.run(Batch(works(1)))
    flock.tide.advance(minutes(60 * 24 * 28 - 1))
    assert flock.client.batches.get(view.batch_id)
    flock.tide.advance(minutes(1))
    with pytest.raises(BatchNotFoundError):
        flock.client.batches.get(view.batch_id)
