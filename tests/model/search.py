"""The search: every state within the bounds, breadth first, and the shortest way to the first broken promise."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol


class Edge(NamedTuple):
    """One thing that can happen next.

    `fault`: nobody may count on it, and a proof that something gets done does without it.
    """

    label: str
    after: Any
    fault: bool = False
    problem: str = ""


class Model(Protocol):
    """A machine that can be searched."""

    def starts(self) -> Iterable[tuple[str, Hashable]]: ...

    def edges(self, world: Any) -> Iterator[Edge]: ...

    def broken(self, world: Any, edge: Edge) -> str:
        """The first promise that this step broke; empty if none."""

    def at_rest(self, world: Any) -> str:
        """What is wrong if nothing more happens by itself; empty if nothing is."""

    def settled(self, world: Any) -> bool:
        """Whether all is done. Such a state must be in reach from everywhere, without faults."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the search saw: how much, and the shortest way to the first broken promise."""

    states: int
    transitions: int
    depth: int
    problem: str = ""
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        seen = f"states={self.states} transitions={self.transitions} depth={self.depth}"
        return seen if not self.problem else "\n".join([f"{self.problem} ({seen})", *map("  {}".format, self.trace)])


@dataclass(slots=True)
class _Graph:
    """What was seen so far. States are numbered as they come."""

    numbers: dict[Hashable, int] = field(default_factory=dict)
    # Of each state: the one before it and the step that led here, and how far away it is.
    ways: list[tuple[int, str, int]] = field(default_factory=list)
    # Of each state: those from which it is reached without a fault.
    sources: list[list[int]] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    transitions: int = 0

    def enter(self, world: Hashable, before: int, label: str) -> tuple[int, bool]:
        known = self.numbers.get(world)
        if known is not None:
            return known, False
        number = self.numbers[world] = len(self.numbers)
        self.ways.append((before, label, self.ways[before][2] + 1 if before >= 0 else 0))
        self.sources.append([])
        return number, True

    def trace(self, number: int) -> tuple[str, ...]:
        labels: list[str] = []
        while number >= 0:
            number, label, _ = self.ways[number]
            labels.append(label)
        return tuple(reversed(labels))

    def finding(self, problem: str = "", number: int = -1, label: str = "") -> Finding:
        depth = self.ways[-1][2] if self.ways else 0
        trace = (*self.trace(number), *([label] if label else [])) if problem else ()
        return Finding(len(self.ways), self.transitions, depth, problem, trace)

    def hopeless(self) -> int | None:
        """The nearest state from which nothing is ever settled, unless a fault helps."""
        hopeful = bytearray(len(self.ways))
        waiting = list(self.settled)
        for number in waiting:
            hopeful[number] = 1
        while waiting:
            for source in self.sources[waiting.pop()]:
                if not hopeful[source]:
                    hopeful[source] = 1
                    waiting.append(source)
        found = hopeful.find(0)
        return None if found < 0 else found


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """A search makes what stays: the garbage collector would walk through all of it again and again."""
    before = gc.get_threshold()
    gc.set_threshold(200_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


@_seldom_collected()
def explore(model: Model, most: int = 2_000_000) -> Finding:
    """Try every schedule within the bounds, shortest first.

    Raises:
        RuntimeError: there are more than `most` states.
    """
    graph, waiting = _Graph(), deque[tuple[int, Any]]()
    for label, world in model.starts():
        number, _ = graph.enter(world, -1, label)
        waiting.append((number, world))
    while waiting:
        number, world = waiting.popleft()
        broken = _expand(model, graph, waiting, number, world)
        if broken is not None:
            return broken
        if len(graph.ways) > most:
            raise RuntimeError(f"more than {most} states. Fix: choose smaller bounds")
    lost = graph.hopeless()
    if lost is not None:
        return graph.finding("without a fault nothing more is settled", lost)
    return graph.finding()


def _expand(model: Model, graph: _Graph, waiting: deque[tuple[int, Any]], number: int, world: Any) -> Finding | None:
    goes_on = False
    for edge in model.edges(world):
        graph.transitions += 1
        problem = edge.problem or model.broken(world, edge)
        if problem:
            return graph.finding(problem, number, edge.label)
        after, is_new = graph.enter(edge.after, number, edge.label)
        if is_new:
            waiting.append((after, edge.after))
        if not edge.fault:
            goes_on = True
            graph.sources[after].append(number)
    if model.settled(world):
        graph.settled.append(number)
    elif not goes_on and (problem := model.at_rest(world)):
        return graph.finding(problem, number)
    return None
