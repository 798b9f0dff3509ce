"""The first model: who may run a job and write for it, and what the job remembers.

The message is there as long as the job is not over, and any worker may get it at any time. Nothing is counted: leases
end as often as they like, workers die as often as they like, and a worker that lost its lease goes on as long as it
likes. Only the number of workers that are alive at a time is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tests.builders import NOW
from tests.model import attempts
from tests.model.known import Book, Known
from tests.model.ledger import Ledger, enabled
from tests.model.parts import ATTEMPTS, CLOCKS, FAR, LANE, OUTCOMES, REF, timeless
from tests.model.renumbering import frozen, renumbered
from tests.model.replay import Call, Done, follow
from tests.model.search import Edge
from tidemill.domain import limits
from tidemill.domain.errors import FenceLostError, JobStateError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.memory import EVERYTHING, Memory, Remembered, Wish
from tidemill.domain.outcome import Attempt
from tidemill.testing.memory import MemoryOfJobs

MODELLED = frozenset(
    {
        Verb.CLAIM,
        Verb.COMPLETE,
        Verb.RETRY,
        Verb.BURY,
        Verb.EXPIRE,
        Verb.EXTEND,
        Verb.ASK_CANCEL,
        Verb.STOP,
        Verb.KILL,
        Verb.CANCEL,
    }
)
LEFT_OUT = {
    Verb.CLOSE: "saga",
    **dict.fromkeys((Verb.WAIT, Verb.TELL), "waiting"),
    Verb.RESCUE: "settlement",
    Verb.PARK: "settlement: it is about where the message is; for the lease it is a retry",
    Verb.REVIVE: "settlement",
    Verb.REPORT_DEAD: "settlement",
    **dict.fromkeys((Verb.REDRIVE, Verb.RERUN, Verb.REOPEN, Verb.RESCHEDULE), "redrive"),
    Verb.MOVE: "moving",
    Verb.POSTPONE: "moving",
    Verb.SHELVE: "moving",
}
_STEPS = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Bounds:
    """Arguments:
    workers: alive at the same time, those that lost their lease included.
    steps: of the job. `outcomes`: how its function can end early.
    forgets: it is a second generation, which was opened to forget the steps of the first.
    expires: it must start before a certain time.
    """

    name: str
    workers: int = 2
    steps: int = 1
    outcomes: tuple[str, ...] = ("fails", "fails for good")
    hands_over: bool = False
    forgets: bool = False
    expires: bool = False
    cancels: bool = False
    loses_answers: bool = False


class Worker(NamedTuple):
    """Who claims (`job` unknown to it), has claimed, runs (`at`: steps done), or has its attempt's `end`."""

    name: int
    job: Known | None = None
    at: int = -1
    opened: Known | None = None
    process: Known | None = None
    end: Any = None


class World(NamedTuple):
    """Everything at one moment.

    Attributes:
        ripe: what the record waits for is past. `late`: so is the job's expiry.
        opener: the highest fence that opened the memory. `crashes`: claims over a lease that had ended.
    """

    record: Known
    memory: Known | None = None
    ripe: bool = False
    late: bool = False
    workers: tuple[Worker, ...] = ()
    opener: int = 0
    crashes: int = 0

    @property
    def job(self) -> Job:
        job: Job = self.record.value
        return job

    def with_worker(self, old: Worker | None, new: Worker | None) -> World:
        others = [worker for worker in self.workers if worker is not old]
        return self._replace(workers=(*others, *([new] if new else [])))

    def who(self, worker: Worker) -> str:
        if worker.job is None:
            return "the worker that does not know whether it holds the job"
        holds = self.job.state is State.RUNNING and worker.job.value.fence == self.job.fence
        return "the holder" if holds else f"a worker that lost its fence ({worker.job.value.fence})"


class Run(NamedTuple):
    """One call of the job's function into its lifeline."""

    what: str
    job: Job
    opened: Memory | None
    name: str
    asked: tuple[str, ...]
    seen: tuple[Any, ...] = ()


class Lease:
    """See the module."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.book = Book()
        self.taken: set[tuple[Verb, State]] = set()
        self.steps = _STEPS[: bounds.steps]
        self.envelope = attempts.envelope_of(generation=2 if bounds.forgets else 1, expires=bounds.expires)
        self._memo: dict[Any, Any] = {}

    def starts(self) -> Iterator[tuple[str, World]]:
        record = timeless(self.envelope.record(LANE, State.QUEUED, 0))
        if not self.bounds.forgets:
            yield "", self._numbered(World(self.book.of(record)))
            return
        old = {"a": Remembered("a", 1, None, 0, 1)}
        memory = frozen(Memory(fence=1, steps=old, wish=Wish(2, EVERYTHING)))
        waiting = replace(record, fence=1, concluded=1)
        yield "", self._numbered(World(self.book.of(waiting), self.book.of(memory), opener=1))

    def edges(self, world: World) -> Iterator[Edge]:
        for edge in self._edges(world):
            yield edge._replace(after=self._numbered(edge.after))

    def _edges(self, world: World) -> Iterator[Edge]:
        job = world.job
        if job.claimable_at == FAR and not world.ripe:
            is_held = any(worker.job and worker.job.value.fence == job.fence for worker in world.workers)
            what = "the lease ends" if job.state is State.RUNNING else "the wait is over"
            yield Edge(what, world._replace(ripe=True), fault=is_held and job.state is State.RUNNING)
        if self.bounds.expires and not world.late:
            yield Edge("the job's time is over", world._replace(late=True))
        if len(world.workers) < self.bounds.workers and Verb.CLAIM in enabled(job.state):
            name = min({0, 1, 2, 3} - {worker.name for worker in world.workers})
            yield from self._claim(world, None, Worker(name))
        for worker in world.workers:
            yield Edge(f"{world.who(worker)} dies", world.with_worker(worker, None), fault=True)
            yield from self._work(world, worker)
        if self.bounds.cancels:
            yield from self._operate(world)

    # --- operators ---------------------------------------------------------------------------------

    def _operate(self, world: World) -> Iterator[Edge]:
        verbs = enabled(world.job.state)
        for verb, end in ((Verb.CANCEL, "cancel"), (Verb.ASK_CANCEL, "cancel"), (Verb.KILL, "kill")):
            if verb in verbs:
                after, _, problem = self._on_store(world, (end,), lambda store, end=end: _ended(store, end))
                if after is not world:
                    yield Edge(f"an operator asks to {end} it", after, problem=problem)

    # --- workers -----------------------------------------------------------------------------------

    def _claim(self, world: World, old: Worker | None, worker: Worker) -> Iterator[Edge]:
        now_ms = CLOCKS[2] if world.ripe else NOW
        after, claimed, problem = self._on_store(
            world,
            ("claim", worker.name, world.ripe),
            lambda store: attempts.claim(store, self.envelope, worker.name, now_ms),
        )
        label = f"a worker claims{' again' if old else ''}"
        if claimed is None:
            if old is not None:
                yield Edge(label, world.with_worker(old, None), problem=problem)
            return
        if old is None and self.bounds.loses_answers:
            yield Edge(f"{label}, and the answer is lost", after.with_worker(None, worker), True, problem)
        yield Edge(label, after.with_worker(old, worker._replace(job=self._known(claimed), at=-1)), False, problem)

    def _work(self, world: World, worker: Worker) -> Iterator[Edge]:
        if worker.job is None:
            yield from self._claim(world, worker, worker)
        elif worker.end is not None:
            yield from self._end(world, worker, worker.end, "records its end")
        elif worker.process is not None:
            yield from self._go_on(world, worker)
        elif worker.at < 0:
            now_ms = attempts.EXPIRY + 1 if world.late else NOW
            stopped = attempts.gate(
                worker.job.value, world.memory.value if world.memory else None, self.envelope, now_ms
            )
            yield Edge(
                f"{world.who(worker)} meets the gate", world.with_worker(worker, worker._replace(at=0, end=stopped))
            )
        else:
            yield from self._run(world, worker)

    def _run(self, world: World, worker: Worker) -> Iterator[Edge]:
        if worker.at == len(self.steps):
            for name in OUTCOMES[Verb.COMPLETE]:
                yield from self._end(world, worker, ATTEMPTS[name], name)
            return
        yield from self._call(world, worker, "step", self.steps[worker.at])
        yield from self._call(world, worker, "beat", "")
        if self.bounds.hands_over:
            yield from self._call(world, worker, "hand over", str(worker.at))
        for verb in sorted(enabled(State.RUNNING)):
            for name in OUTCOMES.get(verb, ()):
                if name in self.bounds.outcomes:
                    yield from self._end(world, worker, ATTEMPTS[name], name)

    def _end(self, world: World, worker: Worker, attempt: Attempt, name: str) -> Iterator[Edge]:
        assert worker.job is not None
        ended = attempts.conclusion_of(worker.job.value, attempt, self.envelope)
        after, _, problem = self._on_store(world, ("end", worker.job, attempt), lambda store: store.conclude([ended]))
        yield Edge(f"{world.who(worker)} {name}", after.with_worker(worker, None), problem=problem)

    def _call(self, world: World, worker: Worker, what: str, name: str) -> Iterator[Edge]:
        assert worker.job is not None
        opened = worker.opened.value if worker.opened else None
        process = self.book.of(Run(what, worker.job.value, opened, name, self.steps[: worker.at]))
        yield from self._go_on(world, worker._replace(process=process), worker)

    def _go_on(self, world: World, worker: Worker, old: Worker | None = None) -> Iterator[Edge]:
        assert worker.process is not None
        run: Run = worker.process.value
        call = self._next(worker.process)
        label = f"{world.who(worker)}: {run.what} {run.name}"
        if isinstance(call, Done):
            # Nothing had to be asked: the step is in the memory as it was opened.
            yield Edge(label, world.with_worker(old or worker, self._ended(worker, call)))
            return
        after, answer, problem = self._answer(world, worker, call)
        then = worker._replace(process=self.book.of(run._replace(seen=(*run.seen, answer))))
        end = self._next(then.process)
        if isinstance(end, Done):
            then = self._ended(then, end)
        yield Edge(f"{label}: {call.port}.{call.method}", after.with_worker(old or worker, then), problem=problem)

    def _ended(self, worker: Worker, done: Done) -> Worker:
        assert worker.process is not None
        ended, job, opened = done.value
        run: Run = worker.process.value
        at = worker.at + 1 if run.what == "step" and ended is None else worker.at
        known = None if opened is None else self.book.of(frozen(opened))
        return worker._replace(job=self._known(job), opened=known, at=at, end=ended, process=None)

    def _next(self, process: Known | None) -> Call | Done:
        assert process is not None
        found = self._memo.get(("next", process))
        if found is None:
            run: Run = process.value
            service = attempts.RUNS[run.what]
            found = follow(
                lambda tape: service(tape, run.job, run.opened, self.envelope, run.name, run.asked), run.seen
            )
            self._memo["next", process] = found
        return found  # type: ignore[no-any-return]

    # --- ports -------------------------------------------------------------------------------------

    def _answer(self, world: World, worker: Worker, call: Call) -> tuple[World, Any, str]:
        assert worker.job is not None
        match call.port:
            case "effect":
                return world, None, self._wrong_effect(world, worker.job.value, call.args[0])
            case "store":
                asked = (worker.process, call.method)
                return self._on_store(world, asked, lambda store: getattr(store, call.method)(*call.args))
            case _:
                return self._on_memory(world, worker.job.value, call)

    def _on_store(self, world: World, asked: Any, run: Any) -> tuple[World, Any, str]:
        key = ("store", world.record, *asked)
        if key not in self._memo:
            store = Ledger(jobs={REF: world.job})
            answer = timeless(run(store))
            self._memo[key] = (self._known(store.jobs[REF]), answer, tuple(store.taken), store.problem)
        record, answer, taken, problem = self._memo[key]
        self.taken.update(taken)
        if record is world.record and not any(verb is Verb.EXTEND for verb, _ in taken):
            return world, answer, problem
        crashes = world.crashes + sum(entry == (Verb.CLAIM, State.RUNNING) for entry in taken)
        kept = any(verb is Verb.ASK_CANCEL for verb, _ in taken)
        return world._replace(record=record, ripe=world.ripe and kept, crashes=crashes), answer, problem

    def _on_memory(self, world: World, job: Job, call: Call) -> tuple[World, Any, str]:
        was: Memory = world.memory.value if world.memory else Memory()
        memories = MemoryOfJobs({REF: was} if world.memory else {})
        args = call.args
        if call.method == "look":
            return world, world.memory.value if world.memory else None, ""
        if call.method == "remember":
            args = (args[0], replace(args[1], at=0), *args[2:])
        try:
            answer = getattr(memories, call.method)(*args)
        except FenceLostError as error:
            return world, error, ""
        now = frozen(memories.memories[REF])
        after = world._replace(memory=self.book.of(now))
        if call.method == "open":
            older = "an older attempt opened the memory of a later one" if job.fence < world.opener else ""
            return after._replace(opener=max(world.opener, job.fence)), frozen(answer), older
        if job.fence != world.opener:
            return after, answer, "an attempt wrote after a later one had opened the memory"
        if call.method == "remember" and args[1].name in was.steps:
            return after, answer, "a step was recorded twice"
        return after, answer, ""

    # --- what is promised --------------------------------------------------------------------------

    def _wrong_effect(self, world: World, job: Job, name: str) -> str:
        memory: Memory = world.memory.value if world.memory else Memory()
        if job.crashes >= limits.MAX_CRASHES:
            return "a poisonous job runs"
        if job.cancel_asked:
            return "a job that knows that it is to stop goes on"
        if name in memory.steps and job.fence == world.job.fence:
            return "a step that is remembered was done again by the holder"
        if self.bounds.forgets and memory.forgot < job.generation:
            return "a step was done before the old ones were forgotten"
        return ""

    def broken(self, world: World, edge: Edge) -> str:
        was, now, after = world.job, edge.after.job, edge.after
        if was.state.is_final and now is not was:
            return f"{was.state} became {now.state} in its generation"
        if was.cancel_asked and not (now.cancel_asked or now.state.is_final):
            return "a request to cancel was forgotten"
        if not now.state.is_final and now.crashes != after.crashes:
            return f"{now.crashes} crashes counted of {after.crashes}"
        if now.state is State.SUCCEEDED and not was.state.is_final:
            return self._wrong_success(after)
        return ""

    def _wrong_success(self, world: World) -> str:
        memory: Memory = world.memory.value if world.memory else Memory()
        return "" if set(self.steps) <= set(memory.steps) else "succeeded without all its steps in memory"

    def at_rest(self, world: World) -> str:
        return "" if world.job.state.is_final else f"{world.job.state} for ever"

    def settled(self, world: World) -> bool:
        return world.job.state.is_final

    # --- the same state under the same name --------------------------------------------------------

    def _known(self, job: Job) -> Known:
        return self.book.of(timeless(job))

    def _numbered(self, world: World) -> World:
        """The world with its fences counted from the last conclusion, because only their order matters."""
        return renumbered(self.book, self._memo, world)


def _ended(store: Any, end: str) -> None:
    try:
        getattr(attempts.client(store), end)(*attempts.tenant_and_id())
    except JobStateError:
        return


ENDS = ("fails", "fails for good")
BOUNDS = (
    Bounds("two workers, two steps", 2, 2, ("fails",), hands_over=True),
    Bounds("cancels", 2, 1, ("fails",), cancels=True),
    Bounds("lost answers", 2, 1, ("fails",), loses_answers=True),
    Bounds("forgetting", 2, 2, ("fails",), forgets=True),
    Bounds("expiry", 2, 1, ("fails",), expires=True),
)
BIG = (
    Bounds("all at once", 2, 2, ENDS, hands_over=True, cancels=True, loses_answers=True, expires=True),
    Bounds("three workers", 3, 2, ENDS, cancels=True),
    Bounds("forgetting and hand-over", 2, 2, ENDS, hands_over=True, forgets=True),
)
