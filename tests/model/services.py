"""The shipped services that a model runs, each as a function of its parameters and of what its ports answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from tests.builders import MINUTE, NOW, Greet, Telemetry
from tests.model.parts import ATTEMPTS, FAR, KEY, LANE, REF, RETRY, TENANT, Bits, Message
from tests.model.replay import Tape
from tests.schedules import schedules_of
from tidemill import JobRegistry, job, minutes
from tidemill.domain.answer_errors import WaitTimeoutError
from tidemill.domain.definition import OnCodeChange
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.interrupt import Awaiting
from tidemill.domain.job import Job
from tidemill.domain.memory import Memory
from tidemill.domain.outcome import Asked, Attempt, Returned
from tidemill.domain.waiting import Question
from tidemill.service.answering import Answerer, Reply
from tidemill.service.awaiting import Inquirer
from tidemill.service.batch import Batch
from tidemill.service.census import Census
from tidemill.service.claiming import Claimed
from tidemill.service.client import JobClient
from tidemill.service.editing import Editor
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.executor import Executor
from tidemill.service.janitor import Janitor
from tidemill.service.manner import Manner, Mode
from tidemill.service.notebook import Notebook
from tidemill.service.performing import Performer
from tidemill.service.reception import Enveloped
from tidemill.service.redriving import Redriving
from tidemill.service.resending import Resending
from tidemill.service.reviving import Reviver
from tidemill.service.submission import Submission
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.batches import MemoryBatches
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.store import MemoryStore
from tidemill.testing.waits import MemoryWaits

WAIT = "approval"
REGISTRY = JobRegistry(job(Greet, retry=RETRY, timeout=minutes(1), answers={WAIT: bool})(lambda args, ctx: None))
DEFINITION = REGISTRY.resolve(Greet.job_kind)
_LOOP = EventLoopThread()
RESTART = Manner(Mode.RESTART)
STEP = "a"
# A job that nobody answered decides without.
TIMED_OUT = Returned('"without"')


class Work(NamedTuple):
    """One run of a service: which, with which parameters, and what it was answered so far."""

    service: str
    params: tuple[Any, ...]
    seen: tuple[Any, ...] = ()

    def run(self, tape: Tape) -> Any:
        return SERVICES[self.service](tape, *self.params)


def received(message: Message, receives: int) -> Enveloped:
    return Enveloped(message.delivery(receives), message.envelope.value)


def gate(message: Message, receives: int, claimed: Job) -> Attempt | None:
    """How the attempt ends before the job's function is called, None if it is called."""
    executor = _executor(Tape(()), NOW)
    return _batch(executor, message, receives, NOW).performer._gate(
        Claimed(received(message, receives), claimed), DEFINITION
    )


def takes_step(memory: Memory | None, claimed: Job) -> tuple[int, Memory]:
    """The one step of the job's function: the generation that did it, and what is remembered afterwards.

    Raises:
        FenceLostError: a later attempt has opened the memory.
    """
    memories = MemoryOfJobs({REF: memory} if memory else {})
    notebook = Notebook(memories, MemoryPayloads(), FrozenClock(0), Telemetry(), claimed, OnCodeChange.CONTINUE, "", 0)
    found = notebook.recall(STEP)
    if found is None:
        notebook.record(STEP, None)
    return (found.generation if found else claimed.generation), memories.memories[REF]


def _claims(tape: Tape, message: Message, receives: int, now_ms: int) -> Any:
    """A worker asks for the job: the record that it holds then, or the settlement of its message."""
    executor = _executor(tape, now_ms)
    batch = _batch(executor, message, receives, now_ms)
    executor._claim_one_of_each(batch, [received(message, receives)], "request")
    (delivery,) = batch.deliveries
    claimed = batch.claimed.get(delivery.message_id)
    return claimed.job if claimed else batch.settlements[delivery.message_id]


def _ends(tape: Tape, message: Message, receives: int, claimed: Job, attempt: Attempt | str) -> Any:
    """A worker records how the attempt ended: the settlement of its message."""
    executor = _executor(tape, NOW)
    batch = _batch(executor, message, receives, NOW)
    (delivery,) = batch.deliveries
    batch.claimed[delivery.message_id] = Claimed(received(message, receives), claimed)
    batch.attempts[delivery.message_id] = ATTEMPTS[attempt] if isinstance(attempt, str) else attempt
    executor._record(batch)
    return batch.settlements[delivery.message_id]


def _sweeps(tape: Tape, number: int, now_ms: int) -> Any:
    return _janitor(tape, number, now_ms).sweep()


def _takes_census(tape: Tape, message: Message, record: Job | None, now_ms: int) -> Any:
    janitor = _janitor(tape, 0, now_ms)
    census = Census(
        REGISTRY,
        janitor.store,
        janitor.reader,
        janitor.dead_letters,
        (LANE,),
        janitor.clock,
        janitor.random,
        janitor.telemetry,
    )
    return census._treat(LANE, [(received(message, message.receives), record)], lambda: True)


def _submits(tape: Tape, number: int, times: int, delayed: bool) -> Any:  # noqa: FBT001 - a parameter of a run
    delay = minutes(20 if delayed else 0)
    (result,) = _submitter(tape, number).submit([Submission(Greet(times=times), key=KEY, tenant=TENANT, delay=delay)])
    return result


def _cancels(tape: Tape) -> Any:
    store, reader = tape.port("store"), tape.port("reader")
    client = _client(_submitter(tape, 0), store, reader, NOW)
    return _result(lambda: client.cancel(REF.id, TENANT))


def _client(submitter: Submitter, store: Any, reader: Any, now_ms: int) -> JobClient:
    nothing: Any = None
    rest: dict[str, Any] = {"batch_store": MemoryBatches(), "answerer": nothing, "schedules": schedules_of(submitter)}
    return JobClient(submitter, store, reader, FrozenClock(now_ms), **rest)


def _moves(tape: Tape, number: int, due_ms: int, now_ms: int) -> Any:
    store, reader = tape.port("store"), tape.port("reader")
    submitter = _submitter(tape, number)
    client = _client(submitter, store, reader, now_ms)
    to = datetime.fromtimestamp(max(due_ms, now_ms) / 1000, UTC)
    return _result(lambda: client.move(REF.id, to=to, tenant=TENANT))


def _redrives(tape: Tape, number: int, dead: Job, manner: Manner) -> Any:
    return _result(lambda: _redriving(tape, number).one(dead, manner))


def _edits(tape: Tape, number: int, dead: Job, times: int, manner: Manner) -> Any:
    redriving = _redriving(tape, number)
    envelope = redriving.reader.envelope_of(dead)
    canonical = Greet(times=times).canonical()
    edited = Editor(REGISTRY, MemoryPayloads()).edited(envelope, canonical)
    return _result(lambda: redriving.edited(dead, edited, manner))


def _inquires(tape: Tape, claimed: Job, now_ms: int) -> Attempt:
    """The job's function, which waits for one answer and then returns, caught or not: how its attempt ends."""
    clock = FrozenClock(now_ms)
    notebook = Notebook(MemoryOfJobs(), MemoryPayloads(), clock, Telemetry(), claimed, OnCodeChange.CONTINUE, "", 0)
    inquirer = Inquirer(tape.port("waits"), notebook, clock, claimed, DEFINITION.answers, in_order=False, keep_ms=0)
    try:
        answer = inquirer.answer(Question(WAIT, bool, FAR - NOW), None, _Unrecorded())
    except Awaiting as waiting:
        return Asked(waiting.name, waiting.until)
    except WaitTimeoutError:
        return TIMED_OUT
    return Returned("true" if answer else "false")


class _Unrecorded:
    """Steps that the models leave to that of the lease: the outcome of a wait is read again in each attempt."""

    def step(self, name: str, function: Callable[[], Any], returns: Any) -> Any:
        raise AssertionError(name)

    def remember(self, name: str, outcome: dict[str, Any]) -> Any:
        return outcome


class _Out:
    """A reader that AWS does not let read."""

    def envelope_of(self, job: Job) -> Any:
        raise UnavailableError("envelope_of", "Throttled")


def _answers(tape: Tape, number: int, value: bool, sends: bool, now_ms: int) -> Any:  # noqa: FBT001 - of a run
    """Somebody answers. With `sends` what that makes due is sent at once, else it is left to the sweep."""
    store, reader, queue = map(tape.port, ("store", "reader", "queue"))
    reading: Any = reader if sends else _Out()
    clock, random = FrozenClock(now_ms), Bits(number)
    answerer = Answerer(
        REGISTRY,
        reader,
        tape.port("waits"),
        lambda ref: None,
        MemoryTrail(),
        Reviver(store, reading, queue, clock, random),
        clock,
        random,
        lambda: "ada",
    )
    return _result(lambda: answerer.answer(Reply(REF, WAIT, value, "client", "ada")))


SERVICES: dict[str, Callable[..., Any]] = {
    "claims": _claims,
    "ends": _ends,
    "sweeps": _sweeps,
    "takes census": _takes_census,
    "submits": _submits,
    "cancels": _cancels,
    "moves": _moves,
    "redrives": _redrives,
    "edits": _edits,
    "inquires": _inquires,
    "answers": _answers,
}


def _executor(tape: Tape, now_ms: int) -> Executor:
    nothing: Any = None
    around = Surroundings(
        REGISTRY,
        tape.port("store"),
        tape.port("memory"),
        MemoryPayloads(),
        FrozenClock(now_ms),
        Telemetry(),
        lambda receipt, wait_s: None,
        _LOOP,
        order=MemoryOrder(),
        waits=MemoryWaits(MemoryStore()),
    )
    return Executor(around, tape.port("queue"), nothing, LANE, Bits(0), sleep=_never)


def _never(seconds: float) -> None:
    raise AssertionError("the table of the models always answers")


def _batch(executor: Executor, message: Message, receives: int, now_ms: int) -> Batch:
    return Batch([message.delivery(receives)], Performer(executor.around, now_ms + 15 * MINUTE))


def _janitor(tape: Tape, number: int, now_ms: int) -> Janitor:
    store, reader, queue, dlq = map(tape.port, ("store", "reader", "queue", "dlq"))
    return Janitor(REGISTRY, store, reader, queue, dlq, (LANE,), FrozenClock(now_ms), Bits(number), Telemetry())


def _submitter(tape: Tape, number: int) -> Submitter:
    store, reader, queue = map(tape.port, ("store", "reader", "queue"))
    ports: dict[str, Any] = {"order": MemoryOrder(), "payloads": MemoryPayloads()}
    return Submitter(REGISTRY, store, reader, queue, FrozenClock(NOW), Bits(number), **ports)


def _redriving(tape: Tape, number: int) -> Redriving:
    store, reader, queue, dlq = map(tape.port, ("store", "reader", "queue", "dlq"))
    resending = Resending(store, queue, FrozenClock(NOW), Bits(number))
    return Redriving(reader, dlq, MemoryPayloads(), resending, lambda ref: None)


def _result(run: Callable[[], Any]) -> Any:
    try:
        return run()
    except TidemillError as error:
        return error
