"""What a caller writes: jobs that belong together, and what happens after them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tidemill.domain.args import JobArgs
from tidemill.domain.completion import ALL, Completion
from tidemill.domain.errors import InputError
from tidemill.domain.graph import Edges, edges_of, line
from tidemill.service.submission import Submission


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that run beside each other, and a callback once they are over.

    Arguments:
        children: arguments or Submissions of jobs, or other batches, chains and graphs; 10,000 jobs in all.
        then: the job that runs when the batch succeeded: once, even if that is only after a redrive.
        on_failure: the job that runs when it ended otherwise: once.
        completion: ALL, FIRST, `at_least(n)` or `tolerate(n)`.

    Without callbacks it is a group: it is counted, shown and cancelled as one.
    """

    children: Iterable[Child]
    then: JobArgs | Submission | None = None
    on_failure: JobArgs | Submission | None = None
    completion: Completion = ALL


@dataclass(frozen=True, slots=True, init=False)
class Chain:
    """Jobs that run one after the other, each once the one before it has succeeded.

    Arguments: as those of Batch, the steps one by one. Up to 100. If one fails, those after it never start; if it is
    redriven and succeeds, the chain goes on from there.
    """

    children: tuple[Child, ...]
    then: JobArgs | Submission | None
    on_failure: JobArgs | Submission | None

    def __init__(
        self,
        *children: Child,
        then: JobArgs | Submission | None = None,
        on_failure: JobArgs | Submission | None = None,
    ) -> None:
        # A frozen dataclass whose steps are positional has to write its fields itself.
        object.__setattr__(self, "children", children)
        object.__setattr__(self, "then", then)
        object.__setattr__(self, "on_failure", on_failure)


@dataclass(frozen=True, slots=True)
class Graph:
    """Jobs that wait for each other.

    Arguments:
        nodes: jobs, batches, chains or graphs by name; up to 100.
        after: for a node, the names of those that must have succeeded before it starts; up to 1,000 in all.
        then, on_failure, completion: as those of Batch.
    """

    nodes: Mapping[str, Child]
    after: Mapping[str, Sequence[str]] = field(default_factory=dict)
    then: JobArgs | Submission | None = None
    on_failure: JobArgs | Submission | None = None
    completion: Completion = ALL


Flow: TypeAlias = Batch | Chain | Graph
Child: TypeAlias = JobArgs | Submission | Flow


@dataclass(frozen=True, slots=True)
class Shape:
    """A flow of any sort: its children in order, and what they wait for (nothing, if `edges` is empty).

    `where` is the name of a child in error messages.
    """

    children: tuple[object, ...]
    edges: Edges
    where: tuple[str, ...]
    then: object
    on_failure: object
    completion: Completion


def shape_of(flow: Flow) -> Shape:
    """The shape of a flow.

    Raises:
        InputError: its edges name an unknown node or go in a circle, or its children or edges are of another type.
    """
    match flow:
        case Batch():
            children = _listed(flow.children)
            where = tuple(f"children[{index}]" for index in range(len(children)))
            return Shape(children, (), where, flow.then, flow.on_failure, flow.completion)
        case Chain():
            size = len(flow.children)
            where = tuple(f"steps[{index}]" for index in range(size))
            return Shape(flow.children, line(size), where, flow.then, flow.on_failure, ALL)
        case Graph():
            _check_named(flow.nodes, "nodes", "jobs by node name")
            _check_named(flow.after, "after", "lists of node names by node name")
            names = tuple(flow.nodes)
            where = tuple(f"nodes.{name}" for name in names)
            edges = edges_of(names, flow.after)
            return Shape(tuple(flow.nodes.values()), edges, where, flow.then, flow.on_failure, flow.completion)


def _listed(children: object) -> tuple[object, ...]:
    if isinstance(children, str | Mapping | JobArgs) or not isinstance(children, Iterable):
        raise InputError.at("children", f"must be a list of jobs, not {type(children).__name__}", "type")
    return tuple(children)


def _check_named(found: object, field: str, wanted: str) -> None:
    if not isinstance(found, Mapping):
        raise InputError.at(field, f"must be a mapping, {wanted}, not {type(found).__name__}", "type")
    for name in found:
        if not isinstance(name, str):
            raise InputError.at(field, f"has a name that is no text: {name!r:.60}", "type")
