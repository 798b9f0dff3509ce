"""The single states that a saga compiles to, in the Amazon States Language with JSONPath."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, TypeAlias

from tidemill.domain import limits
from tidemill.domain.duration import hours, minutes, seconds
from tidemill.domain.saga.declaring import AnyJob, Step
from tidemill.domain.saga.references import ARGS, Condition, Place, Reference, place_of
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.words import CLOSE_KIND, EVERYTHING, NEEDS_ATTENTION, STEP_FAILED, Role

State: TypeAlias = dict[str, Any]
QueueOf: TypeAlias = Callable[[str], str]

SEND_AND_WAIT: Final = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
# Where the execution has the error that made it turn back.
FAILED: Final = "$.failed"
# Names with a blank are no names of steps.
BEGIN: Final = "where to begin"
GO_ON: Final = "go on"
PREPARE: Final = "prepare"
ATTENTION: Final = "needs attention"


def path_of(reference: Reference) -> str:
    """Where in the state of an execution a reference is."""
    place = place_of(reference)
    start = "$.args" if place.step == ARGS else f"{result_path(place.step)}.result"
    return ".".join((start, *place.path))


def result_path(step: str) -> str:
    """Where a step's job tells what it returned."""
    return f"$.steps.{step}"


def begin(saga: Saga, entry: str) -> State:
    """The first state: an execution goes on where another was left, or begins with its first step.

    Who starts it says that every path into `steps` exists, whichever steps are left out. If that is not known of this
    very machine (an older client, a console), they are made first.
    """
    said = {"Variable": "$.prepared"}
    is_prepared = [{**said, "IsPresent": True}, {**said, "StringEquals": mark(saga)}]
    choices = [{"Variable": "$.at", "IsPresent": True, "Next": GO_ON}, {"And": is_prepared, "Next": entry}]
    return {"Type": "Choice", "Choices": choices, "Default": PREPARE}


def go_on(names: Iterable[str]) -> State:
    """To the state that an earlier execution was left in."""
    choices = [{"Variable": "$.at", "StringEquals": name, "Next": name} for name in names]
    return {"Type": "Choice", "Choices": choices, "Default": ATTENTION}


def prepare(saga: Saga) -> State:
    """No step is over."""
    inputs = {f"{name}.$": f"$.{name}" for name in ("saga", "tenant", "args")}
    return {"Type": "Pass", "Parameters": {**inputs, **prepared(saga)}}


def prepared(saga: Saga) -> State:
    """What `prepare` makes. Who starts an execution with it saves the state."""
    return {"steps": {one.name: None for one in saga}, "prepared": mark(saga)}


def mark(saga: Saga) -> str:
    """A short name for the steps of a saga: another one for others."""
    return hashlib.sha256("\n".join(one.name for one in saga).encode()).hexdigest()[:16]


def do(saga: Saga, one: Step, queue_of: QueueOf, *, late: bool = False) -> State:
    """A step, whose job reports when it is over. `late`: its time is over, and it can't be given up."""
    is_retried = saga.is_retried(one)
    errand = {"returns": told(saga, one), **({"waits": True} if is_retried else {})}
    timeout = limits.SAGA_PATIENCE if late or one.timeout is None else one.timeout
    return {
        **_task(saga, one, Role.STEP, queue_of(one.job.lane), _job(one.job, one.args), errand),
        "TimeoutSeconds": _seconds(timeout),
        "Retry": service_faults(patient=is_retried),
        "ResultPath": result_path(one.name),
    }


def undo(saga: Saga, one: Step, queue_of: QueueOf) -> State:
    """The compensation of a step. A job that gave up says nothing: it is mended and redriven, and the saga goes on."""
    assert one.compensate is not None  # noqa: S101 - the caller asked
    job, args = one.compensate.job, one.compensate.args
    errand = {"waits": True, "undoes": one.job.kind, "done.$": result_path(one.name)}
    return {
        **_task(saga, one, Role.UNDO, queue_of(job.lane), _job(job, args), errand),
        **_PATIENT,
        "ResultPath": None,
    }


def close(saga: Saga, one: Step, queue_of: QueueOf) -> State:
    """Make sure that a step's job is over, and learn how it ended."""
    back = {"waits": True, "undoes": one.job.kind, "done.$": result_path(one.name)}
    errand = {"returns": told(saga, one), **back}
    return {
        **_task(saga, one, Role.CLOSE, queue_of(one.job.lane), {"kind": CLOSE_KIND, "args": {}}, errand),
        **_PATIENT,
        "ResultPath": "$.closed",
    }


def choose(condition: Condition, then: str, otherwise: str) -> State:
    """Whether a step runs."""
    rule: State = {"Variable": path_of(condition.reference), **_compared(condition)}
    choice = {"Not": rule, "Next": then} if condition.negated else {**rule, "Next": then}
    return {"Type": "Choice", "Choices": [choice], "Default": otherwise}


def ask(then: str, otherwise: str) -> State:
    """Whether a step that had been given up has succeeded after all."""
    rule = {"Variable": "$.closed.state", "StringEquals": "succeeded", "Next": then}
    return {"Type": "Choice", "Choices": [rule], "Default": otherwise}


def skip(sources: Iterable[str], then: str, otherwise: str) -> State:
    """Whether one of these steps told nothing, so that what would have come after it did not begin."""
    choices = [{"Variable": result_path(name), "IsNull": True, "Next": then} for name in sources]
    return {"Type": "Choice", "Choices": choices, "Default": otherwise}


def accept(one: Step) -> State:
    """Go on with a step that has succeeded after all."""
    return {"Type": "Pass", "InputPath": "$.closed.told", "ResultPath": result_path(one.name)}


def compensated() -> State:
    """The end of a saga that was undone."""
    kept = {f"{name}.$": f"$.{name}" for name in ("saga", "tenant", "failed")}
    return {"Type": "Pass", "Parameters": {"outcome": "compensated", **kept}, "End": True}


def attention() -> State:
    """The end of a saga that is neither whole nor undone."""
    cause = "a step or a compensation could not be brought to its end. Fix: mend it, then tidemill saga resume"
    return {"Type": "Fail", "Error": NEEDS_ATTENTION, "Cause": cause}


def catch(then: str, error: str = "States.ALL") -> list[State]:
    """Go to `then` on any error that can be caught."""
    return [{"ErrorEquals": [error], "Next": then, "ResultPath": FAILED}]


def told(saga: Saga, one: Step) -> list[str]:
    """Which fields of a step's result the rest of the saga refers to; nothing else travels."""
    found = [place.path[:1] for place in _places(saga) if place.step == one.name]
    return [EVERYTHING] if () in found else sorted({path[0] for path in found})


def service_faults(*, patient: bool) -> list[State]:
    """Retry what SQS or Step Functions failed of, with full jitter; what a job reports is its last word.

    Nobody but a job of ours reports STEP_FAILED, so that the other failures of a task are those of the send.
    """
    more = {"MaxAttempts": 50, "MaxDelaySeconds": _seconds(hours(1))}
    fewer = {"MaxAttempts": 6, "MaxDelaySeconds": _seconds(minutes(1))}
    fault = {"IntervalSeconds": 2, "BackoffRate": 2, "JitterStrategy": "FULL", **(more if patient else fewer)}
    return [{"ErrorEquals": [STEP_FAILED], "MaxAttempts": 0}, {"ErrorEquals": ["States.TaskFailed"], **fault}]


def _job(definition: AnyJob, args: Mapping[str, Any] | None) -> State:
    """What a message says of the job: an execution goes on as it began, and so it says of which version it is."""
    version = definition.args_type.contract_version
    said = {"kind": definition.kind, "args": _parameters(args or {})}
    return said if version == 1 else {**said, "version": version}


def _task(saga: Saga, one: Step, role: Role, queue: str, job: State, errand: Mapping[str, Any]) -> State:
    said = {"id.$": "$.saga", "name": saga.name, "step": one.name, "role": role.value, "token.$": "$$.Task.Token"}
    body = {**job, "tenant.$": "$.tenant", "saga": {**said, **errand}}
    return {"Type": "Task", "Resource": SEND_AND_WAIT, "Parameters": {"QueueUrl": queue, "MessageBody": body}}


def _parameters(args: Mapping[str, Any]) -> State:
    return {
        **{f"{name}.$": path_of(value) for name, value in args.items() if isinstance(value, Reference)},
        **{name: value for name, value in args.items() if not isinstance(value, Reference)},
    }


def _compared(condition: Condition) -> State:
    if condition.relation != "equals":
        return {"NumericGreaterThan" if condition.relation == "above" else "NumericLessThan": condition.value}
    word = {str: "StringEquals", bool: "BooleanEquals"}.get(type(condition.value), "NumericEquals")
    return {word: condition.value}


def _places(saga: Saga) -> list[Place]:
    found: list[Any] = []
    for one in saga:
        found += (one.args or {}).values()
        found += (one.compensate.args or {}).values() if one.compensate else ()
        found += [one.when.reference] if one.when else ()
    return [place_of(value) for value in found if isinstance(value, Reference)]


def _seconds(span: timedelta) -> int:
    return max(int(span / seconds(1)), 1)


_PATIENT: Final[State] = {"TimeoutSeconds": _seconds(limits.SAGA_PATIENCE), "Retry": service_faults(patient=True)}
