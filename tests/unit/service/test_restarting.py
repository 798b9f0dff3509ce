"""What later generations make of a restart: who obeys it, how often, and which wish counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.builders import NOW, OTHER_SEND_ID, Telemetry, a_job
from tests.unit.service.conftest import raising
from tests.unit.service.test_forgetting import Recorder, dead_after, restarted
from tidemill import PermanentError, seconds
from tidemill.domain import limits
from tidemill.domain.definition import OnCodeChange
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import EVERYTHING, Memory, Remembered, Wish
from tidemill.service.manner import RESUME, effects_of
from tidemill.service.notebook import Notebook
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads


def dies_after(recorder):
    return lambda args, ctx: (recorder(args, ctx), raising(PermanentError("no"))(args, ctx))


@pytest.mark.parametrize("forget", [EVERYTHING, "a"])
def test_a_resume_after_a_restart_keeps_what_the_restart_has_done(world, forget):
    recorder = Recorder("a", "b")
    envelope = dead_after(world, recorder)
    restarted(world, envelope, forget)
    world.does = [dies_after(recorder)]
    for _ in range(limits.MAX_RECEIVES + 1):
        world.invoke()
    assert recorder.done == ["a", "b"]
    assert effects_of(world.memory.look(envelope.ref), RESUME).kept == ("a", "b")

    world.does = [recorder]
    world.clock.advance(seconds(1))
    world.desk.redrive(envelope.ref)
    world.settle()

    assert (world.job(envelope.ref).generation, world.state(envelope.ref)) == (3, State.SUCCEEDED)
    assert recorder.done == ["a", "b"]


def test_a_resume_of_a_restart_that_never_came_to_its_first_step_forgets_what_that_was_to(world):
    recorder = Recorder("a", "b")
    envelope = dead_after(world, recorder)
    restarted(world, envelope, EVERYTHING)
    world.does = [raising(PermanentError("before any step")), recorder]
    for _ in range(limits.MAX_RECEIVES + 1):
        world.invoke()
    assert effects_of(world.memory.look(envelope.ref), RESUME).again == ("a", "b")

    world.clock.advance(seconds(1))
    world.desk.redrive(envelope.ref)
    world.settle()

    assert recorder.done == ["a", "b"]


def test_the_last_wish_is_the_one_that_counts(world):
    recorder = Recorder("a", "b")
    envelope = dead_after(world, recorder)
    restarted(world, envelope, EVERYTHING)
    world.does = [raising(PermanentError("before any step")), recorder]
    for _ in range(limits.MAX_RECEIVES + 1):
        world.invoke()

    restarted(world, envelope, "b")
    world.settle()

    assert recorder.done == ["b"]


def test_whatever_copy_of_the_message_runs_a_restart_it_forgets(world):
    """An old copy is in the queue when the desk restarts the job, and is received first."""
    recorder = Recorder("a", "b")
    envelope = dead_after(world, recorder)
    world.queues.outage = UnavailableError("send", "down")
    restarted(world, envelope, EVERYTHING)
    world.queues.outage = None
    world.send(replace(envelope, send_id=OTHER_SEND_ID))
    world.does = [recorder]

    world.invoke()

    assert (world.job(envelope.ref).generation, world.state(envelope.ref)) == (2, State.SUCCEEDED)
    assert recorder.done == ["a", "b"]


def test_a_slow_worker_of_an_earlier_generation_does_not_obey_for_the_next(world):
    memory = MemoryOfJobs(world.store.memories)
    slow = a_job(State.RUNNING, fence=1)
    world.store.memories[slow.ref] = Memory(steps={"a": Remembered("a", 1, None, 0, 1)}, wish=Wish(2, EVERYTHING))
    ports = (memory, MemoryPayloads(), FrozenClock(NOW), Telemetry())

    late = Notebook(*ports, slow, OnCodeChange.CONTINUE, "", 0)
    assert late.recall("a") is not None
    late.record("b", None)
    restarted = Notebook(*ports, replace(slow, fence=2, generation=2), OnCodeChange.CONTINUE, "", 0)

    assert (restarted.recall("a"), restarted.recall("b")) == (None, None)


def test_a_wish_that_comes_while_an_earlier_one_is_obeyed_stays(world):
    memory = MemoryOfJobs(world.store.memories)
    slow = a_job(State.RUNNING, fence=2, generation=2)
    steps = {"a": Remembered("a", 1, None, 0, 1)}
    world.store.memories[slow.ref] = Memory(steps=steps, wish=Wish(2, "a"))
    opened = memory.open(slow, 0, "")
    world.store.memories[slow.ref] = replace(memory.look(slow.ref), wish=Wish(3, EVERYTHING))

    memory.forget(slow, opened.obeying(2))

    assert memory.look(slow.ref).owed == Wish(3, EVERYTHING)
