"""The compiled machine, run by the interpreter: every way of it ends, and undoes what may have been applied."""

import json
import re

import pytest

from bench.prices import STATE_TRANSITION
from tests.unit.sagas.orders import (
    SAGAS,
    four_steps,
    given,
    in_branches,
    left_out,
    no_pivot,
    place_order,
    referring,
    small,
)
from tests.unit.sagas.walk import Way, all_ways, be_late, begin, fail, stopped_ways, succeed
from tidemill.domain.saga.linting import findings
from tidemill.domain.saga.machine import compiled
from tidemill.domain.saga.picture import mermaid
from tidemill.testing.machines import Run


def waiting(way: Way):
    return [body for body in way.sent if body["saga"]["token"] in way.run.tokens]


def last(way: Way):
    (body,) = waiting(way)
    return body


def all_succeed(way: Way) -> Way:
    while bodies := waiting(way):
        succeed(way, bodies[0])
    return way


# --- forward --------------------------------------------------------------------------------------


def test_all_steps_run_in_order_with_what_the_ones_before_told():
    way = all_succeed(begin(place_order, gift=True))

    assert way.asked == [("step", "reserve"), ("step", "wrap"), ("step", "charge"), ("step", "ship")]
    assert [body["args"] for body in way.sent] == [
        {"order_id": "o1"},
        {"order_id": "o1"},
        {"cents": 5, "shelf": "a1"},
        {"order_id": "o1", "charge": "ch_1"},
    ]
    assert way.end == "done"


def test_a_message_says_what_the_worker_has_to_know():
    body = last(begin(place_order))

    token = body["saga"].pop("token")
    assert token == "token-0"
    assert body == {
        "kind": "stock.reserve",
        "tenant": "acme",
        "args": {"order_id": "o1"},
        "saga": {"id": "0", "name": "orders.place", "step": "reserve", "role": "step", "returns": ["shelf"]},
    }


def test_a_step_whose_condition_does_not_hold_is_left_out():
    assert ("step", "wrap") not in all_succeed(begin(place_order, gift=False)).asked


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (given.cents.above(4), True),
        (given.cents.above(5), False),
        (given.cents.below(6), True),
        (given.cents.is_(5), True),
        (given.order_id.is_("o1"), True),
        (~given.order_id.is_("o1"), False),
        (~given.gift.is_(True), True),
    ],
)
def test_conditions_mean_what_they_say(condition, holds):
    from dataclasses import replace

    from tidemill.sagas import Saga

    first, wrap, *rest = place_order.steps
    saga = Saga("orders.other", place_order.args, steps=[first, replace(wrap, when=condition), *rest])

    assert (("step", "wrap") in all_succeed(begin(saga)).asked) is holds


def test_four_steps_cost_at_most_six_transitions():
    way = all_succeed(begin(four_steps))

    assert way.end == "done"
    assert way.run.transitions == 5
    # What docs/sagas.md says of a million of them.
    assert round(way.run.transitions * STATE_TRANSITION * 1_000_000) == 125


def test_branches_run_beside_each_other_and_the_rest_knows_what_they_told():
    way = begin(in_branches, gift=True)
    assert [body["saga"]["step"] for body in waiting(way)] == ["reserve", "wrap"]

    all_succeed(way)

    assert way.end == "done"
    assert next(body for body in way.sent if body["saga"]["step"] == "charge")["args"]["shelf"] == "a1"
    assert way.run.output["steps"].keys() == {one.name for one in in_branches}
    assert all(way.run.output["steps"].values())


# --- back -----------------------------------------------------------------------------------------


def test_the_step_that_failed_is_undone_too_and_then_those_before_it():
    way = begin(place_order, gift=True)
    succeed(way, last(way))
    fail(way, last(way))
    all_succeed(way)

    assert way.asked[2:] == [("undo", "wrap"), ("undo", "reserve")]
    assert way.end == "compensated"
    assert way.run.status == "SUCCEEDED"
    assert [body["saga"]["done"] for body in way.sent[2:]] == [
        None,
        {"job_id": "j", "result": {"shelf": "a1", "charge": "ch_1"}},
    ]


def test_a_pivot_that_failed_is_closed_before_anything_is_undone():
    way = begin(place_order)
    succeed(way, last(way))
    fail(way, last(way))
    assert last(way)["kind"] == "tidemill.saga.close"
    succeed(way, last(way), state="dead")
    all_succeed(way)

    # What was left out is asked too: only its job's record tells that there is nothing to undo.
    assert way.asked[2:] == [("close", "charge"), ("undo", "wrap"), ("undo", "reserve")]
    assert way.end == "compensated"


def test_a_pivot_that_was_late_and_succeeded_after_all_is_gone_on_from():
    way = begin(place_order)
    succeed(way, last(way))
    be_late(way, last(way))
    succeed(way, last(way))
    assert last(way)["args"] == {"order_id": "o1", "charge": "ch_1"}
    all_succeed(way)

    assert way.end == "done"
    assert ("undo", "reserve") not in way.asked


def test_a_step_after_the_pivot_is_waited_for_however_late_it_is():
    way = begin(place_order)
    succeed(way, last(way))
    succeed(way, last(way))
    be_late(way, last(way))

    assert way.asked[-2:] == [("step", "ship"), ("step", "ship")]
    assert last(way)["saga"]["waits"] is True
    all_succeed(way)
    assert way.end == "done"


def test_a_group_that_failed_asks_again_for_what_its_compensations_refer_to():
    way = begin(referring)
    step = {body["saga"]["step"]: body for body in waiting(way)}
    succeed(way, step["reserve"])
    fail(way, step["check"])
    all_succeed(way)

    asked = [("close", "reserve"), ("undo", "wrap"), ("undo", "reserve")]
    assert [one for one in way.asked if one in asked] == asked
    assert next(body for body in way.sent if body["kind"] == "gift.unpack")["args"] == {"shelf": "a1"}
    assert way.end == "compensated"


def test_what_was_left_out_is_not_undone_with_what_nobody_told():
    way = begin(left_out, gift=False)
    fail(way, last(way))
    succeed(way, last(way), state="dead")
    all_succeed(way)

    assert ("undo", "wrap") not in way.asked
    assert way.end == "compensated"


def test_a_compensation_that_is_given_up_for_good_leaves_the_saga_to_a_person():
    way = begin(place_order)
    fail(way, last(way))
    fail(way, last(way))

    assert way.run.status == "FAILED"
    assert way.end == "Tidemill.NeedsAttention"


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.name)
@pytest.mark.parametrize("gift", [True, False])
def test_every_way_ends_whole_or_undone(saga, gift):
    ways = list(all_ways(saga, gift=gift))

    assert {way.end for way in ways} == {"done", "compensated"}
    for way in ways:
        _check(saga, way)


@pytest.mark.parametrize("saga", [place_order, small, no_pivot], ids=lambda saga: saga.name)
def test_every_way_that_is_stopped_once_and_resumed_ends_whole_or_undone(saga):
    ways = list(stopped_ways(saga, gift=True))

    assert {way.left.partition(" ")[0] for way in ways} >= {"undo", "close", "before" if saga is small else "reserve"}
    assert {way.end for way in ways} == {"done", "compensated"}
    for way in ways:
        _check(saga, way)


def _check(saga, way: Way):
    """What may have been applied was undone, in reverse order inside a branch; or all of it was done."""
    began = [step for role, step in way.asked if role == "step"]
    # After a stop the last one is asked for again.
    undone = list(dict.fromkeys(step for role, step in way.asked if role == "undo"))
    if way.end == "done":
        wanted = {one.name for one in saga if one.when is None or way.run.given["args"]["gift"]}
        assert set(began) == wanted
        assert not undone
        return
    possibly = [step for step in began if saga.step(step).compensate is not None]
    assert set(possibly) <= set(undone)
    pivot = next((one.name for one in saga if one.pivot), None)
    assert way.answers.get(f"step {pivot}") != "succeeds"
    order = [one.name for one in saga]
    assert undone == sorted(undone, key=order.index, reverse=True)


def test_every_state_is_part_of_some_way():
    for saga in SAGAS:
        entered = {
            state for gift in (True, False) for way in all_ways(saga, gift=gift) for _, _, state, _ in way.run.events
        }
        states = _names(compiled(saga, lambda lane: lane))
        # Only a compensation that is cancelled leads to the first, and one that goes on or knows less to the others.
        assert states - entered <= {"needs attention", "go on", "prepare"}, saga.name


def _names(machine):
    names = set(machine["States"])
    for state in machine["States"].values():
        for branch in state.get("Branches", ()):
            names |= _names(branch)
    return names


# --- trouble --------------------------------------------------------------------------------------


def test_a_queue_that_fails_is_tried_again_and_a_job_that_failed_is_not():
    way = begin(place_order)
    sends = []

    def broken(queue, body):
        sends.append(body)
        raise RuntimeError("throttled")

    way.run.send = broken
    succeed(way, last(way))
    for _ in range(20):
        if (at := way.run.next_at()) is None:
            break
        way.run.tick(at)

    tried = [json.loads(body)["saga"] for body in sends]
    # Once and six times again; each try has a token of its own. Then the way back, which is more patient.
    assert sum(one["step"] == "charge" and one["role"] == "step" for one in tried) == 7
    assert len({one["token"] for one in tried}) == len(tried)


def test_what_no_catch_sees_ends_the_execution():
    way = begin(place_order)
    way.run.succeed(last(way)["saga"]["token"], '{"job_id": "j", "result": {}}', 0)

    # The next step refers to a field that is not there.
    assert (way.run.status, way.run.error) == ("FAILED", "States.Runtime")


# --- lint and picture -----------------------------------------------------------------------------


@pytest.mark.parametrize("saga", SAGAS, ids=lambda saga: saga.name)
def test_what_is_compiled_passes_the_lint(saga):
    assert findings(compiled(saga, lambda lane: lane)) == []


def _without(key):
    return lambda states: states["reserve"].pop(key)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_without("TimeoutSeconds"), "reserve: it has no TimeoutSeconds"),
        (_without("Retry"), "reserve: it has no Retry with jitter"),
        (_without("Catch"), "reserve: it has no Catch"),
        (_without("Next"), "reserve: it needs one of Next and End"),
        (lambda states: states["reserve"].update(HeartbeatSeconds=5), "reserve: it has HeartbeatSeconds"),
        (lambda states: states["reserve"].update(Next="nowhere"), "nowhere: no such state"),
        (lambda states: states.update(island={"Type": "Succeed"}), "island: nothing leads to it"),
        (lambda states: states["choose wrap"].pop("Default"), "choose wrap: it has no Default"),
        (lambda states: states["needs attention"].update(Next="reserve"), "needs attention: it is an end"),
        (lambda states: states["reserve"].update(Comment="x" * 1_050_000), "the definition has"),
    ],
)
def test_the_lint_finds_what_is_wrong(spoil, words):
    machine = compiled(place_order, lambda lane: lane)
    spoil(machine["States"])

    assert any(words in finding for finding in findings(machine))


def test_a_task_in_a_branch_is_caught_by_its_group():
    machine = compiled(in_branches, lambda lane: lane)
    del machine["States"]["before"]["Catch"]

    found = findings(machine)
    assert "before: it has no Catch" in found
    assert "reserve: it has no Catch" in found


def test_the_picture_has_every_step_and_the_way_back():
    picture = mermaid(in_branches)

    assert all(re.search(rf"^    {one.name}[\[{{]", picture, re.MULTILINE) for one in in_branches)
    assert "undo_reserve" in picture
    assert "undo_check" not in picture
    assert mermaid(no_pivot).startswith("flowchart TD")


def test_the_interpreter_refuses_what_it_does_not_know():
    machine = {"StartAt": "a", "States": {"a": {"Type": "Task", "Resource": "arn:x", "TimeoutSeconds": 1}}}

    with pytest.raises(NotImplementedError):
        Run(machine, {}, {}, lambda queue, body: None, lambda: "t").begin(0)
