"""JobMemory: one writer at a time, and nothing that it was told is forgotten."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.contract.backends import create_jobs_table
from tests.contract.builders import NOW, TTL, make_job
from tidemill.aws.memory import DynamoJobMemory
from tidemill.domain import limits
from tidemill.domain.errors import FenceLostError
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory, Remembered
from tidemill.domain.payload import Stored
from tidemill.testing.memory import MemoryOfJobs

STORED = Stored("step/1/1", "0" * 64, 5_000)


@pytest.fixture(params=["memory", "moto", "ministack"])
def memory(request):
    """An empty memory of each kind."""
    if request.param == "memory":
        return MemoryOfJobs()
    client = request.getfixturevalue(request.param).dynamodb
    table = f"memory-{make_job().ref.id}"
    create_jobs_table(client, table)
    return DynamoJobMemory(client, table)


def running(**fields):
    return make_job(State.RUNNING, **fields)


def a_step(name, number, result="1", **fields):
    return replace(Remembered(name, number, result, NOW, 1, "code-1"), **fields)


def later(job):
    """The next attempt of `job`."""
    return replace(job, fence=job.fence + 1)


def test_a_job_that_never_asked_remembers_nothing(memory):
    job = running()

    assert memory.look(job.ref) is None
    assert memory.open(job, TTL, "") == Memory(fence=job.fence)
    assert memory.look(job.ref) == Memory(fence=job.fence)


STEPS = [
    a_step("charge", 1),
    a_step("mail", 2, result=None),
    a_step("large", 3, result=None, stored=STORED),
    a_step("with spaces, #marks & 'quotes' \"too\"", 4, code=""),
    a_step("x" * limits.MAX_STEP_NAME_CHARS, 5, result='"é 𝄞"', generation=7),
    a_step("steps.nested[0]", 6),
    a_step("fence", 7),
    a_step("refund", 8, undoes=True),
]


def test_every_step_comes_back_as_it_was_recorded_and_in_that_order(memory):
    job = running()
    memory.open(job, TTL, "")
    for step in STEPS:
        memory.remember(job, step, {})

    found = memory.open(later(job), TTL, "")

    assert list(found.steps.values()) == STEPS
    assert list(found.steps) == [step.name for step in STEPS]
    assert found == Memory(fence=job.fence + 1, steps={step.name: step for step in STEPS})
    assert memory.look(job.ref) == found


def test_the_version_that_opened_it_first_stays_with_it(memory):
    job = running()

    for fence, code in enumerate(("", "one", "two", ""), job.fence):
        found = memory.open(replace(job, fence=fence), TTL, code)
        assert found.code == ("one" if fence > job.fence else "")
    assert memory.look(job.ref).code == "one"


def test_what_was_asked_for_and_is_not_recorded_is_known_as_of_the_last_record(memory):
    job = running()
    memory.open(job, TTL, "one")
    asked = {"a": "one", "with spaces, #marks & 'quotes'": "two"}

    memory.remember(job, a_step("b", 1), asked)
    assert memory.look(job.ref).asked == asked
    memory.checkpoint(job, "1", 0)
    assert memory.open(later(job), TTL, "two").asked == asked
    memory.remember(later(job), a_step("a", 2), {})
    assert memory.look(job.ref).asked == {}


def test_the_order_is_the_numbers_and_not_the_names(memory):
    job = running()
    memory.open(job, TTL, "")
    for number, name in enumerate("zyxcba", 1):
        memory.remember(job, a_step(name, number), {})

    assert list(memory.look(job.ref).steps) == list("zyxcba")


def test_an_attempt_may_open_it_again(memory):
    """Its first answer was lost."""
    job = running()
    memory.open(job, TTL, "")
    memory.remember(job, a_step("a", 1), {})

    assert memory.open(job, TTL, "").steps["a"] == a_step("a", 1)
    memory.remember(job, a_step("b", 2), {})


WRITES = pytest.mark.parametrize(
    "write",
    [
        lambda memory, job: memory.remember(job, a_step("late", 9), {}),
        lambda memory, job: memory.checkpoint(job, "9", 9),
        lambda memory, job: memory.forget(job, Memory(epoch=9)),
        lambda memory, job: memory.open(job, TTL, ""),
    ],
    ids=["remember", "checkpoint", "forget", "open"],
)


@WRITES
def test_an_attempt_that_was_followed_by_another_writes_nothing(memory, write):
    job = running()
    memory.open(job, TTL, "")
    memory.remember(job, a_step("a", 1), {})
    after = memory.open(later(job), TTL, "")

    with pytest.raises(FenceLostError) as lost:
        write(memory, job)

    assert (lost.value.job_id, lost.value.fence) == (job.ref.id, job.fence)
    assert memory.look(job.ref) == after


@WRITES
def test_what_was_never_opened_is_not_written(memory, write):
    job = running()
    if write is WRITES.args[1][3]:
        return
    with pytest.raises(FenceLostError):
        write(memory, job)

    assert memory.look(job.ref) is None


def test_what_an_attempt_wrote_before_the_next_opened_is_seen(memory):
    job = running()
    memory.open(job, TTL, "")
    memory.remember(job, a_step("a", 1), {})
    memory.checkpoint(job, '{"page":1}', 2)

    found = memory.open(later(later(job)), TTL, "")

    assert (list(found.steps), found.cursor, found.hand_overs) == (["a"], '{"page":1}', 2)


def test_the_last_checkpoint_counts_and_keeps_the_steps(memory):
    job = running()
    memory.open(job, TTL, "")
    memory.remember(job, a_step("a", 1), {})
    for page in range(3):
        memory.checkpoint(job, str(page), page)

    expected = Memory(job.fence, steps={"a": a_step("a", 1)}, cursor="2", hand_overs=2)
    assert memory.look(job.ref) == expected


def test_what_is_forgotten_is_gone_and_what_is_left_stays(memory):
    job = running()
    memory.open(job, TTL, "")
    for number, name in enumerate("abc", 1):
        memory.remember(job, a_step(name, number), {})
    memory.checkpoint(job, "5", 3)
    whole = memory.look(job.ref)

    for forget, left in (("b", ["a"]), ("*", [])):
        less = replace(whole.forgetting(forget), forgot=2, code="two" if forget == "b" else "")
        memory.forget(job, less)
        assert memory.look(job.ref) == less
        assert (list(less.steps), less.epoch, less.cursor, less.hand_overs) == (left, 1, None, 0)
    memory.remember(job, a_step("a", 1, result="2"), {})
    assert memory.look(job.ref).steps == {"a": a_step("a", 1, result="2")}


def test_a_cursor_may_survive_a_forgetting(memory):
    job = running()
    kept = replace(memory.open(job, TTL, ""), cursor="7", hand_overs=1, asked={"a": "one"})

    memory.forget(job, kept)

    assert memory.look(job.ref) == kept


def test_the_largest_memory_is_kept(memory):
    job = running()
    memory.open(job, TTL, "")
    whole = Memory(
        job.fence,
        steps={
            step.name: step
            for step in (
                a_step(f"{number:0{limits.MAX_STEP_NAME_CHARS}d}", number, result="é" * 500)
                for number in range(1, limits.MAX_STEPS + 1)
            )
        },
        cursor="x" * limits.MAX_CURSOR_BYTES,
        hand_overs=limits.MAX_HAND_OVERS,
    )
    # 256 small results stay below the 400 KB of an item (Developer Guide, "Service quotas").
    memory.forget(job, whole)

    assert memory.look(job.ref) == whole


def test_jobs_and_tenants_are_kept_apart(memory):
    job = running()
    other, neighbour = running(), replace(job, ref=replace(job.ref, tenant="other"))
    for one in (job, other, neighbour):
        memory.open(one, TTL, "")
    memory.remember(job, a_step("a", 1), {})

    assert memory.look(other.ref).steps == memory.look(neighbour.ref).steps == {}


WHAT = st.sampled_from(["open", "remember", "checkpoint", "forget"])
ACTS = st.tuples(WHAT, st.integers(1, 3), st.sampled_from("abc"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ACTS, max_size=12))
@example([("open", 3, "a"), ("remember", 3, "a"), ("forget", 3, "a"), ("open", 3, "a")])
def test_every_kind_does_what_the_one_in_memory_does(memory, acts):
    reference, job = MemoryOfJobs(), running()
    for number, (what, fence, name) in enumerate(acts, 1):
        mine = replace(job, fence=fence)
        calls = {
            "open": lambda one, mine=mine, name=name: one.open(mine, TTL, name),
            "remember": lambda one, mine=mine, name=name, n=number: one.remember(
                mine, a_step(name, n), {other: name for other in "abc"[: n % 3] if other != name}
            ),
            "checkpoint": lambda one, mine=mine, name=name, n=number: one.checkpoint(mine, f'"{name}"', n),
            "forget": lambda one, mine=mine, name=name: one.forget(
                mine, (one.look(job.ref) or Memory()).forgetting(name)
            ),
        }
        answers = []
        for one in (reference, memory):
            try:
                answers.append(calls[what](one))
            except FenceLostError:
                answers.append("lost")
        assert answers[0] == answers[1]
        assert _ordered(reference.look(job.ref)) == _ordered(memory.look(job.ref))


def _ordered(memory):
    return memory and (replace(memory, steps={}), sorted(memory.steps.items()))
