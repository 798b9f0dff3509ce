"""Which children wait for which: a graph without cycles, as the indexes that each one comes after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from tidemill.domain import limits
from tidemill.domain.batch import Tally
from tidemill.domain.errors import InputError

# For each child, those that must have succeeded before it starts.
Edges: TypeAlias = tuple[tuple[int, ...], ...]


def line(size: int) -> Edges:
    """A chain: each after the one before it."""
    return tuple((index - 1,) if index else () for index in range(size))


def edges_of(names: Sequence[str], after: Mapping[str, Sequence[str]]) -> Edges:
    """The edges between these nodes.

    Raises:
        InputError: a node is unknown, waits for itself or for one that waits for it (the path is named), or there
            are too many edges.
    """
    place = {name: index for index, name in enumerate(names)}
    for name, earlier in after.items():
        if (
            isinstance(earlier, str)
            or not isinstance(earlier, Sequence)
            or not all(isinstance(one, str) for one in earlier)
        ):
            raise InputError.at(f"after.{name}", "must be a list of node names", "type")
        for one in (name, *earlier):
            if one not in place:
                known = ", ".join(names)
                raise InputError.at(f"after.{name}", f"there is no node {one!r}; known: {known:.300}", "unknown_node")
    edges = tuple(tuple(dict.fromkeys(place[one] for one in after.get(name, ()))) for name in names)
    if (count := sum(map(len, edges))) > limits.MAX_EDGES:
        raise InputError.at("after", f"has {count:,} edges; {limits.MAX_EDGES:,} is the most", "edges")
    path = cycle_in(edges)
    if path:
        text = " -> ".join(names[index] for index in path)
        raise InputError.at("after", f"goes in a circle: {text}. Fix: take one of these edges out", "cycle")
    return edges


def cycle_in(edges: Edges) -> list[int]:
    """A path that ends where it began, in the order in which its nodes would have to run; empty if there is none."""
    done: set[int] = set()
    for start in range(len(edges)):
        path: list[int] = []
        # Depth first, without recursion: what is left to look at of each node on the path.
        left: list[list[int]] = []
        node: int | None = start
        while node is not None or left:
            if node is not None and node in path:
                return [node, *reversed(path[path.index(node) :])]
            if node is not None and node not in done:
                path.append(node)
                left.append(list(edges[node]))
            node = left[-1].pop() if left and left[-1] else None
            if node is None and left:
                left.pop()
                done.add(path.pop())
    return []


def skipped(edges: Edges, tally: Tally) -> frozenset[int]:
    """Children that can't start any more as things stand: one that they wait for did not succeed, or can't start.

    One that ran (its predecessor was redriven and succeeded meanwhile) is not among them.
    """
    lost = set(tally.over - tally.succeeded)
    found: set[int] = set()
    changed = True
    while changed:
        new = {
            index
            for index, earlier in enumerate(edges)
            if index not in found and index not in tally.over and lost.intersection(earlier)
        }
        changed = bool(new)
        found |= new
        lost |= new
    return frozenset(found)


def ready(edges: Edges, tally: Tally) -> list[int]:
    """Children that may run by now and are not over: what they wait for has succeeded."""
    return [
        index for index, earlier in enumerate(edges) if index not in tally.over and tally.succeeded.issuperset(earlier)
    ]


def freed(edges: Edges, tally: Tally, by: frozenset[int]) -> list[int]:
    """Those of the ready ones that waited for one of `by`."""
    return [index for index in ready(edges, tally) if by.intersection(edges[index])]
