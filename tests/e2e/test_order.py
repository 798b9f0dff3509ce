"""A FIFO lane on the deployed stack."""

import pytest
from trials.ordered import Change, Turn

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import State

pytestmark = pytest.mark.slow


def test_a_failing_change_holds_back_its_entity_and_gaps_are_seen(ground):
    diary = ground.diary("ordered")
    # Of entity A the first fails once, and 3 never came.
    changes = [("a", 1, 1), ("b", 1, 0), ("a", 2, 0), ("a", 4, 0), ("b", 2, 0)]

    refs = [
        ground.client.submit(
            Change(diary=str(diary.path), name=f"{entity}{sequence}", failures=failures),
            entity=entity,
            sequence=sequence,
        ).job.ref
        for entity, sequence, failures in changes
    ]

    assert [ground.ended(ref).state for ref in refs] == [State.SUCCEEDED] * len(refs)
    applied = [(line["entity"], line["sequence"], line["previous"]) for line in diary.lines("applied")]
    assert [one for one in applied if one[0] == "a"] == [("a", 1, None), ("a", 2, 1), ("a", 4, 2)]
    assert [one for one in applied if one[0] == "b"] == [("b", 1, None), ("b", 2, 1)]
    tried = [line["sequence"] for line in diary.lines("tried") if line["entity"] == "a"]
    assert tried == [1, 1, 2, 4]
    assert [ground.job(ref).attempt for ref in refs] == [2, 1, 1, 1, 1]


def test_a_dead_change_lets_its_successors_go_on(ground):
    diary = ground.diary("dead change")
    refs = [
        ground.client.submit(Change(diary=str(diary.path), name=f"c{n}", failures=failures), entity="c").job.ref
        for n, failures in ((1, 9), (2, 0))
    ]

    first, second = (ground.ended(ref) for ref in refs)

    assert (first.state, first.attempt, second.state) == (State.DEAD, 3, State.SUCCEEDED)
    assert [line["name"] for line in diary.lines("tried")] == ["c1", "c1", "c1", "c2"]
    assert wait_until(lambda: refs[0] in ground.in_dlq("ordered"), PATIENCE_S)


def test_an_entity_that_waits_holds_up_no_other(ground, gate):
    diary, open_gate = str(ground.diary("turns").path), gate.with_name("open")
    open_gate.touch()

    def submitted(name, entity, wanted):
        return ground.client.submit(Turn(diary=diary, name=name, gate=str(wanted)), entity=entity).job.ref

    first, stuck, behind = (
        submitted(name, "waits", wanted) for name, wanted in (("1", open_gate), ("2", gate), ("3", open_gate))
    )
    assert wait_until(lambda: ground.job(stuck).attempt >= 2, PATIENCE_S)
    other = submitted("other", "goes", open_gate)

    assert ground.client.result(ground.ended(other).ref.id) == [1, None]
    assert (ground.job(behind).state, ground.job(behind).attempt) == (State.QUEUED, 0)
    assert not ground.job(stuck).state.is_final
    gate.touch()
    numbers = [ground.client.result(ground.ended(ref).ref.id) for ref in (first, stuck, behind)]
    assert numbers == [[1, None], [2, 1], [3, 2]]
    assert [line["name"] for line in ground.diary("turns").lines("applied")] == ["1", "other", "2", "3"]
    assert ground.job(behind).attempt == 1
