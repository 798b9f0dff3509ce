"""A FIFO lane on the deployed stack."""

import pytest
from trials.ordered import Change

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
