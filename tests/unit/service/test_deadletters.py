"""The DLQ desk, and the census of deaths that nobody saw."""

import pytest

from tests.builders import DAY, NOW, OTHER_SEND_ID, a_send_id, an_envelope
from tests.unit.service.conftest import PERMANENT, raising
from tidemill import days, minutes
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES


def forget_receives(world, lane="default"):
    """SQS hands the lane's messages out to nobody until it gives up."""
    for _ in range(MAX_RECEIVES + 1):
        world.queues.receive(lane)
        world.clock.advance(minutes(7))
    world.queues.receive(lane)


def console_redrive(world, lane="default"):
    return world.queues.move(lane, lambda _: True, 100, 100)


def test_a_redriven_job_runs_again_as_its_next_generation(world):
    job = world.kill()
    world.clock.advance(days(1))

    assert world.desk.redrive(job.ref).via == "dlq"
    world.settle()

    assert (world.state(job), world.job(job).generation, world.job(job).attempt) == (State.SUCCEEDED, 2, 1)
    assert [generation for _, generation, _ in world.runs] == [1, 2]
    assert world.queues.depth("default") == 0


def test_a_redrive_by_the_console_needs_no_help_of_ours(world):
    job = world.kill()
    world.clock.advance(days(1))

    console_redrive(world)
    world.settle()

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)


def test_a_job_that_dies_again_can_be_redriven_again(world):
    job = world.kill()
    world.does = [raising(PERMANENT)]
    for _ in range(2):
        world.clock.advance(days(1))
        console_redrive(world)
        world.settle()
        assert world.queues.depth("default") == (1 if world.state(job) is State.DEAD else 0)

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 3)


def test_a_redrive_whose_message_is_gone_comes_from_the_table(world):
    job = world.kill()
    (letter,) = world.queues.peek("default", 1)
    world.queues._dlqs["default"].messages.clear()
    world.clock.advance(days(1))

    assert world.desk.redrive(job.ref).via == "table"
    assert (world.state(job), world.job(job).generation) == (State.QUEUED, 2)
    (body,) = world.bodies()
    assert body != letter.body
    world.settle()

    assert world.state(job) is State.SUCCEEDED


def test_a_job_that_is_sent_from_the_table_outlives_its_new_message(world):
    job = world.kill()
    world.queues._dlqs["default"].messages.clear()
    world.clock.advance(days(29))

    world.desk.redrive(job.ref)

    assert world.job(job).ttl_s >= message_ttl_s(NOW + 29 * DAY)


def test_a_redrive_of_a_job_whose_arguments_are_gone_says_so(world):
    job = world.kill()
    world.queues._dlqs["default"].messages.clear()
    world.store.envelopes.clear()

    with pytest.raises(JobStateError, match="submit it again"):
        world.desk.redrive(job.ref)


def test_a_redrive_while_the_queue_is_down_changes_nothing(world):
    job = world.kill()
    world.queues._dlqs["default"].messages.clear()
    world.queues.outage = UnavailableError("send", "down")

    with pytest.raises(UnavailableError):
        world.desk.redrive(job.ref)

    assert world.job(job) == job


def test_the_operator_who_clicks_twice_gets_one_run(world):
    job = world.kill()
    world.clock.advance(days(1))

    assert [world.desk.redrive(job.ref).via, world.desk.redrive(job.ref).via] == ["dlq", "table"]
    world.settle()

    assert (world.state(job), world.job(job).generation, len(world.runs)) == (State.SUCCEEDED, 2, 2)


def test_only_the_message_that_died_is_redriven_and_no_other_copy(world):
    envelope = an_envelope()
    world.send(envelope.resend(OTHER_SEND_ID))
    forget_receives(world)
    world.send(envelope)
    world.does = [raising(PERMANENT)]
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()
    assert world.queues.depth("default") == 2
    world.clock.advance(days(1))

    world.desk.redrive(envelope.ref)
    world.settle()

    assert (world.state(envelope.ref), len(world.runs)) == (State.SUCCEEDED, 2)


def test_another_copy_of_a_dead_job_is_redundant(world):
    job = world.kill()
    envelope = world.store.envelope_of(job)
    world.send(envelope.resend(OTHER_SEND_ID))

    world.invoke()

    assert (world.queues.count("default"), world.queues.depth("default"), len(world.runs)) == (0, 1, 1)


def test_the_held_message_of_a_dead_job_is_never_acked_even_beside_a_copy(world):
    envelope = an_envelope()
    world.send(envelope)
    world.does = [raising(PERMANENT)]
    world.invoke()
    world.send(envelope.resend(OTHER_SEND_ID))
    (held, copy) = world.queues.receive("default")

    assert world.work([copy, held]) == [held.message_id]


@pytest.mark.parametrize("state", [State.QUEUED, State.SUCCEEDED])
def test_only_dead_jobs_are_redriven(world, state):
    job = world.submit()
    if state is State.SUCCEEDED:
        world.invoke()

    with pytest.raises(JobStateError, match="only dead jobs"):
        world.desk.redrive(job.ref)
    with pytest.raises(JobNotFoundError):
        world.desk.redrive(JobRef("default", a_send_id(5)))


def test_a_whole_lane_is_redriven_up_to_a_limit(world):
    for _ in range(3):
        world.kill()
    world.clock.advance(days(1))

    assert world.desk.depths()["default"] == 3
    assert world.desk.redrive_lane("default", 2) == 2
    assert world.desk.depths()["default"] == 1
    with pytest.raises(InputError, match="known: critical, default, bulk"):
        world.desk.redrive_lane("nope", 1)


def test_a_poisoned_job_that_is_redriven_starts_with_all_its_lives(world):
    job = world.submit()
    for _ in range(3):
        world.crash()
    world.settle()
    assert world.job(job).reason == "poison"

    console_redrive(world)
    world.crash()
    world.settle()

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)


def test_a_job_that_crashed_out_and_was_put_back_before_any_census_runs_again(world):
    job = world.submit()
    for _ in range(3):
        world.crash()
    world.queues._max_receives = 3
    world.queues.receive("default")
    assert (world.queues.depth("default"), world.state(job)) == (1, State.RUNNING)

    console_redrive(world)
    world.settle()

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)


def test_a_redriven_plain_message_is_said_to_become_a_job_of_its_own(world):
    world.queues.put("default", "bad")
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()
    (refused,) = world.store.jobs.values()

    assert world.desk.redrive(refused.ref).via == "message"
    with pytest.raises(JobStateError, match="a job of its own"):
        world.desk.redrive(refused.ref)
