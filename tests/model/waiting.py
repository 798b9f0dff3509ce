"""The fifth model: a job that waits for an answer, while that is given, its time passes, and messages are under way.

The job's function asks once and returns what it was told. Each of its calls is a step of its own, so that an answer may
come before, between and after them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.builders import Greet, a_send_id, an_envelope
from tests.model.janitors import Tended, left_final, lost
from tests.model.known import Known
from tests.model.ledger import Ledger
from tests.model.machine import Bounds, shown
from tests.model.parts import ATTEMPTS, CLOCKS, KEY, LANE, REF, Message, Worker, World, begins, is_far, timeless
from tests.model.replay import Call, Done
from tests.model.search import Edge
from tests.model.services import TIMED_OUT, WAIT, gate
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.outcome import Returned
from tidemill.domain.waiting import Wait, awaited
from tidemill.service.answering import Answered
from tidemill.testing.waits import MemoryWaits

MODELLED = frozenset(
    {
        Verb.CLAIM,
        Verb.COMPLETE,
        Verb.WAIT,
        Verb.PARK,
        Verb.TELL,
        Verb.MOVE,
        Verb.SHELVE,
        Verb.REVIVE,
    }
)
LEFT_OUT = {
    Verb.CLOSE: "saga",
    Verb.RETRY: "settlement: an attempt that fails asks again in the next one",
    Verb.BURY: "settlement",
    Verb.EXPIRE: "lease",
    Verb.EXTEND: "lease",
    Verb.KILL: "lease",
    Verb.REPORT_DEAD: "settlement; taken within the big bounds",
    Verb.CANCEL: "lease; taken within the big bounds",
    Verb.ASK_CANCEL: "lease; taken within the big bounds",
    Verb.STOP: "lease; taken within the big bounds",
    Verb.RESCUE: "settlement",
    Verb.POSTPONE: "moving",
    Verb.REDRIVE: "redrive",
    Verb.RERUN: "redrive",
    Verb.REOPEN: "redrive",
    Verb.RESCHEDULE: "redrive",
}


class Facts(NamedTuple):
    """What is beside the record, and what the promises are held against.

    Attributes:
        wait: the item. `late`: its time is over.
        told: the answer that somebody was told is the job's. `used`: how the job's function went on, None before.
    """

    wait: Wait | None = None
    late: bool = False
    told: str | None = None
    used: str | None = None
    problem: str = ""

    @property
    def now_ms(self) -> int:
        return CLOCKS[2 if self.late else 0]


class Waiting(Tended):
    """From an accepted job that asks: somebody who answers, somebody who cancels, workers and sweep."""

    MAKERS = {  # noqa: RUF012 - read only
        Verb.REVIVE: "sweep",
        Verb.REPORT_DEAD: "census",
        Verb.CANCEL: "cancel",
        Verb.ASK_CANCEL: "cancel",
    }

    def starts(self) -> Iterator[tuple[str, World]]:
        envelope = _envelope()
        record: Job = timeless(envelope.record(LANE, State.QUEUED, 0))
        mine = (Message(1, self.book.of(envelope)),)
        left = tuple(self.bounds.most.values())
        yield "", World(left, self.book.of(record), messages=mine, clock=1, accepted=True, facts=Facts())

    def begin(self, world: World) -> Iterator[Edge]:
        yield from super().begin(world)
        spent = self.spend(world, "answers")
        if spent is not None and (not self._is_busy(world, "answers") or self.bounds.settings.get("at once")):
            for value in self.bounds.settings.get("values", (True,)):
                sends = self.bounds.settings.get("sends", False)
                number = 500 + world.clock if sends else 0
                process = self.process("answers", number, value, sends, world.facts.now_ms)
                yield from self.started(spent, f"somebody answers {value}", process)

    def cancel(self, world: World) -> Iterator[Edge]:
        spent = self.spend(world, "cancels")
        if spent is not None:
            yield from self.started(spent, "somebody cancels", self.process("cancels"))

    # --- time --------------------------------------------------------------------------------------

    def _time(self, world: World) -> Iterator[Edge]:
        facts: Facts = world.facts
        waits = _is_waiting(world.job)
        for edge in super()._time(world):
            is_due = waits and edge.after.ripe == 2
            yield edge._replace(after=edge.after._replace(facts=facts._replace(late=True))) if is_due else edge
        if facts.wait is not None and facts.wait.ends_at is not None and not facts.late and not waits:
            yield Edge("the time to answer is over", world._replace(facts=facts._replace(late=True)))

    # --- the job's function ------------------------------------------------------------------------

    def _end(self, world: World, index: int, worker: Worker) -> Iterator[Edge]:
        assert worker.job is not None
        if worker.process is None:
            stopped = self._memo(("gate", worker), lambda: _stopped(worker))
            if stopped is not None:
                yield from self._conclude(world, index, worker, stopped, "is stopped")
                return
            process = self.process("inquires", worker.job.value, world.facts.now_ms)
            ran = world._replace(ran=world.ran | {worker.job.value.generation})
            yield from self._go(ran, index, worker, process, "looks")
        elif isinstance(end := self.next_of(worker.process), Done):
            yield from self._conclude(_using(world, end.value), index, worker, end.value, type(end.value).__name__)
        else:
            yield from self._go(world, index, worker, worker.process, "goes on")

    def _conclude(self, world: World, index: int, worker: Worker, attempt: Any, how: str) -> Iterator[Edge]:
        assert worker.job is not None
        message = Message(worker.sent, worker.envelope)
        process = self.process("ends", message, worker.receives, worker.job.value, attempt)
        yield from self._go(world, index, worker, process, f"ends: {how}")

    def _go(self, world: World, index: int, worker: Worker, process: Known, how: str) -> Iterator[Edge]:
        label = f"job of m{worker.sent} {how}: {self.next_of(process).method}"  # type: ignore[union-attr]
        after, then, problem = self.call(world, process, worker.envelope.value)
        end = self.next_of(then)
        if then.value.service == "ends" and isinstance(end, Done):
            after = after.with_worker(index, worker._replace(job=None, process=None, settlement=end.value))
        else:
            after = after.with_worker(index, worker._replace(process=then))
        yield Edge(label, after, problem=problem)

    # --- the waits ---------------------------------------------------------------------------------

    def call(self, world: World, process: Known, envelope: Envelope | None) -> tuple[World, Known, str]:
        call = self.next_of(process)
        if not isinstance(call, Call) or call.port != "waits":
            return super().call(world, process, envelope)
        key = ("waits", process, world.record, world.facts.wait)
        record, wait, answer, taken, problem, anew = self._memo(key, lambda: self._on_waits(world, call))
        self.taken.update(taken)
        after = world._replace(record=record, facts=_written(world.facts, wait))
        if anew:
            after = shown(after._replace(ripe=0))
        return after, self._after(process, answer), problem

    def _on_waits(self, world: World, call: Call) -> tuple[Any, ...]:
        wait = world.facts.wait
        waits = {} if wait is None else {REF: {WAIT: wait}}
        store = Ledger(jobs={REF: world.job} if world.job else {}, waits=waits)
        answer = getattr(MemoryWaits(store), call.method)(*call.args, **call.named)
        job = timeless(store.jobs[REF])
        anew = not is_far(job.claimable_at) or begins(store.taken, world.job, job)
        record, problem = self.book.of(job), store.problem
        return record, store.waits.get(REF, {}).get(WAIT), answer, tuple(store.taken), problem, anew

    def finished(self, world: World, process: Known, value: Any) -> World:
        if not isinstance(value, Answered):
            return world
        assert value.wait.given is not None
        facts: Facts = world.facts
        problem = "two answers were taken" if facts.told not in (None, value.wait.given.value) else facts.problem
        return world._replace(facts=facts._replace(told=value.wait.given.value, problem=problem))

    # --- what is promised --------------------------------------------------------------------------

    def broken(self, world: World, edge: Edge) -> str:
        return edge.after.facts.problem or _slept_past(edge.after) or left_final(world, edge.after) or lost(edge.after)

    def at_rest(self, world: World) -> str:
        job = world.job
        return "" if job is not None and job.state.is_final else f"{job and job.state} for ever"

    def settled(self, world: World) -> bool:
        job = world.job
        is_over = job is not None and job.state.is_final
        return is_over and all(message.place in ("dlq", "gone") for message in world.messages)


def _stopped(worker: Worker) -> Any:
    """How the attempt ends before the job asks, None if it asks. The job remembers nothing that it could clean up."""
    assert worker.job is not None
    if worker.job.value.cancel_asked:
        return ATTEMPTS["stops"]
    return gate(Message(worker.sent, worker.envelope), worker.receives, worker.job.value)


def _written(facts: Facts, wait: Wait | None) -> Facts:
    was, problem = facts.wait, facts.problem
    if was is not None and not was.is_open and wait != was:
        problem = "what came of a wait was changed"
    if wait is not None and wait.given is not None and wait.timed_out_at is not None:
        problem = "answered and timed out"
    return facts._replace(wait=wait, problem=problem)


def _using(world: World, attempt: Any) -> World:
    """The job's function goes on with what it was told."""
    if not isinstance(attempt, Returned):
        return world
    facts, used = world.facts, str(attempt.result)
    problem = facts.problem
    if facts.used not in (None, used):
        problem = f"one attempt was told {facts.used}, a later one {used}"
    elif attempt == TIMED_OUT and facts.told is not None:
        problem = "a job whose answer was taken went on without it"
    elif attempt != TIMED_OUT and facts.told not in (None, used):
        problem = f"the job was told {used}, and somebody that it is {facts.told}"
    return world._replace(facts=facts._replace(used=used, problem=problem))


def _slept_past(world: World) -> str:
    """Whether the job waits for its timeout though its answer is there."""
    wait: Wait | None = world.facts.wait
    is_answered = wait is not None and wait.given is not None
    return "waits for its timeout, and its answer is there" if is_answered and _is_waiting(world.job) else ""


def _is_waiting(job: Job | None) -> bool:
    return (
        job is not None
        and job.state in (State.SCHEDULED, State.QUEUED)
        and bool(awaited(job))
        and is_far(job.claimable_at)
    )


def _envelope() -> Envelope:
    canonical = Greet(times=1).canonical()
    return an_envelope(ref=REF, key=KEY, args=canonical, send_id=a_send_id(1), correlation_id=REF.id)


NONE: tuple[str, ...] = ()
BOTH = {"values": (True, False)}
BOUNDS = (
    Bounds("answered", 1, {"answers": 1}, NONE, {}),
    Bounds("two answers", 1, {"answers": 2}, NONE, BOTH),
)
BIG = (
    Bounds("sent at once", 1, {"answers": 1}, NONE, {"sends": True}),
    Bounds("two at once", 1, {"answers": 2}, NONE, {"at once": True}),
    Bounds("cancelled", 1, {"answers": 1, "cancels": 1}, NONE, {}),
    Bounds("a death", 1, {"answers": 1, "deaths": 1}, NONE, {}),
    Bounds("a duplicate", 1, {"answers": 1, "duplicates": 1}, NONE, {}),
)
