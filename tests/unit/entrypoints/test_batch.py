"""The worker's batch on Powertools, with real threads and real time: what is recorded when a job does not end."""

from __future__ import annotations

from tidemill import seconds
from tidemill.domain.lifecycle import State

# Enough for one job's timeout and what it is given after it, and not for a second job.
ONE_ROUND = seconds(1)


def test_a_job_that_never_ends_is_recorded_and_costs_its_neighbours_nothing(worker):
    first, stuck, last = worker.submit("eve", "stuck", "bob")

    staying = worker.invoke()

    assert worker.states() == {first: State.SUCCEEDED, stuck: State.RETRYING, last: State.SUCCEEDED}
    assert (worker.record(stuck).reason, worker.record(stuck).attempt) == ("timed_out", 1)
    assert len(staying) == 1
    assert worker.telemetry.counts["JobsSucceeded"] == 2


def test_what_is_left_behind_spends_the_process_and_the_rest_of_its_batch_is_deleted_before_it_ends(worker):
    worker.submit("eve", "stuck", "bob")

    worker.invoke()

    assert worker.processor.is_spent
    # Nobody hears the answer of a process that ends: its own message is all that is left.
    assert worker.queues.count("default") == 1
    assert "jobs_left_behind" in worker.telemetry.events("alert")


def test_a_batch_that_ends_in_time_spends_nothing_and_leaves_the_deleting_to_lambda(worker):
    worker.submit("eve", "bob")

    assert worker.invoke() == []

    assert not worker.processor.is_spent
    assert worker.queues.count("default") == 2


def test_jobs_that_were_not_started_are_given_back_untouched(worker):
    stuck_one, stuck_two, waiting = worker.submit("stuck", "stuck", "eve")

    staying = worker.invoke(ONE_ROUND)

    assert len(staying) == 3
    assert worker.states() == dict.fromkeys((stuck_one, stuck_two, waiting), State.RETRYING)
    record = worker.record(waiting)
    assert (record.attempt, record.deferrals, record.crashes, record.reason) == (0, 0, 0, "no_time")
    assert "eve" not in worker.ran


def test_jobs_behind_stuck_ones_run_if_there_is_time_for_them(worker):
    _, _, waiting = worker.submit("stuck", "stuck", "eve")

    worker.invoke()

    assert worker.states()[waiting] is State.SUCCEEDED


def test_the_next_batch_has_threads_of_its_own(worker):
    worker.submit("stuck", "stuck", "eve")
    worker.invoke(ONE_ROUND)
    first, second = worker.submit("ada", "bob")

    worker.invoke()

    assert (worker.states()[first], worker.states()[second]) == (State.SUCCEEDED, State.SUCCEEDED)


def test_a_result_that_comes_after_its_batch_is_not_recorded(worker):
    _, stuck = worker.submit("eve", "stuck")
    worker.invoke()
    before = worker.record(stuck)

    worker.join()

    assert worker.record(stuck) == before


def test_the_batch_ends_with_the_functions_time_whatever_its_jobs_do(worker):
    """A job that began with little time has no longer than that."""
    (stuck,) = worker.submit("stuck")
    started = worker.clock.now_ms()

    worker.invoke(seconds(0.65))

    assert worker.clock.now_ms() - started < 850
    assert worker.record(stuck).reason == "timed_out"
