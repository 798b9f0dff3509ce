"""The DLQ desk, and the census of deaths that nobody saw."""

from itertools import islice

import pytest

from tests.builders import DAY, NOW, OTHER_SEND_ID, Greet, a_send_id, an_envelope, moved
from tests.unit.service.conftest import PERMANENT, raising
from tidemill import days, hours, minutes
from tidemill.domain.audit import Outcome
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.errors import (
    InputError,
    JobNotFoundError,
    JobStateError,
    KeyConflictError,
    PayloadGoneError,
    UnavailableError,
)
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.domain.ports import Unwritten
from tidemill.service.bulk import Care
from tidemill.service.editing import Edit
from tidemill.service.manner import RESUME, Manner, Mode


def forget_receives(world, lane="default"):
    """SQS hands the lane's messages out to nobody until it gives up."""
    for _ in range(MAX_RECEIVES + 1):
        world.queues.receive(lane)
        world.clock.advance(minutes(7))
    world.queues.receive(lane)


def console_redrive(world, lane="default"):
    return moved(world.queues, lane, lambda _: True, 100, 100)


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


def test_a_redrive_while_the_queue_is_down_is_accepted_and_the_janitor_sends_it(world):
    job = world.kill()
    world.queues._dlqs["default"].messages.clear()
    world.queues.outage = UnavailableError("send", "down")

    assert world.desk.redrive(job.ref).via == "table"
    assert world.state(job) is State.SCHEDULED

    world.queues.outage = None
    world.settle()
    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)


def test_a_redrive_while_the_table_is_down_changes_nothing(world, monkeypatch):
    job = world.kill()
    world.queues._dlqs["default"].messages.clear()
    for name in ("keep", "move"):
        with monkeypatch.context() as broken:
            down = UnavailableError(name, "down")
            answer = [down] if name == "keep" else Unwritten(down)
            broken.setattr(world.store, name, lambda *_, answer=answer, **__: answer)
            with pytest.raises(UnavailableError):
                world.desk.redrive(job.ref)
        assert (world.job(job), world.queues.count("default")) == (job, 0)


def test_a_job_that_expired_meanwhile_runs_because_an_operator_wants_it_to(world):
    job = world.kill(expires_in=hours(1))
    world.queues._dlqs["default"].messages.clear()
    world.clock.advance(days(1))

    world.desk.redrive(job.ref)
    world.settle()

    assert world.state(job) is State.SUCCEEDED


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


@pytest.mark.parametrize("by_itself", [True, False])
def test_a_whole_lane_is_redriven_by_sqs_or_by_us_with_the_same_bytes(world, by_itself):
    world.queues.moves_by_itself = by_itself
    for _ in range(3):
        world.kill()
    bodies = {letter.body for letter in world.queues.peek("default", 9)}
    world.clock.advance(days(1))

    assert world.desk.depths()["default"] == 3
    done = list(world.desk.redrive_lanes(world.lanes))

    assert [(one.lane, one.count, one.by_sqs) for one in done] == [("default", 3, by_itself)]
    assert (set(world.bodies()), world.desk.depths()["default"]) == (bodies, 0)
    world.settle()
    assert {job.state for job in world.store.jobs.values()} == {State.SUCCEEDED}


def test_plain_messages_that_say_the_same_go_back_all(world):
    """A message that came back because it died again is left; one of the same text that was there before is not."""
    for _ in range(9):
        world.queues.put("default", "the same")
    forget_receives(world)
    assert world.queues.depth("default") == 9
    world.clock.advance(days(1))

    done = list(world.desk.redrive_lanes(("default",), Care(rate=0.5)))

    assert sum(one.count for one in done) == 9
    assert (world.queues.depth("default"), world.queues.count("default")) == (0, 9)


def test_what_dies_again_at_once_is_left_there(world):
    world.queues.put("default", "the same")
    forget_receives(world)
    world.clock.advance(days(1))
    sleep = world.sleep

    def dying(wait_s):
        sleep(wait_s)
        forget_receives(world)

    world.sleep = dying
    world.build(world.store, world.queues)

    done = [one.count for one in islice(world.desk.redrive_lanes(("default",), Care(rate=0.5)), 5)]

    assert (done, world.queues.depth("default")) == ([1], 1)


def test_a_lane_that_is_none(world):
    with pytest.raises(InputError, match="known: critical, default, bulk"):
        world.desk.redrive_lanes(("nope",))


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
    world.queues._queues["default"].max_receives = 3
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


# --- large arguments ----------------------------------------------------------------------------------------

LARGE = "x" * 200_000


def test_large_arguments_are_edited_and_stored_before_anything_names_them(world):
    job = world.kill(args=Greet(name=LARGE))
    world.clock.advance(days(1))

    world.desk.edit(job.ref, Edit({"times": 2}))
    seen = []
    world.does = [lambda args, ctx: seen.append((len(args.name), args.times))]
    world.settle()

    assert (world.state(job), seen) == (State.SUCCEEDED, [(200_000, 2)])


def test_an_edit_that_makes_them_small_brings_them_back_into_the_message(world):
    job = world.kill(args=Greet(name=LARGE))

    world.desk.edit(job.ref, Edit({"name": "ada"}))

    assert world.store.envelope_of(world.job(job)).stored is None
    world.settle()
    assert world.state(job) is State.SUCCEEDED


def test_large_arguments_outlive_the_message_that_is_put_back(world, monkeypatch):
    job = world.kill(args=Greet(name=LARGE))
    renewed = []
    monkeypatch.setattr(world.payloads, "renew", lambda ref, stored: renewed.append(ref))

    world.desk.redrive(job.ref)

    assert renewed == [job.ref]


@pytest.mark.parametrize("manner", [RESUME, Manner(Mode.RESTART)])
def test_a_job_whose_large_arguments_are_gone_stays_dead_and_says_so(world, manner):
    job = world.kill(args=Greet(name=LARGE))
    world.payloads.kept.clear()

    with pytest.raises(PayloadGoneError):
        world.desk.redrive(job.ref, manner)

    assert (world.job(job), world.queues.depth("default"), world.queues.count("default")) == (job, 1, 0)
    assert world.desk.inspection.show(job.ref).args is None


# --- many ---------------------------------------------------------------------------------------------------


def test_jobs_whose_messages_are_gone_come_from_the_table_beside_the_others(world):
    jobs = [world.kill() for _ in range(3)]
    world.queues.purge("default", lambda _: True, 1, 1)
    world.clock.advance(days(1))

    done = list(world.desk.redrive_all(jobs))

    assert sorted(one.via for one in done) == ["dlq", "dlq", "table"]
    world.settle()
    assert {world.state(job) for job in jobs} == {State.SUCCEEDED}
    assert len(world.runs) == 6


def test_a_caller_that_leaves_in_the_middle_is_in_the_trail(world):
    jobs = [world.kill() for _ in range(3)]

    events = world.desk.redrive_all(jobs, Manner(Mode.RESTART))
    next(events)
    events.close()

    (entry,) = world.trail.entries.values()
    assert (entry.outcome, entry.error, entry.counts) == (Outcome.STOPPED, "abandoned", {"asked": 3, "redriven": 1})
    assert world.queues.depth("default") == 2


def test_somebody_else_was_faster(world):
    job = world.kill()
    world.store.jobs[job.ref] = job.reopened(State.QUEUED, 0, job.ttl_s)

    (told,) = world.desk.redrive_all([job], Manner(Mode.RESTART))

    assert (told.error.code, world.queues.depth("default"), world.queues.count("default")) == ("job_state", 1, 0)


def test_the_key_of_an_edited_job_belongs_to_its_new_arguments(world):
    job = world.kill(key="k")
    world.desk.edit(job.ref, Edit({"name": "bob"}))
    world.settle()

    again = world.client.submit(Greet(name="bob"), key="k")

    assert (again.created, again.job.state) == (False, State.SUCCEEDED)
    with pytest.raises(KeyConflictError):
        world.client.submit(Greet(), key="k")
