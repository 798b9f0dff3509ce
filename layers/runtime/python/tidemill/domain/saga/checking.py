"""What must hold of a saga before it can run. Each error names its place and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.declared import check_instance, check_span
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import seconds
from tidemill.domain.errors import DefinitionError
from tidemill.domain.saga.declaring import Branches, Part, Step, Undo
from tidemill.domain.saga.references import Condition
from tidemill.domain.saga.resolving import Resolver

# It stands in paths of the state machine, where a hyphen would be a minus.
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
# States and nodes of the picture that are no steps.
_TAKEN: Final = frozenset({"begin", "compensated", "done", "end", "prepare"})


def checked(name: str, args: type[JobArgs], declared: object) -> tuple[Part, ...]:
    """The saga's steps, each with everything that fills its arguments.

    Raises:
        DefinitionError: see Saga.
    """
    where = f"saga {name!r}"
    if not (isinstance(args, type) and issubclass(args, JobArgs)):
        raise DefinitionError(f"{where}: args is {args!r}. Fix: give a JobArgs class")
    parts = _listed(where, declared)
    steps = [one for part in parts for one in _steps_of(where, part)]
    for one in steps:
        _check_step(f"{where}, step {one.name!r}", one)
    _check_names(where, parts, steps)
    _check_order(where, parts, steps)
    return Resolver(where, args).all(parts)


def _listed(where: str, parts: object) -> tuple[Part, ...]:
    listed = tuple(parts) if isinstance(parts, Iterable) else ()
    for part in listed:
        if not isinstance(part, Step | Branches):
            raise DefinitionError(f"{where}: {part!r} in `steps` is no step. Fix: give step(...) or parallel(...)")
    if not listed:
        raise DefinitionError(f"{where} has no steps. Fix: steps=[step(...), ...]")
    return listed


def _steps_of(where: str, part: Part) -> Sequence[Step]:
    if isinstance(part, Step):
        return (part,)
    if len(part.branches) < 2 or not all(part.branches):
        raise DefinitionError(f"{where}: parallel({part.name!r}) needs two branches or more, each with a step")
    for one in part.steps:
        if not isinstance(one, Step):
            raise DefinitionError(f"{where}: {one!r} in parallel({part.name!r}) is no step. Fix: give step(...)")
    return part.steps


def _check_step(where: str, one: Step) -> None:
    if not isinstance(one.job, JobDefinition):
        raise DefinitionError(f"{where}: job is {one.job!r}. Fix: name a function that is decorated with @job(...)")
    if one.timeout is None:
        raise DefinitionError(f"{where} has no timeout, and could wait for ever. Fix: step(..., timeout=minutes(10))")
    check_span(f"{where}: timeout", one.timeout)
    if not seconds(1) <= one.timeout <= limits.MAX_STEP_TIMEOUT:
        raise DefinitionError(f"{where} has timeout {one.timeout}. Fix: choose 1 s to {limits.MAX_STEP_TIMEOUT}")
    check_instance(f"{where}: pivot", one.pivot, bool)
    if one.when is not None:
        check_instance(f"{where}: when", one.when, Condition)
    if one.compensate is not None:
        check_instance(f"{where}: compensate", one.compensate, Undo)
        _check_undo(where, one.compensate)


def _check_undo(where: str, compensate: Undo) -> None:
    if not isinstance(compensate.job, JobDefinition):
        raise DefinitionError(f"{where}: compensate is {compensate.job!r}. Fix: name a function with @job(...)")
    least, given = limits.MIN_UNDO_ATTEMPTS, compensate.job.retry.max_attempts
    if given < least:
        # While it is not done, the saga is neither whole nor undone.
        raise DefinitionError(
            f"{where}: its compensation {compensate.job.kind!r} gives up after {given} attempts, which is too soon. "
            f"Fix: @job(..., retry=Retry(max_attempts={least})) or more"
        )


def _check_names(where: str, parts: Sequence[Part], steps: Sequence[Step]) -> None:
    seen: set[str] = set()
    for name in [*(one.name for one in steps), *(part.name for part in parts if isinstance(part, Branches))]:
        if not (isinstance(name, str) and _NAME.fullmatch(name) and len(name) <= limits.MAX_SAGA_STEP_CHARS):
            longest = limits.MAX_SAGA_STEP_CHARS
            raise DefinitionError(
                f"{where}: {name!r} names no step. Fix: lower-case words joined by _, {longest} characters at most"
            )
        if name in _TAKEN:
            raise DefinitionError(f"{where}: no step can be named {name!r}: a state is. Fix: rename it")
        if name in seen:
            raise DefinitionError(f"{where} has two steps named {name!r}. Fix: rename one")
        seen.add(name)
    if len(steps) > limits.MAX_SAGA_STEPS:
        raise DefinitionError(f"{where} has {len(steps)} steps. Fix: at most {limits.MAX_SAGA_STEPS}")


def _check_order(where: str, parts: Sequence[Part], steps: Sequence[Step]) -> None:
    pivots = [one for one in steps if one.pivot]
    if len(pivots) > 1:
        raise DefinitionError(f"{where} has two pivots, {pivots[0].name!r} and {pivots[1].name!r}. Fix: keep one")
    if all(one.when is not None for one in steps):
        raise DefinitionError(f"{where} has only steps with a condition. Fix: let one of them always run")
    for part in parts:
        if isinstance(part, Branches):
            _check_branches(where, part)
    for pivot in pivots:
        _check_pivot(where, pivot, steps)


def _check_pivot(where: str, pivot: Step, steps: Sequence[Step]) -> None:
    if pivot.when is not None:
        raise DefinitionError(f"{where}: pivot {pivot.name!r} has a condition. Fix: let it always run")
    for one in steps[steps.index(pivot) + 1 :]:
        if one.compensate is not None:
            raise DefinitionError(
                f"{where}: step {one.name!r} has a compensation and comes after pivot {pivot.name!r}, from where "
                "nothing is undone. Fix: move it before the pivot, or leave its compensation out"
            )


def _check_branches(where: str, part: Branches) -> None:
    if any(one.pivot for one in part.steps):
        raise DefinitionError(f"{where}: a pivot is in parallel({part.name!r}). Fix: put it before or behind")
    for branch in part.branches:
        total = sum((one.timeout or timedelta() for one in branch), timedelta())
        if total > limits.MAX_STEP_TIMEOUT:
            # What became of it is read in its jobs' records, which must outlive the branch.
            raise DefinitionError(
                f"{where}: a branch of parallel({part.name!r}) may take {total}. "
                f"Fix: let its timeouts add up to {limits.MAX_STEP_TIMEOUT} at most"
            )
