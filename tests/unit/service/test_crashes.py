"""Whatever moment a program dies at, no accepted job is lost and no final state is left."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import pytest

from tests.builders import OTHER_SEND_ID, Greet, an_envelope
from tests.unit.service.conftest import FUNCTION_TIMEOUT, PERMANENT, World, raising
from tidemill import Submission, days, minutes
from tidemill.domain.errors import KeyConflictError
from tidemill.domain.interrupt import WorkerDied
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES


class Crash(WorkerDied):
    """The process is gone: nothing may catch this."""


class Fuse:
    """Counts port calls and ends the program at one of them, before or after its effect."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after, self.calls = at, after, 0

    def wrap(self, port: Any) -> Any:
        return _Wrapped(port, self)

    def burn(self, call: Any, args: tuple[Any, ...]) -> Any:
        self.calls += 1
        if self.calls == self.at and not self.after:
            raise Crash
        answer = call(*args)
        if self.calls == self.at:
            raise Crash
        return answer


class _Wrapped:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return (lambda *args, **named: self._fuse.burn(partial(found, **named), args)) if callable(found) else found


def crash_at_every_call(prepare, act):
    """Run `act` in fresh worlds, dying at call 1, 2, 3, ... before and after its effect, until it survives."""
    for n, after in ((n, after) for n in itertools.count(1) for after in (False, True)):
        world = World()
        prepare(world)
        states = {ref: (job.generation, job.state) for ref, job in world.store.jobs.items() if job.state.is_final}
        fuse = Fuse(n, after=after)
        world.build(fuse.wrap(world.store), fuse.wrap(world.queues))
        try:
            act(world)
        except Crash:
            crashed = True
        else:
            crashed = False
        world.build(world.store, world.queues)
        for ref, (generation, state) in states.items():
            job = world.store.jobs[ref]
            assert job.generation > generation or job.state is state
        yield world, crashed, f"call {n} {'after' if after else 'before'}"
        if not crashed:
            assert fuse.calls == n - 1 > 0
            return


def resume(world: World) -> None:
    world.clock.advance(FUNCTION_TIMEOUT + minutes(1))
    world.settle()


def test_a_worker_may_die_at_any_call_of_a_mixed_batch():
    def prepare(world):
        for n in range(3):
            world.submit(Greet(times=n), key=f"k{n}")
        world.send(an_envelope())
        world.send(an_envelope().resend(OTHER_SEND_ID))
        world.queues.put("default", '{"kind":"test.greet","args":{"name":"plain"}}')
        world.queues.put("default", "bad")
        world.does = [raising(ValueError("again"))]

    for world, crashed, moment in crash_at_every_call(prepare, lambda world: world.invoke()):
        resume(world)
        ends = sorted(job.state for job in world.store.jobs.values())
        assert ends == [State.DEAD] + [State.SUCCEEDED] * 5, moment
        assert world.queues.depth("default") == 1, moment
        # One run each, one more for the job that failed, and one more each for what ran in the dead worker.
        assert len(world.runs) == 6 or (crashed and 6 < len(world.runs) <= 10), moment


def test_a_worker_may_die_at_any_call_around_a_job_that_dies():
    def prepare(world):
        world.submit(key="k")
        world.does = [raising(PERMANENT)] * 5

    for world, _, moment in crash_at_every_call(prepare, lambda world: world.invoke()):
        resume(world)
        (job,) = world.store.jobs.values()
        assert (job.state, job.generation) == (State.DEAD, 1), moment
        assert world.queues.depth("default") == 1, moment
        assert world.store.envelope_of(job) is not None, moment


def test_a_worker_may_die_at_any_call_around_a_redriven_job():
    def prepare(world):
        job = dead_since_yesterday(world)
        world.desk.redrive(job.ref)

    for world, crashed, moment in crash_at_every_call(prepare, lambda world: world.invoke()):
        resume(world)
        (job,) = world.store.jobs.values()
        assert (job.state, job.generation) == (State.SUCCEEDED, 2), moment
        assert len(world.runs) == 2 or crashed, moment


@pytest.mark.parametrize("options", [{}, {"key": "k"}, {"delay": minutes(20)}, {"key": "k", "delay": minutes(20)}])
def test_a_submitter_may_die_at_any_call_and_what_was_accepted_runs_once(options):
    accepted = []

    for world, crashed, moment in crash_at_every_call(lambda world: None, lambda world: world.submit(**options)):
        resume(world)
        assert all(job.state is State.SUCCEEDED for job in world.store.jobs.values()), moment
        assert len(world.runs) == len(world.store.jobs) <= 1, moment
        accepted.append(bool(world.runs))
        assert crashed or world.runs

    assert accepted == sorted(accepted)


@pytest.mark.parametrize("end", [State.DEAD, State.CANCELLED])
def test_a_submitter_of_a_rerun_may_die_at_any_call_and_never_loses_an_accepted_one(end):
    def prepare(world):
        if end is State.DEAD:
            world.kill(key="k")
        else:
            world.client.cancel(world.submit(key="k").ref.id)
            world.invoke()
        world.runs.clear()

    for world, crashed, moment in crash_at_every_call(prepare, lambda world: world.submit(key="k")):
        resume(world)
        (job,) = world.store.jobs.values()
        done = (job.state, job.generation, len(world.runs))
        assert done in {(State.SUCCEEDED, 2, 1), (end, 1, 0)}, moment
        assert crashed or job.state is State.SUCCEEDED


def test_a_repeated_submit_after_a_crash_is_safe():
    for world, _, moment in crash_at_every_call(lambda world: None, lambda world: world.submit(key="k")):
        world.submit(key="k")
        resume(world)
        assert [job.state for job in world.store.jobs.values()] == [State.SUCCEEDED], moment
        assert len(world.runs) == 1, moment


def test_a_sweep_may_die_at_any_call():
    def prepare(world):
        for n in range(2):
            world.submit(Greet(times=n), delay=minutes(16))
        world.clock.advance(minutes(15))

    for world, _, moment in crash_at_every_call(prepare, lambda world: world.janitor.sweep()):
        world.settle()
        assert [job.state for job in world.store.jobs.values()] == [State.SUCCEEDED] * 2, moment
        assert len(world.runs) == 2, moment
        assert world.queues.depth("default") == 0, moment


def test_a_census_may_die_at_any_call():
    def prepare(world):
        world.send(an_envelope())
        for _ in range(MAX_RECEIVES + 2):
            world.queues.receive("default")
            world.clock.advance(minutes(7))

    for world, _, moment in crash_at_every_call(prepare, lambda world: world.janitor.census()):
        resume(world)
        (job,) = world.store.jobs.values()
        assert (job.state, job.reason) == (State.DEAD, "never_ran"), moment
        assert world.store.envelope_of(job) is not None, moment


def test_a_redrive_may_die_at_any_call_and_the_job_is_never_lost():
    for world, _, moment in crash_at_every_call(dead_since_yesterday, redrive_the_only):
        world.settle()
        (job,) = world.store.jobs.values()
        assert job.state in {State.SUCCEEDED, State.DEAD}, moment
        if job.state is State.DEAD:
            assert world.queues.depth("default") == 1, moment
            redrive_the_only(world)
            world.settle()
        assert world.state(job) is State.SUCCEEDED, moment
        assert len(world.runs) == 2, moment


def dead_since_yesterday(world):
    job = world.kill()
    world.clock.advance(days(1))
    return job


def redrive_the_only(world):
    (job,) = world.store.jobs.values()
    world.desk.redrive(job.ref)


def test_of_two_racing_submits_the_winner_runs_whatever_order_their_messages_come_in():
    for first, second in (("win", "lose"), ("lose", "win")):
        world = World()
        envelopes = {}
        world.store.insert, insert = (lambda jobs: (_ for _ in ()).throw(Crash)), world.store.insert
        for name in (first, second):
            with pytest.raises(Crash):
                world.submit(Greet(name=name), key="k")
            envelopes[name] = world.bodies()[-1]
        world.store.insert = insert
        assert isinstance(world.client.submit(Greet(name="win"), key="k").created, bool)
        (conflict,) = world.client.submit_many([Submission(Greet(name="lose"), key="k")])
        seen = []
        world.does = [lambda args, ctx, seen=seen: seen.append(args.name)] * 3

        world.settle()

        assert isinstance(conflict, KeyConflictError)
        assert seen == ["win"]
