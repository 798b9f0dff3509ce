"""A job that kills its worker harms no other: whoever was in a worker that died runs alone from then on."""

from __future__ import annotations

import pytest

from tests.builders import Greet
from tests.unit.service.conftest import FUNCTION_TIMEOUT, PERMANENT, World, raising, returning
from tidemill import Retry, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.interrupt import WorkerDied
from tidemill.domain.lifecycle import State
from tidemill.domain.signals import DependencyDownError


class Killed(WorkerDied):
    """The process is gone: nothing may catch this."""


def survive(world, patience=200):
    """Let workers come and die until every job is over. Answers the runs, an invocation each."""
    runs = []
    for _ in range(patience):
        before = len(world.runs)
        try:
            world.invoke()
        except Killed:
            world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
        if world.runs[before:]:
            runs.append([job_id for job_id, _, _ in world.runs[before:]])
        world.janitor.sweep()
        world.clock.advance(seconds(1))
        if not world.pending():
            return runs
    raise AssertionError(f"still {world.pending()}")


def test_of_ten_jobs_with_one_killer_nine_succeed_and_the_killer_is_dead_after_three(world):
    jobs = [world.submit(Greet(name=str(number))) for number in range(10)]
    killer = jobs[4]
    plain = world._run

    def run(args, ctx):
        plain(args, ctx)
        if args.name == "4":
            raise Killed

    for definition in world.registry._definitions:
        object.__setattr__(definition, "function", run)
    runs = survive(world)

    assert [world.state(job) for job in jobs] == [State.DEAD if job is killer else State.SUCCEEDED for job in jobs]
    assert (world.job(killer).reason, world.job(killer).crashes) == ("poison", limits.MAX_CRASHES)
    # After its first death, whoever had been there ran alone.
    assert all(len(batch) == 1 for batch in runs[1:])
    assert sum(killer.ref.id in batch for batch in runs) == limits.MAX_CRASHES
    # An innocent that ran beside the killer runs again, once; none was taken for poison.
    assert max(world.job(job).crashes for job in jobs if job is not killer) == 1


def crashed(world, *names):
    """Jobs whose worker died once."""
    jobs = [world.submit(Greet(name=name)) for name in names]
    world.crash()
    return jobs


def test_a_suspect_runs_after_its_neighbours_were_recorded_and_their_messages_deleted(world):
    (suspect,) = crashed(world, "suspect")
    fine, failing, dying = (world.submit(Greet(name=name)) for name in ("fine", "failing", "dying"))
    seen = {}

    def look(args, ctx):
        seen["states"] = [world.state(job) for job in (suspect, fine, failing, dying)]
        seen["messages"] = world.queues.count("default")
        raise Killed

    world.does = [returning(1), raising(ValueError()), raising(PERMANENT), look]
    with pytest.raises(Killed):
        world.invoke()

    assert seen["states"] == [State.RUNNING, State.SUCCEEDED, State.RETRYING, State.DEAD]
    assert seen["messages"] == 3
    # Nothing of them is lost with the process: not even how long they wait.
    world.clock.advance(seconds(9))
    assert [delivery.body.count("dying") for delivery in world.queues.receive("default")] == [1]
    world.clock.advance(seconds(2))
    assert [delivery.body.count("failing") for delivery in world.queues.receive("default")] == [1]


def test_one_suspect_runs_in_an_invocation_and_the_others_are_given_back_one_after_the_other(world):
    jobs = crashed(world, "a", "b", "c")
    start = world.clock.now_ms()

    world.invoke()

    states = [world.state(job) for job in jobs]
    assert (states, len(world.runs)) == ([State.SUCCEEDED, State.RETRYING, State.RETRYING], 1)
    space = limits.SUSPECT_SPACING.total_seconds() * 1000
    assert [world.job(job).claimable_at - start for job in jobs[1:]] == [space, 2 * space]
    # It cost them nothing, and they are suspects still.
    assert [(found.tries, found.crashes, found.deferrals) for found in map(world.job, jobs[1:])] == [(0, 1, 0)] * 2
    world.settle()
    assert [world.state(job) for job in jobs] == [State.SUCCEEDED] * 3


def test_who_saw_fewest_deaths_runs_first(world):
    (twice,) = crashed(world, "twice")
    # The crash that makes `once` a suspect meets the other one too.
    (once,) = crashed(world, "once")

    world.invoke()

    assert (world.state(once), world.state(twice)) == (State.SUCCEEDED, State.RETRYING)
    assert world.job(twice).crashes == 2
    world.settle()
    assert world.state(twice) is State.SUCCEEDED


def test_a_suspect_that_is_alone_in_its_batch_needs_no_second_round(world):
    (job,) = crashed(world, "a")
    conclude, calls = world.store.conclude, []
    world.store.conclude = lambda ended: calls.append(len(ended)) or conclude(ended)

    world.invoke()

    assert (world.state(job), calls) == (State.SUCCEEDED, [1])


def test_without_suspects_nothing_is_isolated(world):
    world.submit()
    world.submit()
    executor, batch = world.begin(world.queues.receive("default"))

    assert executor.isolate(batch) is None
    assert len(batch.together) == 2


def test_a_batch_with_a_suspect_is_counted_as_one(world):
    crashed(world, "a")
    world.submit()
    world.invoke()

    assert world.telemetry.counts["BatchSize"] == 2
    (line,) = (fields for _, event, fields in world.telemetry.lines if event == "batch")
    assert line == {"messages": 2, "JobsSucceeded": 2}


def test_a_copy_of_a_suspect_in_its_own_batch_waits_for_its_end(world):
    (job,) = crashed(world, "a")
    envelope_body = world.bodies()[0]
    world.queues.put("default", envelope_body.replace('"send_id":"01', '"send_id":"02'))
    world.submit()

    world.invoke()

    assert (world.state(job), world.queues.count("default")) == (State.SUCCEEDED, 0)


def test_an_outage_costs_no_attempts_and_is_asked_about_ever_more_rarely(world):
    job = world.submit()
    world.does = [raising(DependencyDownError())] * 12
    waits = []
    for _ in range(12):
        world.invoke()
        waits.append(world.job(job).wait_ms)
        world.clock.advance(seconds(waits[-1] / 1000 - 100 if waits[-1] > 200_000 else waits[-1] / 1000 + 1))
        world.janitor.sweep()
        world.clock.advance(seconds(101) if waits[-1] > 200_000 else seconds(0))

    assert (world.job(job).deferrals, world.job(job).tries) == (12, 0)
    assert waits[-1] > 50 * waits[0]


def test_the_same_mistake_three_times_ends_a_job_early_and_bad_luck_does_not():
    world = World(retry=Retry(max_attempts=6, delays=[seconds(1)]))
    mistaken, unlucky = world.submit(), world.submit()
    errors = {mistaken.ref.id: KeyError("the same"), unlucky.ref.id: OSError("the same")}

    def fails(args, ctx):
        raise errors[ctx.job_id]

    world.does = [fails] * 20
    world.settle()

    assert (world.job(mistaken).reason, world.job(mistaken).attempt) == ("repeating", 3)
    assert (world.job(unlucky).reason, world.job(unlucky).attempt) == ("attempts_exhausted", 6)
