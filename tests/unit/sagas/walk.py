"""Every way that a saga can go, if each of its jobs may succeed, fail or be late: found by trying them all."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tidemill.domain.saga.machine import compiled, places_of
from tidemill.domain.saga.resuming import going_on
from tidemill.domain.saga.states import prepared
from tidemill.testing.machines import Run

_ARGS = {"order_id": "o1", "cents": 5, "gift": False}
STEP_FAILED = "Tidemill.StepFailed"


@dataclass
class Way:
    """One way: the messages in their order, as (role, step), and what was answered to each; where it was stopped."""

    run: Run
    sent: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    left: str = ""

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(body["saga"]["role"], body["saga"]["step"]) for body in self.sent]

    @property
    def end(self) -> str:
        if self.run.status != "SUCCEEDED":
            return self.run.error or self.run.status
        return self.run.output.get("outcome", "done")


def begin(saga: Any, **args: Any) -> Way:
    """A saga at its first step."""
    numbers = itertools.count()
    sent: list[dict[str, Any]] = []
    run = Run(
        compiled(saga, lambda lane: f"queue of {lane}"),
        {"saga": "0", "tenant": "acme", "args": dict(_ARGS, **args), **prepared(saga)},
        {"Execution": {"Name": "0-g1"}},
        lambda queue, body: sent.append(json.loads(body)),
        lambda: f"token-{next(numbers)}",
    )
    run.begin(0)
    return Way(run, sent)


def succeed(way: Way, body: dict[str, Any], result: Any = None, *, state: str = "succeeded") -> None:
    told = {"job_id": "j", "result": result or {"shelf": "a1", "charge": "ch_1"}}
    answer = {"state": state, "told": told} if body["saga"]["role"] == "close" else told
    way.answers[f"{body['saga']['role']} {body['saga']['step']}"] = "succeeds" if state == "succeeded" else state
    way.run.succeed(body["saga"]["token"], json.dumps(answer), 0)


def fail(way: Way, body: dict[str, Any]) -> None:
    way.answers[f"{body['saga']['role']} {body['saga']['step']}"] = "fails"
    way.run.fail(body["saga"]["token"], STEP_FAILED, "it died", 0)


def be_late(way: Way, body: dict[str, Any]) -> None:
    way.answers[f"{body['saga']['role']} {body['saga']['step']}"] = "is late"
    flow = way.run.tokens[body["saga"]["token"]]
    deadline = flow.deadline
    # Only this one: the others are in time.
    others = [(one, one.deadline) for one in way.run.flow.all() if one is not flow]
    for one, _ in others:
        one.deadline = None
    way.run.tick(deadline)
    for one, at in others:
        one.deadline = at if one.token else None


def stop(saga: Any, way: Way, *, is_cancelled: bool) -> None:
    """The execution is stopped, and the saga is resumed by another one, or by its cancel."""
    run, places = way.run, places_of(saga)
    run.abort(0)
    last = max(at for at in run.entered if run.events[at][2] in places)
    left = run.events[last][2]
    given = going_on(saga, left, json.loads(run.entered[last]), is_cancelled=is_cancelled)
    way.run = Run(run.definition, given, {"Execution": {"Name": "0-g2"}}, run.send, run.token)
    way.run.begin(0)
    way.left = left


def stopped_ways(saga: Any, **args: Any) -> Iterator[Way]:
    """Every way with one stop: wherever it may come, and resumed or cancelled after it."""
    for prefix in _moments(saga, **args):
        is_undoable = not any(one.get("waits") for one in _errands(prefix) if one["role"] == "step")
        for is_cancelled in (False, True)[: 1 + (is_undoable and prefix.answers.get("step charge") is None)]:
            way = _copied(prefix)
            stop(saga, way, is_cancelled=is_cancelled)
            yield from _continued([way])


def _errands(way: Way) -> list[dict[str, Any]]:
    return [body["saga"] for body in way.sent]


def _moments(saga: Any, **args: Any) -> Iterator[Way]:
    """Every state that some way comes through while it waits."""
    seen: set[str] = set()
    open_ways = [begin(saga, **args)]
    while open_ways:
        way = open_ways.pop()
        waiting = [body for body in way.sent if body["saga"]["token"] in way.run.tokens]
        if not waiting or (known := f"{way.asked} {way.answers}") in seen:
            continue
        seen.add(known)
        yield way
        open_ways += _next_ways(way)


def all_ways(saga: Any, **args: Any) -> Iterator[Way]:
    """Every way to an end; jobs that run beside each other are answered in every order."""
    return _continued([begin(saga, **args)])


def _continued(open_ways: list[Way]) -> Iterator[Way]:
    while open_ways:
        way = open_ways.pop()
        waiting = [body for body in way.sent if body["saga"]["token"] in way.run.tokens]
        if not waiting:
            yield way
            continue
        open_ways += _next_ways(way)


def _next_ways(way: Way) -> Iterator[Way]:
    waiting = [body for body in way.sent if body["saga"]["token"] in way.run.tokens]
    for place in range(len(waiting)):
        for answer in _answers(way, waiting[place]):
            other = _copied(way)
            body = next(one for one in other.sent if one["saga"]["token"] == waiting[place]["saga"]["token"])
            answer(other, body)
            yield other


def _copied(way: Way) -> Way:
    other = copy.deepcopy(way, {id(way.run.token): way.run.token})
    # The copy's machine sends to the copy's list.
    other.run.send = lambda queue, body, sent=other.sent: sent.append(json.loads(body))
    return other


def _answers(way: Way, body: dict[str, Any]) -> list[Any]:
    asked = (body["saga"]["role"], body["saga"]["step"])
    # Where it was stopped, it is asked for once more.
    if way.asked.count(asked) > 1 + (way.left in (body["saga"]["step"], f"choose {body['saga']['step']}", "before")):
        # Late already, and 90 days later is not looked at here.
        return [succeed]
    match body["saga"]["role"], body["saga"].get("waits", False):
        case "step", False:
            return [succeed, fail, be_late]
        case "step", True:
            return [succeed, be_late]
        case "undo", _:
            return [succeed]
        case _:
            return _closings(way.answers.get(f"step {body['saga']['step']}"))


def _closings(answer: str | None) -> list[Any]:
    """What can have become of a job of which this was heard."""
    died = [lambda way, body: succeed(way, body, state="dead")]
    return {"succeeds": [succeed], "fails": died}.get(answer or "", [succeed, *died])
