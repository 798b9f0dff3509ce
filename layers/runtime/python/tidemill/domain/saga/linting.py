"""What must hold of every state machine that Tidemill makes. Each finding names its state."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from tidemill.domain.saga.machine import targets_of
from tidemill.domain.saga.states import State

# API Reference, CreateStateMachine: definition has at most 1,048,576 characters.
MAX_DEFINITION_CHARS: Final = 1_048_576
_LIMIT_OF_NAMES: Final = 80
_ENDS: Final = ("Succeed", "Fail")


def findings(definition: State) -> list[str]:
    """What is wrong with a state machine; nothing if it is fit to be deployed."""
    found = list(_of_states(definition, caught=False))
    size = len(json.dumps(definition))
    if size > MAX_DEFINITION_CHARS:
        found.append(f"the definition has {size} characters, Step Functions takes {MAX_DEFINITION_CHARS}")
    return found


def _of_states(machine: State, *, caught: bool) -> Iterator[str]:
    states: dict[str, State] = machine["States"]
    start = machine["StartAt"]
    reached = {start, *(target for state in states.values() for target in targets_of(state))}
    yield from (f"{name}: no such state" for name in sorted(reached - set(states)))
    yield from (f"{name}: nothing leads to it" for name in sorted(set(states) - reached))
    for name, state in states.items():
        yield from (f"{name}: {problem}" for problem in _of_state(name, state, caught=caught))
        for branch in state.get("Branches", ()):
            yield from _of_states(branch, caught="Catch" in state)


def _of_state(name: str, state: State, *, caught: bool) -> Iterator[str]:
    if len(name) > _LIMIT_OF_NAMES:
        yield f"its name has {len(name)} characters, Step Functions takes {_LIMIT_OF_NAMES}"
    if state["Type"] in ("Task", "Pass", "Parallel") and ("Next" in state) == ("End" in state):
        yield "it needs one of Next and End"
    if state["Type"] in _ENDS and targets_of(state):
        yield "it is an end and leads on"
    if state["Type"] == "Choice" and "Default" not in state:
        yield "it has no Default, so that nothing may match"
    if state["Type"] == "Parallel" and "Catch" not in state:
        yield "it has no Catch"
    if state["Type"] == "Task":
        yield from _of_task(state, caught=caught)


def _of_task(state: State, *, caught: bool) -> Iterator[str]:
    if "TimeoutSeconds" not in state:
        yield "it has no TimeoutSeconds, and could wait for a year"
    if "HeartbeatSeconds" in state:
        yield "it has HeartbeatSeconds, which run while its job waits in a queue"
    if not any(one.get("JitterStrategy") == "FULL" for one in state.get("Retry", ())):
        yield "it has no Retry with jitter"
    if "Catch" not in state and not caught:
        yield "it has no Catch"
