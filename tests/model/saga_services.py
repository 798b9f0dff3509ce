"""The shipped services of the saga model, each as a function of the answers that its ports give."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.builders import NOW, Telemetry
from tests.model.parts import FAR, LANE, TENANT, Bits
from tests.model.replay import Tape
from tidemill import JobArgs, JobRegistry, Retry, job, minutes
from tidemill.domain.errand import Errand
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Returned, Untouched
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.words import Role
from tidemill.domain.saga_errors import SagaStateError
from tidemill.sagas import step
from tidemill.service.closer import StepCloser
from tidemill.service.errands import Errands
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.intake import Intake
from tidemill.service.saga_cancelling import SagaCanceller
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.testing.clock import FrozenClock
from tidemill.testing.inline import InlineInterrupter
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.store import MemoryStore
from tidemill.testing.waits import MemoryWaits

SAGA_ID = "0196f000-0000-7000-8000-000000000001"
NAME, STEP = "model.saga", "one"
ERRAND = Errand(SAGA_ID, NAME, STEP)
REF = JobRef(TENANT, ERRAND.job_id())
UNDO = replace(ERRAND, role=Role.UNDO, waits=True, undoes="model.step")
# Longer than any lease: every claim is made at the beginning of one, and ends before the next.
EPOCH = 60 * 60_000


class Step(JobArgs, kind="model.step"):
    """No arguments."""


class UndoStep(JobArgs, kind="model.undo"):
    """No arguments."""


# --- the shipped services -------------------------------------------------------------------------


class Nothing(JobArgs):
    """No arguments."""


# Of the service that runs now: a registry is made once, and its job's function asks the model what happens.
_TAPE: list[Tape] = []
_DONE = job(Step, retry=Retry(max_attempts=1), timeout=minutes(1))(lambda args, ctx: _TAPE[-1].port("job").runs())
_UNDO = job(UndoStep, retry=Retry(max_attempts=25))(lambda args, ctx: None)
_REGISTRY = JobRegistry(
    _DONE, _UNDO, sagas=[Saga(NAME, Nothing, steps=[step(STEP, _DONE, compensate=_UNDO, timeout=minutes(5))])]
)


def _errands(tape: Tape, now_ms: int) -> Errands:
    tokens, reports = tape.port("tokens"), tape.port("reports")
    return Errands(tape.port("reader"), MemoryPayloads(), tokens, reports, FrozenClock(now_ms))


def _intake(tape: Tape, registry: JobRegistry, now_ms: int) -> Intake:
    clock, store, reader = FrozenClock(now_ms), tape.port("store"), tape.port("reader")
    ports: dict[str, Any] = {"order": MemoryOrder(), "payloads": MemoryPayloads()}
    submitter = Submitter(registry, store, reader, tape.port("queue"), clock, Bits(1), **ports)
    return Intake(registry, submitter, store, reader, LANE, clock, Telemetry(), _errands(tape, now_ms))


def meet_plain(tape: Tape, met: Any, now_ms: int) -> bool:
    """The plain message; whether it may go."""
    document = {"kind": Step.job_kind, "args": {}, "tenant": TENANT, "saga": {**ERRAND.document(), "token": "t"}}
    executor = _executor(tape, now_ms)
    delivery = Delivery("plain", "r", json.dumps(document), NOW, 1)
    batch = executor.begin([delivery], "w", now_ms + 60_000)
    return not executor.finish(batch)


def meet_message(tape: Tape, met: Any, now_ms: int) -> bool:
    """The message that carries the job; whether it may go."""
    envelope, redrives = met
    executor = _executor(tape, now_ms)
    delivery = Delivery("sent", "r", envelope.encode(), NOW + redrives, 1)
    batch = executor.begin([delivery], "w", now_ms + 15 * 60_000)
    batch.perform("sent")
    return not executor.finish(batch)


def undo(tape: Tape, met: Any, now_ms: int) -> str:
    """The gate of the compensation, and the compensation."""
    closer = StepCloser(tape.port("store"), _errands(tape, now_ms), FrozenClock(now_ms))
    undoing = Job(JobRef(TENANT, UNDO.job_id()), "model.undo", LANE, State.RUNNING, "0" * 32, NOW, FAR, 0)
    end = closer.gate(undoing, UNDO)
    if isinstance(end, Untouched):
        return "waits"
    assert end is None or isinstance(end, Returned) or end.step == STEP
    return "undone"


def cancel(tape: Tape, met: Any, now_ms: int) -> str:
    """Somebody cancels the saga, whose only step is the point of no return."""
    canceller = SagaCanceller(tape.port("store"), _errands(tape, now_ms), FrozenClock(now_ms))
    try:
        canceller.cancel(_REGISTRY.saga(NAME), SAGA_ID, TENANT)
    except SagaStateError:
        return "refused"
    return "cancelled"


SERVICES = {"intake": meet_plain, "worker": meet_message, "undo": undo, "cancel": cancel}
_LOOP = EventLoopThread()


class _Quiet:
    """Visibilities and deletes: the model says itself where a message is."""

    def __init__(self, tape: Tape) -> None:
        self.send = tape.port("queue").send

    def hide(self, *args: Any) -> None:
        pass

    delete = hide


def _executor(tape: Tape, now_ms: int) -> Executor:
    registry, clock = _REGISTRY, FrozenClock(now_ms)
    _TAPE[:] = [tape]
    around = Surroundings(
        registry,
        tape.port("store"),
        MemoryOfJobs(),
        MemoryPayloads(),
        clock,
        Telemetry(),
        lambda receipt, wait_s: None,
        _LOOP,
        interrupter=InlineInterrupter,
        order=MemoryOrder(),
        waits=MemoryWaits(MemoryStore()),
        errands=_errands(tape, now_ms),
    )
    queue: Any = _Quiet(tape)
    return Executor(around, queue, _intake(tape, registry, now_ms), LANE, Bits(0), sleep=lambda _: None)
