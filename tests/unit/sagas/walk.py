"""Every way that a saga can go, if each of its jobs may succeed, fail or be late: found by trying them all."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tidemill.domain.saga.machine import compiled
from tidemill.testing.machines import Run

STEP_FAILED = "Tidemill.StepFailed"


@dataclass
class Way:
    """One way: the messages in their order, as (role, step), and what was answered to each."""

    run: Run
    sent: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)

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
        {"saga": "0", "tenant": "acme", "args": {"order_id": "o1", "cents": 5, "gift": False, **args}},
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


def all_ways(saga: Any, **args: Any) -> Iterator[Way]:
    """Every way to an end; jobs that run beside each other are answered in every order."""
    open_ways = [begin(saga, **args)]
    while open_ways:
        way = open_ways.pop()
        waiting = [body for body in way.sent if body["saga"]["token"] in way.run.tokens]
        if not waiting:
            yield way
            continue
        for place in range(len(waiting)):
            for answer in _answers(way, waiting[place]):
                other = copy.deepcopy(way, {id(way.run.token): way.run.token})
                # The copy's machine sends to the copy's list.
                other.run.send = lambda queue, body, sent=other.sent: sent.append(json.loads(body))
                body = next(one for one in other.sent if one["saga"]["token"] == waiting[place]["saga"]["token"])
                answer(other, body)
                open_ways.append(other)


def _answers(way: Way, body: dict[str, Any]) -> list[Any]:
    asked = (body["saga"]["role"], body["saga"]["step"])
    if way.asked.count(asked) > 1:
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
            return [succeed, lambda way, body: succeed(way, body, state="dead")]
