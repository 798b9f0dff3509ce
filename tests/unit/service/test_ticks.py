"""A schedule's message becomes one job of its tick, however often and however late it comes."""

import json
from datetime import UTC, datetime

import pytest

from tests.builders import NOW, Greet
from tests.unit.service.conftest import PERMANENT, World, raising
from tidemill import Schedule, days, hours, minutes, seconds
from tidemill.domain.cron import Cron
from tidemill.domain.definition import OnFinal
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.domain.schedule import schedules_of
from tidemill.domain.tick import SCHEDULED_TIME, tick_message
from tidemill.service.ticks import parse_tick

DUE = datetime.fromtimestamp(NOW / 1000, UTC)


def message(world, at=DUE, **options):
    """What Scheduler sends: the text of the template, with the time filled in."""
    definition = world.registry.resolve("test.greet")
    (schedule,) = schedules_of("job:", Greet, Schedule(Cron("@daily"), **options))
    text = tick_message(definition, schedule)
    assert text.count(SCHEDULED_TIME) == 1
    return text.replace(SCHEDULED_TIME, at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def fire(world, at=DUE, lane="default", **options):
    return world.queues.put(lane, message(world, at, **options))


def jobs(world):
    return list(world.store.jobs.values())


def test_a_tick_becomes_a_job_that_knows_its_time(world):
    seen = []
    world.does = [lambda args, ctx: seen.append((args, ctx.scheduled_at, ctx.scheduled_at_ms, ctx.tenant))]
    fire(world, args=Greet(name="bob"), tenant="acme", name="nightly")
    world.clock.advance(minutes(2))

    world.settle()

    (job,) = jobs(world)
    assert job.state is State.SUCCEEDED
    assert seen == [(Greet(name="bob"), DUE, NOW, "acme")]
    assert world.telemetry.counts.get("TicksLate") is None


def test_a_job_that_no_schedule_made_has_no_such_time(world):
    seen = []
    world.does = [lambda args, ctx: seen.append(ctx.scheduled_at)]
    world.submit()

    world.settle()

    assert seen == [None]


def test_the_schedule_is_the_cause(world):
    fire(world, name="nightly")

    world.invoke()

    (body,) = map(json.loads, world.bodies())
    assert (body["causation_id"], body["scheduled_at"], body["id"]) == ("schedule:nightly", NOW, jobs(world)[0].ref.id)
    assert "key" not in body


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("times", [2, 3])
def test_a_tick_that_fires_more_than_once_makes_one_job(world, times, together):
    for _ in range(times):
        fire(world)
        if not together:
            world.settle()
            world.clock.advance(minutes(1))

    world.settle()

    assert [job.state for job in jobs(world)] == [State.SUCCEEDED]
    assert len(world.runs) == 1


@pytest.mark.parametrize("end", ["dead", "cancelled", "expired", "succeeded"])
def test_a_tick_that_fires_again_never_runs_a_job_that_has_ended(end):
    """Though the kind would rerun a key: nobody asked for this job a second time."""
    world = World(on_final=OnFinal.RERUN)
    fire(world, expires_in=hours(1) if end == "expired" else None)
    world.invoke()
    if end == "cancelled":
        world.client.cancel(jobs(world)[0].ref.id)
    if end == "expired":
        world.clock.advance(hours(2))
    world.does = [raising(PERMANENT)] if end == "dead" else []
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()
    (ended,), runs = jobs(world), len(world.runs)
    assert ended.state == end

    world.clock.advance(minutes(1))
    fire(world, expires_in=hours(1) if end == "expired" else None)
    world.settle()

    assert jobs(world) == [ended]
    assert len(world.runs) == runs
    assert world.queues.count("default") == 0


def test_a_tick_that_fires_again_with_other_arguments_is_the_same_tick(world):
    fire(world)
    world.settle()
    fire(world, args=Greet(name="after the deployment"))

    world.settle()

    assert [job.state for job in jobs(world)] == [State.SUCCEEDED]
    assert world.telemetry.counts.get("MessagesRefused") is None
    assert world.queues.depth("default") == 0


def test_two_times_two_schedules_and_two_tenants_are_different_ticks(world):
    for options in ({}, {"at": DUE - hours(1)}, {"name": "other"}, {"tenant": "acme"}):
        fire(world, **options)

    world.settle()

    assert len({job.ref for job in jobs(world)}) == len(world.runs) == 4


def test_a_redelivery_of_the_message_is_the_same_tick(world):
    fire(world)
    (delivery,) = world.queues.receive("default")
    world.begin([delivery])
    world.clock.advance(hours(1))

    world.settle()

    assert len(world.runs) == 1


@pytest.mark.parametrize(("waited", "late"), [(minutes(5), None), (minutes(6), 1)])
def test_a_late_tick_runs_and_is_counted_once(world, waited, late):
    fire(world)
    fire(world)
    world.clock.advance(waited)

    world.settle()

    assert len(world.runs) == 1
    assert world.telemetry.counts.get("TicksLate") == late
    assert world.telemetry.events("alert").count("tick_late") == (late or 0)


def test_a_tick_within_its_jitter_is_not_late(world):
    fire(world, jitter=minutes(30))
    world.clock.advance(minutes(34))

    world.settle()

    assert world.telemetry.counts.get("TicksLate") is None


def test_a_tick_that_comes_after_it_expired_leaves_an_expired_job(world):
    fire(world, expires_in=minutes(10))
    world.clock.advance(minutes(10))

    world.settle()

    (job,) = jobs(world)
    assert (job.state, job.expires_at) == (State.EXPIRED, NOW + 600_000)
    assert world.runs == []


def test_of_those_that_piled_up_one_interval_lets_the_last_run(world):
    """Run once: a tick expires when the next one is due. n intervals let n run."""
    for number in range(6):
        fire(world, DUE - minutes(5) * number, expires_in=minutes(5))

    world.settle()

    assert sorted(job.state for job in jobs(world)) == ["expired"] * 5 + ["succeeded"]


def test_a_tick_runs_in_the_lane_of_its_queue(world):
    fire(world, lane="bulk")

    world.settle("bulk")

    assert [(job.lane, job.state) for job in jobs(world)] == [("bulk", State.SUCCEEDED)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": "k"}, "key: is no field of a tick's message"),
        ({"job_id": "00000000-0000-7000-8000-000000000000"}, "job_id: is no field"),
        ({"delay_seconds": 5}, "delay_seconds: is no field"),
        ({"tick": {"schedule": "a", "at": SCHEDULED_TIME}}, "tick.at: must be a time"),
        ({"kind": "test.nothing"}, "kind: no job of kind"),
        ({"args": {"nmae": "x"}}, "args.nmae"),
    ],
)
def test_a_message_that_is_no_good_tick_is_refused_with_the_reason(world, change, says):
    world.queues.put("default", json.dumps({**json.loads(message(world)), **change}))

    world.settle()

    (job,) = jobs(world)
    assert job.state is State.DEAD
    (evidence,) = world.store.failures_of(job.ref)
    assert says in evidence.failure.message
    assert world.queues.depth("default") == 1


def test_no_callers_key_leads_to_a_ticks_job(world):
    submission = parse_tick(json.loads(message(world)), world.registry)

    assert submission.key is None
    assert submission.job_id != world.submit(key=f"tick:test.greet:{NOW}").ref.id


def test_a_tick_is_known_for_as_long_as_any_copy_of_it_may_be_about(world):
    """A day of Scheduler's retries, 14 in its DLQ, 4 on the lane's queue after somebody put it back."""
    fire(world)
    world.settle()
    (job,) = jobs(world)

    assert job.ttl_s >= (NOW + (days(1) + days(14) + days(4)) // seconds(0.001)) // 1000
