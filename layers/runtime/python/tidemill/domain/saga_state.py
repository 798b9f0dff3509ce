"""Where a saga stands: one pure function of its execution and its jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tidemill.domain.closing import SAGA_CANCELLED, is_closed
from tidemill.domain.errand import saga_job_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.ports.sagas import Execution, ExecutionStatus
from tidemill.domain.saga.declaring import Branches
from tidemill.domain.saga.machine import recalled
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.words import COMPENSATED, Role


class SagaState(StrEnum):
    """Where a saga stands."""

    RUNNING = "running"
    # It undoes what may have been applied.
    COMPENSATING = "compensating"
    # It can't go on by itself: a compensation or a step after the pivot is dead, or the execution was ended.
    NEEDS_ATTENTION = "needs_attention"
    # All steps are done.
    SUCCEEDED = "succeeded"
    # Nothing is left of it.
    COMPENSATED = "compensated"

    @property
    def is_final(self) -> bool:
        """Whether nothing happens any more, and nothing has to."""
        return self in (SagaState.SUCCEEDED, SagaState.COMPENSATED)


@dataclass(frozen=True, slots=True)
class Part:
    """One job of a saga: which step, what it does for it, and its record; None if it never came.

    The record may be that of a message which could not become this job: then it has another id.
    """

    step: str
    role: Role
    kind: str
    ref: JobRef
    job: Job | None = None

    @property
    def waits(self) -> bool:
        """Whether it was begun, and nobody but a person brings it to its end."""
        return self.job is not None and self.job.state is State.DEAD and not is_closed(self.job)


def parts_of(saga: Saga, saga_id: str, tenant: str) -> list[Part]:
    """All jobs that the saga can have: its steps, then what undoes or closes them, in the order of the way back."""

    def part(step: str, role: Role, kind: str) -> Part:
        return Part(step, role, kind, JobRef(tenant, saga_job_id(saga_id, step, role)))

    forward = [part(one.name, Role.STEP, one.job.kind) for one in saga]
    back = [
        part(one.name, Role.UNDO, one.compensate.job.kind)
        if one.compensate is not None
        else part(one.name, Role.CLOSE, one.job.kind)
        for one in reversed(list(saga))
        if not saga.is_retried(one)
    ]
    groups = [group for group in saga.steps if isinstance(group, Branches)]
    asked = [part(one.name, Role.CLOSE, one.job.kind) for group in groups for one in recalled(saga, group)]
    return [*forward, *(one for one in asked if one not in back), *back]


def state_of(saga: Saga, execution: Execution, parts: list[Part]) -> SagaState:
    """Where the saga stands."""
    match execution.status:
        case ExecutionStatus.SUCCEEDED:
            output: object = execution.output
            outcome = output.get("outcome") if isinstance(output, Mapping) else None
            return SagaState.COMPENSATED if outcome == COMPENSATED else SagaState.SUCCEEDED
        case ExecutionStatus.RUNNING:
            return _running(saga, parts)
        case _:
            return SagaState.NEEDS_ATTENTION


def is_cancelled(saga: Saga, parts: list[Part]) -> bool:
    """Whether somebody cancelled the saga before its point of no return."""
    point = _point(saga, parts).job
    return point is not None and point.reason == SAGA_CANCELLED


def needs(saga: Saga, parts: list[Part]) -> list[Part]:
    """The dead jobs that the saga can't do without."""
    return [one for one in parts if one.waits and is_needed(saga, one)]


def is_needed(saga: Saga, part: Part) -> bool:
    """Whether the saga, once it has begun this part, can't do without it."""
    return part.role is not Role.STEP or saga.is_retried(saga.step(part.step))


def _running(saga: Saga, parts: list[Part]) -> SagaState:
    if needs(saga, parts):
        return SagaState.NEEDS_ATTENTION
    point = _point(saga, parts).job
    # A pivot that was given up and has succeeded after all is gone on from.
    went_back = any(one.job is not None and one.role is Role.UNDO for one in parts)
    closing = any(one.job is not None and one.role is Role.CLOSE for one in parts)
    is_past = point is not None and point.state is State.SUCCEEDED
    return SagaState.COMPENSATING if went_back or (closing and not is_past) else SagaState.RUNNING


def _point(saga: Saga, parts: list[Part]) -> Part:
    name = saga.point_of_no_return.name
    return next(one for one in parts if one.step == name and one.role is Role.STEP)
