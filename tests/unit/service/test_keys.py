"""Repeated keys, races for them, and what a final job does with them."""

import pytest

from tests.builders import Greet, a_job, a_send_id
from tests.unit.service.conftest import PERMANENT, RefuseOld, ReturnOld, raising
from tidemill import Submission, days, minutes, seconds
from tidemill.domain.errors import JobFinalError, KeyConflictError, UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Unwritten

OUTAGE = UnavailableError("send", "Throttled")
JOB_ID = a_send_id(99)


def test_a_repeated_key_returns_the_first_job(world):
    first = world.client.submit(Greet(), key="k")
    second = world.client.submit(Greet(), key="k")
    world.settle()
    third = world.client.submit(Greet(), key="k")

    assert (first.created, second.created, third.created) == (True, False, False)
    assert first.job_id == second.job_id == third.job_id
    assert len(world.runs) == 1


def test_a_key_with_other_arguments_is_a_conflict(world):
    first = world.submit(key="k")

    with pytest.raises(KeyConflictError, match="Fix") as refused:
        world.submit(Greet(name="eve"), key="k")

    assert (refused.value.key, refused.value.job_id) == ("k", first.ref.id)
    assert len(world.bodies()) == 1


def test_a_chosen_id_repeats_like_a_key(world):
    world.submit(job_id=JOB_ID)

    assert not world.client.submit(Greet(), job_id=JOB_ID).created
    with pytest.raises(KeyConflictError):
        world.submit(Greet(name="eve"), job_id=JOB_ID)
    with pytest.raises(KeyConflictError):
        world.submit(ReturnOld(), job_id=JOB_ID)


def test_two_kinds_under_one_chosen_id_in_one_call_are_a_conflict_and_not_one_job(world):
    class_twins = [Submission(ReturnOld(x=1), job_id=JOB_ID), Submission(RefuseOld(x=1), job_id=JOB_ID)]

    first, second = world.client.submit_many(class_twins)

    assert (first.created, type(second)) == (True, KeyConflictError)


def racing(world, first, second):
    """Two submits of which the second is done between the first's send and its record."""
    insert = world.store.insert
    answers = {}

    def late(jobs):
        world.store.insert = insert
        world.clock.advance(seconds(0.001))
        answers["second"] = world.submitter.submit([second])[0]
        return insert(jobs)

    world.store.insert = late
    answers["first"] = world.submitter.submit([first])[0]
    return answers["first"], answers["second"]


def test_of_two_racing_equal_submits_one_job_comes(world):
    first, second = racing(world, Submission(Greet(), key="k"), Submission(Greet(), key="k"))

    world.settle()

    assert (first.created, second.created) == (False, True)
    assert first.job_id == second.job_id
    assert len(world.runs) == 1


@pytest.mark.parametrize("limit", [1, 10])
def test_of_two_racing_submits_with_other_arguments_the_losers_never_runs(world, limit):
    seen = []
    world.does = [lambda args, ctx: seen.append(args.name)] * 5
    loser, winner = racing(world, Submission(Greet(name="lose"), key="k"), Submission(Greet(name="win"), key="k"))

    for _ in range(3):
        world.invoke(limit=limit)
        world.clock.advance(seconds(2))

    assert isinstance(loser, KeyConflictError)
    assert seen == ["win"]
    assert (world.state(winner.job), world.queues.count("default")) == (State.SUCCEEDED, 0)


def test_a_worker_that_beats_the_record_is_no_conflict(world):
    insert = world.store.insert

    def late(jobs):
        world.store.insert = insert
        world.invoke()
        return insert(jobs)

    world.store.insert = late
    receipt = world.client.submit(Greet(), key="k")

    assert (receipt.created, receipt.job.state) == (True, State.SUCCEEDED)
    assert len(world.runs) == 1


def submit_without_a_record(world, **options):
    """A repeated key whose message is sent and whose record can't be marked: whose the key is, nobody knows yet."""
    world.store.move, move = (lambda *_, **__: Unwritten(OUTAGE)), world.store.move
    with pytest.raises(UnavailableError):
        world.client.submit(Greet(), key="k", **options)
    world.store.move = move


FINAL_STATES = pytest.mark.parametrize("state", [State.DEAD, State.CANCELLED, State.EXPIRED])


def ended(world, args, state, **options):
    """A keyed job in the final state `state`."""
    job = world.submit(args, key="k", expires_in=minutes(1), **options)
    if state is State.CANCELLED:
        world.client.cancel(job.ref.id)
    if state is State.EXPIRED:
        world.clock.advance(minutes(1))
    if state is State.DEAD:
        world.does = [raising(PERMANENT)]
    world.invoke()
    assert world.state(job) is state
    return job


@FINAL_STATES
def test_an_id_that_was_chosen_is_repeated_and_never_rerun(world, state):
    chosen = "01890000-0000-7000-8000-00000000000a"
    job = world.submit(job_id=chosen, expires_in=minutes(1))
    if state is State.CANCELLED:
        world.client.cancel(chosen)
    if state is State.EXPIRED:
        world.clock.advance(minutes(1))
    if state is State.DEAD:
        world.does = [raising(PERMANENT)]
    world.invoke()

    receipt = world.client.submit(Greet(), job_id=chosen)

    assert (receipt.created, receipt.job.state, receipt.job.generation) == (False, state, 1)
    assert world.state(job) is state


@FINAL_STATES
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "submitter crashed"])
def test_a_final_job_of_a_kind_that_reruns_opens_its_next_generation(world, state, recorded):
    job = ended(world, Greet(), state)
    runs = len(world.runs)
    if recorded:
        receipt = world.client.submit(Greet(), key="k")
        assert (receipt.created, receipt.job_id) == (True, job.ref.id)
    else:
        submit_without_a_record(world)

    world.settle()

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)
    assert len(world.runs) == runs + 1


def test_a_rerun_that_shares_its_batch_with_the_old_message_still_runs(world):
    job = world.submit(key="k")
    world.client.cancel(job.ref.id)
    submit_without_a_record(world)

    assert len(world.invoke()) == 2

    assert (world.state(job), world.job(job).generation, len(world.runs)) == (State.SUCCEEDED, 2, 1)


def test_a_rerun_may_go_to_another_lane_and_its_record_says_so(world):
    job = ended(world, Greet(), State.CANCELLED)
    submit_without_a_record(world, lane="bulk")

    world.invoke("bulk")

    assert (world.job(job).lane, world.state(job)) == ("bulk", State.SUCCEEDED)


@FINAL_STATES
def test_a_rerun_with_a_long_delay_waits_in_the_table(world, state):
    ended(world, Greet(), state)

    job = world.submit(key="k", delay=days(2))

    assert (job.state, job.generation, job.owns_args) == (State.SCHEDULED, 2, True)
    assert len(world.store.envelopes) >= 1


@FINAL_STATES
def test_a_final_job_of_a_kind_that_returns_is_returned(world, state):
    job = ended(world, ReturnOld(), state)
    before = world.queues.count("default")

    receipt = world.client.submit(ReturnOld(), key="k")

    assert (receipt.created, receipt.job) == (False, world.job(job))
    assert world.queues.count("default") == before


@FINAL_STATES
def test_a_final_job_of_a_kind_that_refuses_is_refused(world, state):
    ended(world, RefuseOld(), state)

    with pytest.raises(JobFinalError, match="Fix") as refused:
        world.client.submit(RefuseOld(), key="k")

    assert (refused.value.key, refused.value.state) == ("k", state)


def test_the_record_of_a_rerun_that_came_in_between_is_answered(world):
    job = world.submit(key="k")
    world.store.jobs[job.ref] = a_job(State.CANCELLED, ref=job.ref, fingerprint=job.fingerprint)
    move = world.store.move

    def late(verb, before, after, **named):
        world.store.move = move
        world.store.jobs[job.ref] = a_job(State.RUNNING, ref=job.ref, fingerprint=job.fingerprint, generation=2)
        return move(verb, before, after, **named)

    world.store.move = late
    receipt = world.client.submit(Greet(), key="k")

    assert (receipt.created, receipt.job.state, receipt.job.generation) == (False, State.RUNNING, 2)
