"""What a saga is made of: steps, and branches of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeAlias, get_type_hints

from tidemill.domain.definition import JobDefinition
from tidemill.domain.saga.references import Condition, Place, Reference

AnyJob: TypeAlias = JobDefinition[Any, Any]


@dataclass(frozen=True, slots=True)
class Undo:
    """The job that undoes a step, and what fills its arguments. See `undo`."""

    job: AnyJob
    args: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One step of a saga: an ordinary job on its lane. See `step`."""

    name: str
    job: AnyJob
    timeout: timedelta | None
    args: Mapping[str, Any] | None = None
    compensate: Undo | None = None
    pivot: bool = False
    when: Condition | None = None

    @property
    def result(self) -> Any:
        """A reference to what the step's job returns; its fields are those of the function's return type."""
        return Reference(Place(self.name, (), _returned_by(self.job)))


@dataclass(frozen=True, slots=True, eq=False)
class Branches:
    """Steps that run beside each other. See `parallel`."""

    name: str
    branches: tuple[tuple[Step, ...], ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them, branch by branch."""
        return tuple(one for branch in self.branches for one in branch)


Part: TypeAlias = Step | Branches


def step(
    name: str,
    job: AnyJob,
    *,
    timeout: timedelta | None = None,
    args: Mapping[str, Any] | None = None,
    compensate: AnyJob | Undo | None = None,
    pivot: bool = False,
    when: Condition | None = None,
) -> Step:
    """One step of a saga.

    Arguments:
        name: lower-case words joined by `_`, at most 32 characters; unlike every other of the saga, and for ever: the
            step's job has its id from it.
        job: what runs. Its retries, limits and dead letters are those of any job.
        timeout: how long the saga waits for the job with all its retries, 1 s to 14 days. Needed. Before the pivot the
            step has failed then; after it, the step is late, and the saga goes on waiting.
        args: what fills each field of the job's arguments: a reference to the saga's arguments or to the result of a
            step before, or a constant. Left out, the fields have their values by name from the saga's arguments.
        compensate: the job that undoes the step, or `undo(job, args=...)`.
        pivot: the step after which the saga is not undone any more, but carried to its end.
        when: the step runs only where this holds: `when=given.gift.is_(True)`.
    """
    undoing = Undo(compensate) if isinstance(compensate, JobDefinition) else compensate
    return Step(name, job, timeout, args, undoing, pivot, when)


def undo(job: AnyJob, *, args: Mapping[str, Any] | None = None) -> Undo:
    """The job that undoes a step. Its arguments can't refer to the step's own result, which may not be known.

    The job runs if the step may have been applied, and learns what became of it from `ctx.undoes`. It must be content
    to find nothing to undo.
    """
    return Undo(job, args)


def parallel(name: str, *branches: Sequence[Step] | Step) -> Branches:
    """Steps that run beside each other: each branch is a step or a list of steps, one after the other.

    The saga goes on when all branches are done. If one fails, none of the others goes on, and all are undone.
    """
    return Branches(name, tuple((branch,) if isinstance(branch, Step) else tuple(branch) for branch in branches))


def filled(one: Step, args: Mapping[str, Any], undo_args: Mapping[str, Any] | None) -> Step:
    """The step with everything that fills its arguments."""
    compensate = one.compensate and replace(one.compensate, args=undo_args)
    return replace(one, args=args, compensate=compensate)


def _returned_by(job: AnyJob) -> Any:
    try:
        return get_type_hints(job.function).get("return", Any)
    except (TypeError, NameError):
        # What can't be told has no fields.
        return Any
