"""The promises, and the search for the shortest schedule that breaks one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from tests.model.protocol import Protocol
from tests.model.world import Bounds, World, alive
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State


def broken(before: World, after: World) -> str:
    """The first promise that this action broke; empty if none."""
    was, now = before.record, after.record
    if after.problem:
        return after.problem
    if was is not None and now is not None and _left_final(was, now):
        return f"{was.state} became {now.state} in its generation"
    if now is not None and now.generation > 1 + after.redrives:
        return f"generation {now.generation} after {after.redrives} redrives"
    if now is not None and now.state is State.SUCCEEDED and now.generation not in after.ran:
        return "succeeded without a run"
    return _lost(after)


def _left_final(was: Job, now: Job) -> bool:
    return was.state.is_final and now.generation == was.generation and now.state is not was.state


def _lost(world: World) -> str:
    record = world.record
    if record is None:
        return "" if not world.messages or any(m.place != "gone" for m in world.messages) else "no copy and no record"
    if record.state is State.DEAD:
        kept = any(m.place != "gone" and record.held and m.send_id == record.held.send_id for m in world.messages)
        return "" if kept else "a dead job whose message is gone: no console can redrive it"
    if record.state.is_final or (record.state is State.SCHEDULED and record.owns_args):
        return ""
    return "" if alive(world) else f"{record.state} and no copy of its message anywhere"


@dataclass(frozen=True, slots=True)
class Finding:
    """What the search saw: how much, and the shortest way to the first broken promise."""

    states: int
    transitions: int
    problem: str = ""
    trace: tuple[str, ...] = ()


def explore(bounds: Bounds, most: int = 500_000) -> Finding:
    """Try every schedule within the bounds, shortest first."""
    protocol = Protocol(bounds)
    start = protocol.start()
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    waiting, transitions = deque([start]), 0
    while waiting:
        world = waiting.popleft()
        steps = list(protocol.steps(world))
        if not steps and (problem := _stuck(world, bounds)):
            return Finding(len(came_from), transitions, problem, _trace(came_from, world))
        for label, after in steps:
            transitions += 1
            if problem := broken(world, after):
                return Finding(len(came_from), transitions, problem, (*_trace(came_from, world), label))
            if after not in came_from:
                came_from[after] = (world, label)
                waiting.append(after)
        assert len(came_from) <= most, "choose smaller bounds"
    return Finding(len(came_from), transitions)


def _stuck(world: World, bounds: Bounds) -> str:
    record = world.record
    if record is None or record.state.is_final:
        return ""
    # Only a sweep that the bounds no longer allow may leave a job waiting.
    if record.state is State.SCHEDULED and world.sweeps == bounds.sweeps:
        return ""
    return f"{record.state} for ever"


def _trace(came_from: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    labels: list[str] = []
    while (earlier := came_from[world]) is not None:
        world, label = earlier
        labels.append(label)
    return tuple(reversed(labels))
