"""Faults reach the real engine, and it survives them; a fault that never happens fails the test."""

from __future__ import annotations

from datetime import timedelta
from math import ceil

import pytest

from tests.unit.testing.conftest import Pay, Steady
from tidemill import PermanentError, State, hours, minutes, seconds
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.errors import UnavailableError
from tidemill.testing import Crashed, Harness, assert_dead, assert_state, assert_succeeded, refute_submitted
from tidemill.testing.faults import CALLS

# Calls that the way of one `Pay` through the engine meets.
ON_THE_WAY = ("insert", "send", "claim", "hide", "open", "remember", "conclude")


@pytest.mark.parametrize("kind", ["throttle", "lose_answer", "crash_before", "crash_after"])
@pytest.mark.parametrize("call", ON_THE_WAY)
def test_a_job_survives_any_single_fault(world, call, kind):
    with Harness(world.registry) as tide:
        world.tide = tide
        getattr(tide.faults, kind)(call)
        try:
            tide.client.submit(Pay(), key="once")
        except (UnavailableError, Crashed):
            tide.client.submit(Pay(), key="once")
        tide.drain_until_idle()

        [job] = tide.jobs()
        assert_succeeded(tide, job)
        assert tide.faults.outstanding == ()


def test_a_crash_in_the_test_itself_is_raised(tide):
    tide.faults.crash_before("send")

    with pytest.raises(Crashed, match="crash before send"):
        tide.client.submit(Pay())
    assert tide.jobs() == []


def test_a_worker_that_crashes_is_followed_by_another_after_its_lease(tide, world):
    tide.faults.crash_after("claim")
    receipt = tide.client.submit(Pay())
    begun = tide.now

    tide.drain()
    assert_state(tide, receipt, State.RUNNING)
    tide.drain_until_idle()

    job = assert_succeeded(tide, receipt)
    assert (job.attempt, job.crashes) == (2, 1)
    assert tide.now - begun < seconds(75 + 36)


def test_a_worker_is_killed_from_within(tide, world):
    world.does = lambda _: tide.kill_worker()
    job = tide.run_one(Pay())
    assert job.state is State.RUNNING

    tide.drain_until_idle()

    assert (tide.job(job).state, tide.job(job).reason) == (State.DEAD, "poison")
    assert len(world.effects) == 1


def test_a_worker_is_killed_from_outside(tide):
    tide.kill_worker()

    assert tide.run_one(Pay()).state is State.RUNNING


def test_a_killed_worker_does_nothing_more_whatever_its_job_catches(tide, world):
    def caught(ctx):
        try:
            tide.kill_worker()
        except BaseException:  # noqa: BLE001 - what the test is about
            ctx.step("more", world.effect, "more")

    world.does = caught
    job = tide.run_one(Pay())

    assert job.state is State.RUNNING
    assert "more" not in world.effects


def test_a_crash_takes_the_whole_batch_with_it_and_nothing_is_lost(tide, world):
    receipts = [tide.client.submit(Pay(cents=cents)) for cents in range(5)]
    tide.faults.crash_after_step("pay", after=2)

    tide.drain()
    assert {tide.job(receipt).state for receipt in receipts} == {State.RUNNING}
    tide.drain_until_idle()

    for receipt in receipts:
        assert_succeeded(tide, receipt)
    assert world.effects.count("note") == 5
    assert len(world.effects) == 10


def test_a_janitor_that_crashes_comes_again_the_next_minute(tide):
    tide.faults.crash_after("send", by="janitor", times=2)
    receipt = tide.client.submit(Pay(), delay=hours(1))

    tide.drain_until_idle()

    assert_succeeded(tide, receipt)
    assert sum(said.event == "janitor_failed" for said in tide.telemetry.lines) == 2


def buried(tide, world):
    """A job that died, with its message in the DLQ."""
    world.does = refuse
    dead = tide.client.submit(Pay()).job
    tide.drain_until_idle()
    assert_dead(tide, dead)
    assert tide.queues.depth("default") == 1
    world.does = lambda _: None
    return dead


def refuse(_):
    raise PermanentError("no")


def test_a_redrive_whose_answer_is_lost_was_done(tide, world):
    dead = buried(tide, world)
    tide.faults.lose_answer("dlq_move")

    with pytest.raises(UnavailableError):
        tide.desk.redrive(dead.ref)

    assert (tide.queues.depth("default"), tide.faults.outstanding) == (0, ())
    tide.drain_until_idle()
    assert_succeeded(tide, dead)


def test_a_redrive_that_crashes_after_the_move_was_done(tide, world):
    dead = buried(tide, world)
    tide.faults.crash_after("dlq_move")

    with pytest.raises(Crashed, match="crash after dlq_move"):
        tide.desk.redrive(dead.ref)

    assert tide.queues.depth("default") == 0


@pytest.mark.parametrize("span", [timedelta(milliseconds=1), seconds(1), timedelta(seconds=1.5)])
def test_a_message_is_late_by_whole_seconds_and_never_by_none(tide, span):
    tide.faults.deliver_late(span)
    tide.client.submit(Pay())

    [message] = tide.queues._queues["default"].messages

    assert message.visible_at - message.sent_at == ceil(span.total_seconds()) * 1000
    tide.drain_until_idle()


def test_a_message_may_come_twice_and_late(tide, world):
    tide.faults.deliver_twice(times=3)
    tide.faults.deliver_late(minutes(20))
    receipt = tide.client.submit(Pay())

    assert tide.drain() == 0
    tide.drain_until_idle()
    again = tide.client.submit(Pay())
    tide.drain()

    for one in (receipt, again):
        assert_succeeded(tide, one)
    assert world.effects.count("note") == 2
    tide.faults.forget()


def test_a_slow_call_runs_into_the_timeout(tide):
    tide.faults.slow("remember", minutes(2))

    job = tide.run_one(Pay())

    assert (job.state, job.reason) == (State.RETRYING, "timed_out")


def test_a_function_that_takes_too_long_is_ended(tide):
    tide.faults.slow("conclude", minutes(2))

    assert tide.run_one(Pay()).state is State.RUNNING


def test_a_frozen_worker_is_a_zombie_whose_writes_are_refused(tide, world):
    """Its heartbeats end, another worker has the job, and the first one wakes up in the midst of it."""
    world.does = lambda ctx: ctx.step("late", world.effect, "late")
    tide.faults.freeze("open", minutes(3))
    receipt = tide.client.submit(Steady())

    tide.drain()

    job = assert_succeeded(tide, receipt)
    assert (job.attempt, job.crashes) == (2, 1)
    assert world.effects == ["late"]


def test_a_frozen_worker_does_not_outlive_its_function(tide, world):
    tide.faults.freeze("remember", minutes(5))
    receipt = tide.client.submit(Pay())

    tide.drain()

    assert any("the function's time was over" in str(said) for said in tide.telemetry.lines)
    assert_succeeded(tide, receipt)
    assert len(world.effects) == 3


def test_a_planned_fault_must_happen(world):
    def test():
        with Harness(world.registry) as tide:
            tide.faults.throttle("keep", by="worker")
            tide.run_one(Pay())

    with pytest.raises(AssertionError, match="planned and never happened: throttle keep by the worker"):
        test()


def test_a_failure_is_not_hidden_by_a_fault_that_did_not_happen(world):
    def test():
        with Harness(world.registry) as tide:
            tide.faults.throttle("claim")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        test()


def test_what_can_not_be_a_fault_is_refused(tide):
    with pytest.raises(ValueError, match="conclude"):
        tide.faults.throttle("concluded")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="times >= 1"):
        tide.faults.throttle("claim", times=0)
    with pytest.raises(ValueError, match="somebody"):
        tide.faults.throttle("claim", by="somebody")


def test_every_verb_of_every_port_can_fail():
    from tidemill.domain import ports
    from tidemill.domain.ports.webhooks import Endpoints

    stores = (
        ports.JobStore,
        ports.JobReader,
        ports.JobQueue,
        ports.JobMemory,
        ports.Payloads,
        ports.EntityOrder,
        ports.BatchStore,
        ports.JobWaits,
    )
    verbs = {name for port in stores for name in vars(port) if not name.startswith("_")}
    dlq = {name for name in vars(ports.DeadLetterQueue) if not name.startswith("_")}

    schedules = {name for name in vars(ports.ScheduleStore) if not name.startswith("_")}
    renamed = {"find_schedules", "due_schedules", "record_schedule", "move_schedule"}
    # Verbs that several ports have: a fault names whose is meant.
    sagas = {"report", "keep_token", "find_token", "start_saga", "look_at_saga", "history_of_saga", "left_of_saga"}
    ports_of_sagas = (ports.TaskReports, ports.TaskTokens, ports.Executions)
    assert sum(not name.startswith("_") for port in ports_of_sagas for name in vars(port)) == len(sagas)
    # The entries of a transaction are made without a call.
    events = {name for port in (ports.Outbox, ports.EventBus) for name in vars(port) if not name.startswith("_")}
    events = (events - {"actions", "find", "page"}) | {"find_outbound", "outbox_page"}
    endpoints = {f"{name}_endpoint" for name in vars(Endpoints) if not name.startswith("_")}
    # What a queue is, it knows by its name.
    verbs -= {"has_lane", "keeps_order"}
    known = verbs | (dlq - {"move"}) | {"dlq_move"} | (schedules - {"record"}) | renamed | sagas
    known |= events | endpoints
    assert known == set(CALLS)


def test_what_a_killed_worker_still_submits_is_not_submitted(tide, world):
    def caught(_):
        try:
            tide.kill_worker()
        except BaseException:  # noqa: BLE001 - what the test is about
            tide.client.submit(Steady())

    world.does = caught
    tide.run_one(Pay())

    refute_submitted(tide, Steady)


def test_what_a_killed_worker_still_raises_is_not_recorded(tide, world):
    def caught(_):
        try:
            tide.kill_worker()
        except BaseException:  # noqa: BLE001 - what the test is about
            raise ValueError("oh") from None

    world.does = caught
    job = tide.run_one(Pay())

    assert job.state is State.RUNNING
    assert tide.failures(job) == []


def test_a_second_delivery_finds_that_all_is_done(tide, world):
    tide.faults.deliver_twice()
    receipt = tide.client.submit(Pay())

    assert tide.drain() == 2
    assert_succeeded(tide, receipt)
    assert world.effects.count("note") == 1


def test_a_janitor_that_crashes_beside_a_job_does_not_end_it(tide, world):
    tide.client.submit(Pay(cents=1), delay=minutes(17))
    world.does = lambda _: tide.advance(seconds(30))
    tide.advance(minutes(14.9))
    tide.faults.crash_after("due", by="janitor")

    assert tide.run_one(Pay(cents=2)).state is State.SUCCEEDED
    assert [said.event for said in tide.telemetry.lines].count("janitor_failed") == 1


def test_a_job_that_no_worker_could_claim_is_found_dead_by_the_census(tide):
    tide.faults.throttle("claim", times=MAX_RECEIVES)
    receipt = tide.client.submit(Pay())

    tide.drain_until_idle()

    assert_dead(tide, receipt, "never_ran")
