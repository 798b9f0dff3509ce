"""Writes whose answer was lost, and records that somebody else moved first."""

from functools import partial

from tests.builders import NOW, an_envelope
from tests.unit.service.conftest import FUNCTION_TIMEOUT, returning
from tidemill import days, minutes
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Refused, Unwritten

UNWRITTEN = Unwritten(UnavailableError("write", "Timeout"))


def once(port, name, answer):
    """Let the next call of `name` answer `answer(real, *args)`."""
    real = getattr(port, name)

    def call(*args, **named):
        setattr(port, name, real)
        return answer(partial(real, **named), *args)

    setattr(port, name, call)


def test_a_claim_that_was_not_written_leaves_job_and_message(world):
    job = world.submit()
    once(world.store, "claim", lambda real, claims: [UNWRITTEN for _ in claims])

    world.invoke()
    assert (world.state(job), world.runs, world.queues.count("default")) == (State.QUEUED, [], 1)
    world.settle()

    assert world.state(job) is State.SUCCEEDED


def test_a_claim_whose_answer_was_lost_is_known_by_its_owner_and_runs_once(world):
    job = world.submit()
    once(world.store, "claim", lambda real, claims: [Refused(written.job) for written in real(claims)])

    world.invoke()

    assert (world.state(job), len(world.runs), world.job(job).fence) == (State.SUCCEEDED, 1, 1)


def test_a_claim_by_insert_whose_answer_was_lost_is_known_by_its_owner(world):
    world.send(an_envelope())
    once(world.store, "insert", lambda real, jobs: [Refused(written.job) for written in real(jobs)])

    world.invoke()

    assert (world.state(an_envelope().ref), len(world.runs)) == (State.SUCCEEDED, 1)


def test_a_record_that_comes_before_the_claim_by_insert_is_claimed_by_the_next_receive(world):
    envelope = an_envelope()
    world.send(envelope)
    once(world.store, "insert", lambda real, jobs: (real([envelope.record("default", State.QUEUED, 1)]), real(jobs))[1])

    world.invoke()
    assert (world.state(envelope.ref), world.runs) == (State.QUEUED, [])
    world.clock.advance(minutes(0.02))
    world.invoke()

    assert (world.state(envelope.ref), len(world.runs)) == (State.SUCCEEDED, 1)


def test_a_claim_by_insert_that_was_not_written_comes_back_when_one_that_was_would_be_over(world):
    world.send(an_envelope())
    once(world.store, "insert", lambda real, jobs: [UNWRITTEN for _ in jobs])

    world.invoke()
    world.clock.advance(minutes(1.9))
    assert world.invoke() == []
    world.clock.advance(minutes(0.2))
    world.invoke()

    assert world.state(an_envelope().ref) is State.SUCCEEDED


def test_a_redrive_that_somebody_else_was_faster_with_runs_once(world):
    job = world.kill()
    world.clock.advance(days(1))
    world.desk.redrive(job.ref)
    once(world.store, "move", lambda real, *move: Refused(job))

    world.invoke()
    assert world.state(job) is State.DEAD
    world.settle()

    assert (world.state(job), world.job(job).generation, len(world.runs)) == (State.SUCCEEDED, 2, 2)


def test_an_end_that_was_not_written_runs_again_when_its_lease_is_over(world):
    job = world.submit()
    world.does = [returning("lost"), returning("kept")]
    conclude, world.store.conclude = world.store.conclude, lambda ended: [UNWRITTEN for _ in ended]

    world.invoke()
    assert (world.state(job), world.queues.count("default")) == (State.RUNNING, 1)
    assert world.job(job).claimable_at > NOW + FUNCTION_TIMEOUT.total_seconds() * 1000
    world.store.conclude = conclude
    world.settle()

    assert (world.client.result(job.ref.id), world.job(job).attempt) == ("kept", 2)
