"""Duplicates, copies, zombies and crashes."""

from dataclasses import replace

import pytest

from tests.builders import (
    OTHER_SEND_ID,
    an_envelope,
)
from tests.unit.service.conftest import FUNCTION_TIMEOUT, PERMANENT, raising, returning
from tidemill import minutes, seconds
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.lifecycle import State


def test_copies_of_a_job_in_one_batch_run_it_once(world):
    envelope = an_envelope()
    for send_id in (envelope.send_id, OTHER_SEND_ID, envelope.send_id):
        world.send(envelope.resend(send_id))

    world.invoke()

    assert len(world.runs) == 1
    assert world.queues.count("default") == 0


def test_copies_of_a_job_that_failed_stay_until_it_is_over(world):
    envelope = an_envelope()
    world.send(envelope)
    world.send(envelope.resend(OTHER_SEND_ID))
    world.does = [raising(ValueError("x"))]

    world.invoke()
    assert world.queues.count("default") == 2
    world.settle()

    assert len(world.runs) == 2
    assert (world.state(envelope.ref), world.queues.depth("default")) == (State.SUCCEEDED, 0)


def test_one_message_delivered_twice_in_a_batch_keeps_the_settlement_of_its_job(world):
    envelope = an_envelope()
    world.send(envelope)
    (delivery,) = world.queues.receive("default")
    world.does = [raising(ValueError("x"))]

    world.work([delivery, delivery])
    world.clock.advance(seconds(11))

    assert len(world.runs) == 1
    assert len(world.queues.receive("default")) == 1


def test_a_duplicate_delivery_of_a_finished_job_is_acked_without_a_run(world):
    job = world.submit()
    (delivery,) = world.queues.receive("default")
    world.work([delivery])

    assert world.work([replace(delivery, receives=2)]) == []
    assert len(world.runs) == 1
    assert world.job(job).fence == 1


def test_a_job_that_runs_elsewhere_is_met_again_when_its_lease_ends(world):
    job = world.submit()
    (delivery,) = world.queues.receive("default")
    world.begin([delivery])

    assert world.work([delivery]) == [delivery.message_id]
    assert world.runs == []
    assert world.state(job) is State.RUNNING


def test_a_zombie_cannot_finish_what_another_worker_holds(world):
    job = world.submit()
    (first,) = world.queues.receive("default")
    zombie, batch = world.begin([first])
    world.does = [returning("zombie"), returning("holder")]
    batch.perform(first.message_id)
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    (second,) = world.queues.receive("default")
    holder, mine = world.begin([second])

    assert zombie.finish(batch) == [first.message_id]
    assert (world.state(job), world.job(job).fence) == (State.RUNNING, 2)
    mine.perform(second.message_id)
    assert holder.finish(mine) == []

    assert world.client.result(job.ref.id) == "holder"
    assert world.telemetry.counts["FenceLost"] == 1


@pytest.mark.parametrize(("ends", "staying"), [(returning(1), 0), (raising(PERMANENT), 1), (raising(ValueError()), 1)])
def test_a_fenced_out_worker_acks_only_what_has_succeeded(world, ends, staying):
    world.submit()
    (first,) = world.queues.receive("default")
    zombie, batch = world.begin([first])
    world.does = [returning("late"), ends]
    batch.perform(first.message_id)
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    (second,) = world.queues.receive("default")
    world.work([second])

    assert len(zombie.finish(batch)) == staying


def test_three_crashes_are_poison_and_there_is_no_fourth_run(world):
    job = world.submit()
    for _ in range(3):
        world.crash()

    world.settle()

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "poison")
    assert world.runs == []
    assert world.queues.depth("default") == 1


def test_two_crashes_are_forgiven_and_cost_no_attempt(world):
    job = world.submit()
    world.crash()
    world.crash()
    world.does = [raising(ValueError()), raising(ValueError())]

    world.settle()

    assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 3)


def test_a_claim_keeps_the_record_as_long_as_a_message_of_it_could_come_back(world):
    job = world.submit()
    world.clock.advance(seconds(3_600))
    deliveries = world.queues.receive("default")
    world.begin(deliveries)

    assert world.job(job).ttl_s == message_ttl_s(world.clock.now_ms())


def test_a_redrive_keeps_the_record_anew(world):
    job = world.kill()
    world.clock.advance(minutes(60 * 24 * 10))
    world.desk.redrive(job.ref)
    world.begin(world.queues.receive("default"))

    assert world.state(job) is State.RUNNING
    assert world.job(job).ttl_s >= message_ttl_s(world.clock.now_ms())
