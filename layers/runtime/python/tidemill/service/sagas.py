"""Sagas for those who start them and look after them: start, look, cancel, resume.

A saga is an execution of its state machine and the jobs of its steps. Nothing else is stored: the ids of the jobs
follow from the saga's id, so that whoever runs the machine again meets the same jobs, and those that are over answer
at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.duration import days, milliseconds
from tidemill.domain.errors import InputError, KeyConflictError
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.names import check_job_id, check_key, check_tenant
from tidemill.domain.ports import Clock, Execution, Executions, ExecutionStatus, HistoryEvent, JobReader
from tidemill.domain.registry import JobRegistry
from tidemill.domain.saga.machine import places_of
from tidemill.domain.saga.resuming import going_on
from tidemill.domain.saga.room import room_for_args
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.states import prepared
from tidemill.domain.saga_errors import SagaNotFoundError, SagaStateError
from tidemill.domain.saga_state import Part, SagaState, is_cancelled, is_needed, needs, parts_of, state_of
from tidemill.service.deadletters import DeadLetterDesk
from tidemill.service.saga_cancelling import SagaCanceller
from tidemill.service.submission import DEFAULT_TENANT

# How often one saga can be run again. Each is looked for when the saga is looked at.
_GENERATIONS: Final = 20
# A step whose record is gone would be done again: so long after its start all records of a saga are still there.
_HORIZON: Final = limits.STATE_HORIZON - days(1)


@dataclass(frozen=True, slots=True)
class SagaReceipt:
    """What the starter of a saga gets back. `created`: whether this call started it, or met the one of its key."""

    name: str
    saga_id: str
    tenant: str
    created: bool


@dataclass(frozen=True, slots=True)
class SagaView:
    """A saga as it stands.

    Attributes:
        generation: how often its machine was run. `parts`: its jobs, those that never came too.
        cancelled: somebody cancelled it. `reason`: why the execution ended, or turned back.
    """

    name: str
    saga_id: str
    tenant: str
    state: SagaState
    generation: int
    execution: Execution
    parts: tuple[Part, ...]
    cancelled: bool = False
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SagaDesk:
    """Starts sagas and looks after them.

    Arguments:
        desk: lets dead jobs run again.
    """

    registry: JobRegistry
    executions: Executions
    reader: JobReader
    canceller: SagaCanceller
    desk: DeadLetterDesk
    clock: Clock
    random: Random

    def acting_as(self, actor: str) -> SagaDesk:
        """The same desk, whose resumes are `actor`'s in the audit trail."""
        return replace(self, desk=self.desk.acting_as(actor))

    def start(
        self,
        saga: Saga | str,
        args: JobArgs | Mapping[str, Any],
        *,
        key: str | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> SagaReceipt:
        """Start a saga. Once this returns, it is carried to its end or undone.

        Arguments:
            saga: it, or its name. `args`: an instance of its model, or what the model accepts as JSON.
            key: idempotency key, at most 96 characters: one saga per tenant, name and key, for 90 days after its end.

        Raises:
            InputError: a field is bad, or the arguments are larger than 65,536 bytes (less with branches); nothing was
                started.
            KeyConflictError: the key's saga has other arguments.
            UnavailableError: AWS did not answer; the same call with the same key is safe.
        """
        declared = self.registry.saga(saga if isinstance(saga, str) else saga.name)
        document = _document(declared, args)
        check_tenant(tenant)
        if key is None:
            saga_id = time_ordered_id(self.clock.now_ms(), self.random.getrandbits(74))
        else:
            # No kind begins so.
            saga_id = keyed_job_id(tenant, f"saga {declared.name}", check_key(key))
        name = execution_name(saga_id, 1)
        given = {"saga": saga_id, "tenant": tenant, "args": document, **prepared(declared)}
        first = self.executions.look(declared.name, name) if key is not None else None
        if first is None and self.executions.start(declared.name, name, given):
            return SagaReceipt(declared.name, saga_id, tenant, created=True)
        first = first or self.executions.look(declared.name, name)
        if first is not None and first.given.get("args") != document:
            raise KeyConflictError(key or saga_id, saga_id)
        return SagaReceipt(declared.name, saga_id, tenant, created=False)

    def get(self, name: str, saga_id: str, tenant: str = DEFAULT_TENANT) -> SagaView:
        """The saga as it stands.

        Raises:
            InputError: the name, the id or the tenant can't be one.
            SagaNotFoundError: the tenant has no such saga, or it ended 90 days ago.
            UnavailableError: AWS did not answer.
        """
        saga = self.registry.saga(name)
        latest, generation = self._latest(saga, saga_id, tenant)
        parts = parts_of(saga, saga_id, tenant)
        found = self.reader.find([part.ref for part in parts])
        parts = [replace(part, job=job) for part, job in zip(parts, found, strict=True)]
        if latest.status is ExecutionStatus.RUNNING:
            parts = self._with_refused(saga, parts)
        return SagaView(
            saga.name,
            saga_id,
            tenant,
            state_of(saga, latest, parts),
            generation,
            latest,
            tuple(parts),
            is_cancelled(saga, parts),
            latest.error or _turned_back(latest),
        )

    def history(self, name: str, saga_id: str, tenant: str = DEFAULT_TENANT) -> list[HistoryEvent]:
        """What happened in its machine, oldest first.

        Raises:
            InputError, SagaNotFoundError, UnavailableError: as `get`.
        """
        saga = self.registry.saga(name)
        _, generation = self._latest(saga, saga_id, tenant)
        names = [execution_name(saga_id, number) for number in range(1, generation + 1)]
        return [event for one in names for event in self.executions.history(saga.name, one)]

    def cancel(self, name: str, saga_id: str, tenant: str = DEFAULT_TENANT) -> SagaView:
        """Undo a saga that has not begun its pivot, or without one its last step. Cancelling twice changes nothing.

        What runs is asked to stop; what was done is undone. One conditional write decides between this and the pivot.

        Raises:
            SagaStateError: it is past that point, or over.
            InputError, SagaNotFoundError, UnavailableError: as `get`; after the last the call may be repeated.
        """
        view = self.get(name, saga_id, tenant)
        has_ended = view.execution.status is not ExecutionStatus.RUNNING
        if view.state is SagaState.COMPENSATED or (view.cancelled and not has_ended):
            return view
        if view.state is SagaState.SUCCEEDED:
            raise SagaStateError("cancelled", saga_id, view.state, "nothing is left to cancel")
        self.canceller.cancel(self.registry.saga(name), saga_id, tenant)
        after = self.get(name, saga_id, tenant)
        # An execution that was ended from outside undoes nothing: another one turns back where it was left.
        return self.resume(name, saga_id, tenant) if has_ended and not after.state.is_final else after

    def resume(self, name: str, saga_id: str, tenant: str = DEFAULT_TENANT) -> SagaView:
        """Let a saga that needs attention go on: its dead jobs are redriven, an ended execution runs again.

        What was done before is not done again: jobs that are over answer at once.

        Raises:
            SagaStateError: it needs no attention, or it began more than 18 days ago and its execution has ended.
            InputError, SagaNotFoundError, UnavailableError: as `get`; after the last the call may be repeated.
        """
        view = self.get(name, saga_id, tenant)
        if view.state is not SagaState.NEEDS_ATTENTION:
            raise SagaStateError("resumed", saga_id, view.state, "it goes on by itself")
        dead = [part.job.ref for part in needs(self.registry.saga(name), list(view.parts)) if part.job is not None]
        with self.desk.audit.action("resume", tenant, {"saga": name, "id": saga_id}, jobs=dead) as tally:
            for ref in dead:
                self.desk.redrive(ref)
                tally.add("redriven", ref)
            if view.execution.status is not ExecutionStatus.RUNNING:
                self._run_again(view)
                tally.add("started")
        return self.get(name, saga_id, tenant)

    # --- inside -----------------------------------------------------------------------------------

    def _latest(self, saga: Saga, saga_id: str, tenant: str) -> tuple[Execution, int]:
        check_job_id(saga_id, "id")
        check_tenant(tenant)
        found: Execution | None = None
        for generation in range(1, _GENERATIONS + 1):
            execution = self.executions.look(saga.name, execution_name(saga_id, generation))
            if execution is None or execution.given.get("tenant") != tenant:
                break
            found = execution
            if execution.status in (ExecutionStatus.RUNNING, ExecutionStatus.SUCCEEDED):
                return found, generation
        else:
            generation = _GENERATIONS + 1
        if found is None:
            raise SagaNotFoundError(tenant, saga.name, saga_id)
        return found, generation - 1

    def _with_refused(self, saga: Saga, parts: list[Part]) -> list[Part]:
        """The parts; where a message could not become a job that the saga can't do without, the record of that."""
        places = [place for place, part in enumerate(parts) if part.job is None and is_needed(saga, part)]
        refs = self.canceller.errands.refused([parts[place].ref for place in places])
        asked = [(place, ref) for place, ref in zip(places, refs, strict=True) if ref is not None]
        records = self.reader.find([ref for _, ref in asked]) if asked else []
        for (place, _), record in zip(asked, records, strict=True):
            parts[place] = replace(parts[place], job=record)
        return parts

    def _run_again(self, view: SagaView) -> None:
        first = self.executions.look(view.name, execution_name(view.saga_id, 1)) or view.execution
        if self.clock.now_ms() - first.started_at > milliseconds(_HORIZON) or view.generation >= _GENERATIONS:
            fix = "it is too old to be run again; see its steps, and undo or finish by hand what is left"
            raise SagaStateError("resumed", view.saga_id, view.state, fix)
        saga = self.registry.saga(view.name)
        given, left = view.execution.given, self.executions.left(view.name, view.execution.name, places_of(saga))
        if left is not None:
            given = going_on(saga, left.state, left.data, is_cancelled=view.cancelled)
        self.executions.start(view.name, execution_name(view.saga_id, view.generation + 1), given)


def execution_name(saga_id: str, generation: int) -> str:
    """What Step Functions knows one run of a saga by. A name that was used is blocked for 90 days after its end."""
    return f"{saga_id}-g{generation}"


def _document(saga: Saga, args: object) -> Any:
    """The arguments as JSON.

    Raises:
        InputError: they are of another saga, don't fit, or are too large.
    """
    if isinstance(args, Mapping):
        args = saga.args.from_input(dict(args))
    if not isinstance(args, saga.args):
        raise InputError.at("args", f"must be {saga.args.__name__} or a JSON object, not {type(args).__name__}", "type")
    canonical = args.canonical()
    if len(canonical) > (most := room_for_args(saga)):
        problem = f"are {len(canonical)} bytes, the limit of this saga is {most}. Fix: pass a reference"
        raise InputError.at("args", problem, "too_large")
    return json.loads(canonical)


def _turned_back(execution: Execution) -> str | None:
    """Why an execution that ended well undid everything."""
    failed = execution.output.get("failed") if isinstance(execution.output, dict) else None
    return str(failed.get("Cause") or failed.get("Error")) if isinstance(failed, dict) else None
