"""JobStore.move with what the next generation is to forget, as JobMemory finds it."""

import pytest

from tests.contract.builders import NOW, TTL, make_job
from tidemill.aws.memory import DynamoJobMemory
from tidemill.domain import limits
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.memory import EVERYTHING, Memory, Remembered, Wish
from tidemill.domain.ports import Refused, Written
from tidemill.testing.memory import MemoryOfJobs


@pytest.fixture
def memory(jobs):
    """What the jobs of that table remember."""
    if jobs.client is None:
        return MemoryOfJobs(jobs.store.memories)
    return DynamoJobMemory(jobs.client, jobs.table)


def a_dead_job(store, memory, *steps):
    """A dead job that remembers these steps."""
    dead = make_job(State.DEAD)
    store.insert([dead])
    if steps:
        memory.open(dead, TTL, "")
    for number, name in enumerate(steps, 1):
        memory.remember(dead, Remembered(name, number, None, NOW, 1), {})
    return dead


def next_of(dead):
    return dead.reopened(State.SCHEDULED, 0, TTL, owns_args=True)


@pytest.mark.parametrize("forget", [EVERYTHING, "b", "x" * limits.MAX_STEP_NAME_CHARS])
def test_a_generation_that_is_to_forget_is_opened_together_with_the_wish(store, reader, memory, forget):
    dead = a_dead_job(store, memory, "a", "b")
    before, after = memory.look(dead.ref), next_of(dead)

    assert store.move(Verb.RESCHEDULE, dead, after, forget=forget) == Written(after, dead)

    assert reader.find([dead.ref]) == [after]
    known = memory.look(dead.ref)
    assert (known.steps, known.fence, known.wish) == (before.steps, before.fence, Wish(2, forget))


def test_a_move_that_is_refused_wishes_nothing(store, reader, memory):
    dead = a_dead_job(store, memory, "a")
    moved = next_of(dead)
    store.move(Verb.RESCHEDULE, dead, moved)

    other = make_job(State.DEAD, id=dead.ref.id, generation=7)
    assert store.move(Verb.RESCHEDULE, other, next_of(other), forget=EVERYTHING) == Refused(moved)

    assert memory.look(dead.ref).wish is None


def test_a_wish_is_there_before_the_job_remembers_anything(store, memory):
    dead = a_dead_job(store, memory)

    store.move(Verb.RESCHEDULE, dead, next_of(dead), forget=EVERYTHING)

    assert memory.look(dead.ref) == Memory(wish=Wish(2, EVERYTHING))
    opened = memory.open(next_of(dead).claimed("w", dead.held, NOW, NOW, TTL), TTL, "")
    assert (opened.steps, opened.owed) == ({}, Wish(2, EVERYTHING))


def test_a_wish_is_obeyed_once_and_a_later_one_again(store, memory):
    dead = a_dead_job(store, memory, "a", "b")
    scheduled = next_of(dead)
    store.move(Verb.RESCHEDULE, dead, scheduled, forget="b")
    running = scheduled.claimed("w", dead.held, NOW, NOW, TTL)
    opened = memory.open(running, TTL, "")

    memory.forget(running, opened.obeying(running.generation))

    known = memory.look(dead.ref)
    assert (list(known.steps), known.epoch, known.owed, known.obeying(9)) == (["a"], 1, None, known)


def test_a_wish_that_came_after_the_memory_was_opened_survives_its_forgetting(store, memory):
    dead = a_dead_job(store, memory, "a")
    opened = memory.look(dead.ref)
    store.move(Verb.RESCHEDULE, dead, next_of(dead), forget=EVERYTHING)

    memory.forget(dead, opened)

    assert memory.look(dead.ref).owed == Wish(2, EVERYTHING)
