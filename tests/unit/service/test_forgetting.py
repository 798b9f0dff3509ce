"""What a job remembers when it is restarted, and when its code has changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, Telemetry, a_job, an_envelope
from tests.unit.service.conftest import World, raising
from tidemill import PermanentError, Retry, seconds
from tidemill.domain import limits
from tidemill.domain.definition import OnCodeChange
from tidemill.domain.errors import CodeChangedError, FenceLostError, StepError
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import EVERYTHING, Memory, Remembered, Wish
from tidemill.service.notebook import Notebook
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads


class Recorder:
    """A job of three steps that notes what it did and under which keys."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.done: list[str] = []
        self.keys: list[str] = []

    def __call__(self, args, ctx):
        for name in self.names:
            self.keys.append(ctx.step_key(name))
            ctx.step(name, self.done.append, name)


def dead_after(world, recorder):
    """A job that died after it had done all of its steps; answers its envelope."""

    def dies(args, ctx):
        recorder(args, ctx)
        raise PermanentError("no")

    envelope = an_envelope()
    world.send(envelope)
    world.does = [dies]
    for _ in range(limits.MAX_RECEIVES + 1):
        world.invoke()
    assert world.state(envelope.ref) is State.DEAD
    recorder.done.clear()
    recorder.keys.clear()
    return envelope


def restarted(world, envelope, forget):
    """The desk lets the dead job run again, whatever its steps are."""
    redriving = world.desk._redriving
    dead = world.job(envelope.ref)
    redriving.resending.resend(dead, world.store.envelope_of(dead), forget)


@pytest.mark.parametrize(
    ("forget", "again"),
    [
        (None, []),
        (EVERYTHING, ["a", "b", "c"]),
        ("a", ["a", "b", "c"]),
        ("b", ["b", "c"]),
        ("c", ["c"]),
        ("never heard of", []),
    ],
)
def test_a_restart_does_again_what_it_forgets_and_under_new_keys(world, forget, again):
    recorder = Recorder("a", "b", "c")
    envelope = dead_after(world, recorder)
    restarted(world, envelope, forget)
    world.does = [recorder]

    world.invoke()

    assert (world.state(envelope.ref), recorder.done) == (State.SUCCEEDED, again)
    epoch = "/1" if again else ""
    assert recorder.keys == [f"{envelope.ref.id}/{name}{epoch}" for name in "abc"]


def test_a_restart_forgets_once_and_not_again_on_its_next_attempts(world):
    recorder = Recorder("a", "b")
    envelope = dead_after(world, recorder)
    restarted(world, envelope, EVERYTHING)

    def fails(args, ctx):
        recorder(args, ctx)
        raise ValueError("after all steps")

    world.does = [fails, recorder]
    world.settle()

    assert (world.state(envelope.ref), recorder.done) == (State.SUCCEEDED, ["a", "b"])
    assert recorder.keys[2:] == recorder.keys[:2] == [f"{envelope.ref.id}/{name}/1" for name in "ab"]


def test_a_restart_of_a_restart_makes_new_keys_again(world):
    recorder = Recorder("a")
    envelope = dead_after(world, recorder)
    restarted(world, envelope, EVERYTHING)
    world.does = [lambda args, ctx: (recorder(args, ctx), raising(PermanentError("no"))(args, ctx))]
    world.invoke()
    restarted(world, envelope, "a")
    world.does = [recorder]
    world.settle()

    assert recorder.done == ["a", "a"]
    assert recorder.keys == [f"{envelope.ref.id}/a/{epoch}" for epoch in (1, 2)]


def test_a_restart_forgets_the_cursor(world):
    envelope = an_envelope()
    world.send(envelope)
    world.does = [lambda args, ctx: (ctx.checkpoint({"page": 3}), raising(PermanentError("no"))(args, ctx))]
    for _ in range(limits.MAX_RECEIVES + 1):
        world.invoke()
    restarted(world, envelope, EVERYTHING)
    seen = []
    world.does = [lambda args, ctx: seen.append(ctx.cursor)]
    world.invoke()

    assert seen == [None]


# --- another version of the code -----------------------------------------------------------------


def changed(on_code_change, after, *, before=("a", "b")):
    """A job that did its steps under one version and comes back under another. Answers world, record, recorder."""
    world = World(on_code_change=on_code_change, retry=Retry(max_attempts=5, delays=[seconds(1)]))
    first, second = Recorder(*before), Recorder(*after)
    job = world.submit()
    world.code = "one"
    world.does = [lambda args, ctx: (first(args, ctx), raising(ValueError())(args, ctx))]
    world.invoke()
    world.code = "two"
    world.clock.advance(seconds(2))
    world.does = [second] * 5
    world.settle()
    return world, world.job(job), second


@pytest.mark.parametrize("choice", ["check", "continue"])
def test_steps_of_other_code_are_kept(choice):
    _, job, recorder = changed(choice, ["a", "b", "c"])

    assert (job.state, recorder.done) == (State.SUCCEEDED, ["c"])


def test_a_step_that_nothing_remembers_is_refused_while_others_of_the_old_code_are_to_come():
    """`b` may have been renamed to `charge`: doing it could be doing it twice."""
    _, job, recorder = changed("check", ["a", "charge", "b"])

    assert (job.state, job.reason, recorder.done) == (State.DEAD, "steps_changed", [])


def test_who_trusts_the_names_goes_on():
    world, job, recorder = changed("continue", ["a", "charge"])

    assert (job.state, recorder.done) == (State.SUCCEEDED, ["charge"])
    (skipped,) = (fields for _, event, fields in world.telemetry.lines if event == "steps_skipped")
    assert skipped["steps"] == 1


def test_who_restarts_forgets_everything_under_other_code():
    _, job, recorder = changed("restart", ["a", "b"])

    assert (job.state, recorder.done) == (State.SUCCEEDED, ["a", "b"])
    assert recorder.keys == [f"{job.ref.id}/{name}/1" for name in "ab"]


def test_who_stops_dies_with_the_reason():
    _, job, recorder = changed("stop", ["a", "b"])

    assert (job.state, job.reason, recorder.done) == (State.DEAD, "code_changed", [])


@pytest.mark.parametrize("choice", OnCodeChange)
@pytest.mark.parametrize("versions", [("one", "one"), ("", "two"), ("one", "")])
def test_without_two_versions_nothing_has_changed(choice, versions):
    world = World(on_code_change=choice, retry=Retry(delays=[seconds(1)]))
    recorder = Recorder("a", "b")
    job = world.submit()
    world.code = versions[0]
    world.does = [lambda args, ctx: (recorder(args, ctx), raising(ValueError())(args, ctx))]
    world.invoke()
    world.code = versions[1]
    world.does = [Recorder("a", "renamed")]
    world.settle()

    assert (world.state(job), recorder.done) == (State.SUCCEEDED, ["a", "b"])


# --- against a simple model ----------------------------------------------------------------------

NAMES = st.sampled_from("abcde")
STEP = st.tuples(st.just("step"), NAMES, st.integers(0, 9))
OPEN = st.tuples(st.just("open"), st.none() | st.just(EVERYTHING) | NAMES, st.booleans())
POINT = st.tuples(st.just("checkpoint"), st.integers(0, 9), st.booleans())


class Model:
    """A list of (name, value): the least that a memory can be."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int]] = []
        self.cursor: int | None = None
        self.epoch = 0
        self.used: set[str] = set()

    def open(self, forget: str | None) -> None:
        self.used = set()
        names = [name for name, _ in self.steps]
        if forget is None or forget not in [EVERYTHING, *names]:
            return
        self.steps = [] if forget == EVERYTHING else self.steps[: names.index(forget)]
        self.cursor, self.epoch = None, self.epoch + 1

    def step(self, name: str, value: int) -> int | None:
        """The value that the job sees; None if the name is refused."""
        if name in self.used:
            return None
        self.used.add(name)
        known = dict(self.steps)
        if name not in known:
            self.steps.append((name, value))
        return known.get(name, value)


def seen_by(notebook: Notebook, name: str, value: int) -> int | None:
    """The value that a job sees which asks for the step; None if its name is refused."""
    try:
        found = notebook.recall(name)
    except StepError:
        return None
    return notebook.read(found) if found else notebook.record(name, value)


@given(st.lists(STEP | OPEN | POINT, max_size=40))
def test_a_notebook_is_a_list_of_steps_whoever_reads_it(history):
    memory, model = MemoryOfJobs(), Model()
    generation, fence, zombies = 1, 1, []

    def opened(forget):
        job = a_job(State.RUNNING, fence=fence, generation=generation)
        if forget is not None:
            memory.memories[job.ref] = replace(memory.look(job.ref) or Memory(), wish=Wish(generation, forget))
        ports = (memory, MemoryPayloads(), FrozenClock(NOW), Telemetry())
        return Notebook(*ports, job, OnCodeChange.CONTINUE, "", 0)

    notebook = opened(None)
    for what, one, other in history:
        if what == "open":
            zombies.append(notebook)
            fence += 1
            # A new generation obeys what was wished for it; a new attempt of the same has obeyed it.
            generation += other
            forget = one if other else None
            notebook = opened(forget)
            model.open(forget)
            assert notebook.key("x") == f"{notebook.job.ref.id}/x" + (f"/{model.epoch}" if model.epoch else "")
        elif what == "checkpoint":
            notebook.checkpoint(one, hand_over=other)
            model.cursor = one
        else:
            assert seen_by(notebook, one, other) == model.step(one, other)
        assert notebook.cursor == model.cursor
        kept = memory.look(notebook.job.ref)
        assert [(name, int(step.result)) for name, step in kept.steps.items()] == model.steps
        assert (kept.epoch, kept.fence) == (model.epoch, fence)
        assert [step.number for step in kept.steps.values()] == list(range(1, len(model.steps) + 1))
        for zombie in zombies[-2:]:
            with pytest.raises(FenceLostError):
                zombie.record("late", 0)
            with pytest.raises(FenceLostError):
                zombie.checkpoint(0, hand_over=False)


def test_what_is_forgotten_from_a_step_on_goes_by_the_order_of_recording():
    steps = {name: Remembered(name, number, None, 0, 1) for number, name in enumerate("abc", 1)}
    memory = Memory(steps=steps, cursor="1", hand_overs=3)

    assert list(memory.forgetting("b").steps) == ["a"]
    assert memory.forgetting("b").next_number == 2
    assert (memory.forgetting("b").cursor, memory.forgetting("b").hand_overs) == (None, 0)
    assert memory.forgetting("z") == memory.forgetting(None) == memory


def test_a_refusal_for_changed_code_names_what_it_waited_for():
    memory = MemoryOfJobs()
    job = a_job(State.RUNNING)
    memory.memories[job.ref] = Memory(steps={"b": Remembered("b", 1, None, 0, 1, "one")})
    ports = (memory, MemoryPayloads(), FrozenClock(NOW), Telemetry())
    notebook = Notebook(*ports, job, OnCodeChange.CHECK, "two", 0)

    with pytest.raises(CodeChangedError, match="'c', and 'b' of another version") as refused:
        notebook.recall("c")
    assert refused.value.reason == "steps_changed"
