"""One job, its messages, and whoever touches them, as a machine that runs the shipped services call by call.

What may happen next to the record is read off the lifecycle table: for every verb that may leave the record's state
the model names who makes that move. Every call of a port is a step of its own, and whoever makes it may die before
the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.model.known import Book, Known, by_number
from tests.model.ledger import Ledger, enabled
from tests.model.parts import OUTCOMES, REF, Message, Worker, World, begins, is_far, timeless
from tests.model.renumbering import frozen
from tests.model.replay import Call, Done, follow
from tests.model.search import Edge
from tests.model.services import Work, gate
from tidemill.domain import limits
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.outcome import Untouched
from tidemill.domain.ports import Send
from tidemill.domain.settle import Ack, Hold


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may happen. What is not bounded here happens as often as it likes.

    Arguments:
        workers: at the same time.
        most: how often each of these may happen; faults among them: `deaths` (of anybody between two calls),
            `slow` (a lease or a visibility ends though the worker lives), `duplicates` (a message that was
            deleted, or that somebody has, is delivered once more).
        outcomes: how a job may end.
        settings: of this model alone.
    """

    name: str
    workers: int
    most: Mapping[str, int]
    outcomes: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Stored:
    """What a call of the table came to."""

    record: Known | None
    kept: tuple[Known, ...]
    memory: Known | None
    answer: Any
    verbs: tuple[tuple[Verb, State], ...]
    problem: str
    begins: bool


class Machine:
    """What every model of messages has in common; `MAKERS` names who makes which move."""

    # Verb -> the method that lets somebody begin to make it; workers make theirs as they go.
    MAKERS: ClassVar[Mapping[Verb, str]] = {}

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.names = tuple(bounds.most)
        self.book = Book()
        self.taken: set[tuple[Verb, State]] = set()
        self._next: dict[Known, Call | Done] = {}
        self._answered: dict[tuple[Any, ...], Any] = {}

    def edges(self, world: World) -> Iterator[Edge]:
        yield from self._time(world)
        for message in world.messages:
            yield from self._deliver(world, message)
        for index, worker in enumerate(world.workers):
            yield from self._work(world, index, worker)
        for process in world.processes:
            yield from self._go_on(world, process)
        yield from self.begin(world)
        yield from self._days(world)

    def begin(self, world: World) -> Iterator[Edge]:
        """Whoever may begin to move the record, by the verbs that its state allows."""
        job = world.job
        state = State.QUEUED if job is None else job.state
        makers = {self.MAKERS[verb] for verb in enabled(state) if verb in self.MAKERS}
        for maker in sorted(makers):
            yield from getattr(self, maker)(world)

    # --- bounds ------------------------------------------------------------------------------------

    def left(self, world: World, name: str) -> int:
        return world.left[self.names.index(name)] if name in self.names else 0

    def spend(self, world: World, name: str) -> World | None:
        """The world in which this happened once more; None if it may not."""
        if not self.left(world, name):
            return None
        place = self.names.index(name)
        return world._replace(left=(*world.left[:place], world.left[place] - 1, *world.left[place + 1 :]))

    # --- time --------------------------------------------------------------------------------------

    def _time(self, world: World) -> Iterator[Edge]:
        job = world.job
        if job is None or not is_far(job.claimable_at) or world.ripe == 2:
            return
        if job.state is State.SCHEDULED and world.ripe == 0:
            yield Edge("it is nearly due", world._replace(ripe=1))
            return
        is_held = any(worker.job is not None and worker.job.value.fence == job.fence for worker in world.workers)
        spent = self.spend(world, "slow") if is_held else world
        if spent is not None:
            what = "the lease ends" if job.state is State.RUNNING else "it is due"
            yield Edge(what, shown(spent._replace(ripe=2)), fault=is_held)

    def _days(self, world: World) -> Iterator[Edge]:
        """Nothing is left but what the DLQ holds, and nobody comes: SQS keeps that longer than any other copy."""
        job = world.job
        is_left = all(message.place in ("dlq", "gone") for message in world.messages)
        if not self.bounds.settings.get("days") or job is None or job.state.is_final or job.state is State.SCHEDULED:
            return
        if is_left and not (world.old or world.workers or world.processes or job.watched):
            kept = tuple(message for message in world.messages if message.place == "dlq")
            yield Edge("days pass, and no other copy can come", world._replace(old=True, ripe=2, messages=kept))

    # --- messages ----------------------------------------------------------------------------------

    def _deliver(self, world: World, message: Message) -> Iterator[Edge]:
        name = f"m{message.sent}"
        if message.place == "worker":
            # Who has it holds the job: the visibility timeout outlasts a worker that has not claimed, and the lease
            # one that has concluded.
            spent = self.spend(world, "slow")
            if spent is not None and any(w.sent == message.sent and w.job is not None for w in world.workers):
                yield Edge(f"{name} is visible again", spent.with_message(message.sent, place="queue"), fault=True)
        if message.place in ("worker", "hidden", "gone"):
            yield from self._repeat(world, message)
        if message.place == "queue":
            if message.receives >= limits.MAX_RECEIVES:
                yield Edge(f"{name} goes to the dlq", world.with_message(message.sent, place="dlq"))
            else:
                yield from self._hand_out(world, message, f"{name} is received", "worker")

    def _repeat(self, world: World, message: Message) -> Iterator[Edge]:
        spent, name = self.spend(world, "duplicates"), f"m{message.sent}"
        if spent is None or message.receives >= limits.MAX_RECEIVES:
            return
        yield from self._hand_out(spent, message, f"{name} is delivered twice", message.place, fault=True)
        if message.place == "gone":
            yield from self._hand_out(spent, message, f"{name} comes back", "worker", fault=True)

    def _hand_out(
        self, world: World, message: Message, label: str, place: str, *, fault: bool = False
    ) -> Iterator[Edge]:
        if len(world.workers) < self.bounds.workers:
            receives = message.receives + 1
            after = world.with_message(message.sent, place=place, receives=receives)
            worker = Worker(message.sent, receives, message.envelope)
            yield Edge(label, after.with_worker(len(after.workers), worker), fault)

    def sent(self, world: World, envelope: Envelope) -> World:
        """With one more message."""
        message = Message(world.clock + 1, self.book.of(envelope))
        return world._replace(clock=world.clock + 1, messages=(*world.messages, message))

    def tidy(self, world: World) -> World:
        """Without messages that are gone and can't come back."""
        if self.left(world, "duplicates"):
            return world
        held = {worker.sent for worker in world.workers}
        messages = tuple(m for m in world.messages if m.place != "gone" or m.sent in held)
        return world if len(messages) == len(world.messages) else world._replace(messages=messages)

    # --- workers -----------------------------------------------------------------------------------

    def _work(self, world: World, index: int, worker: Worker) -> Iterator[Edge]:
        name = f"worker of m{worker.sent}"
        spent = self.spend(world, "deaths")
        if spent is not None:
            yield Edge(f"{name} dies", self._left(spent, index, worker), fault=True)
        if worker.settlement is not None:
            yield Edge(f"m{worker.sent} is settled", self._settled(world, index, worker))
        elif worker.job is not None:
            yield from self._end(world, index, worker)
        else:
            yield from self._ask(world, index, worker)

    def _ask(self, world: World, index: int, worker: Worker) -> Iterator[Edge]:
        message = Message(worker.sent, worker.envelope)
        process = worker.process or self.process("claims", message, worker.receives, world.now_ms)
        after, process, problem = self.call(world, process, worker.envelope.value)
        end = self.next_of(process)
        label = f"worker of m{worker.sent} {'goes on' if worker.process else 'asks'}"
        if isinstance(end, Call):
            yield Edge(label, after.with_worker(index, worker._replace(process=process)), problem=problem)
        elif isinstance(end.value, Job):
            claimed = worker._replace(process=None, job=self.book.of(timeless(end.value)))
            yield Edge(f"{label} and holds the job", after.with_worker(index, claimed), problem=problem)
        else:
            settles = worker._replace(process=None, settlement=end.value)
            yield Edge(label, after.with_worker(index, settles), problem=problem)

    def _end(self, world: World, index: int, worker: Worker) -> Iterator[Edge]:
        assert worker.job is not None
        message = Message(worker.sent, worker.envelope)
        stopped = self._memo(("gate", worker), lambda: gate(message, worker.receives, worker.job.value))
        if isinstance(stopped, Untouched) and stopped.reason == "receives_used":
            # Each time it is sent anew its receives begin again. Beyond the bound it runs, as in a FIFO lane.
            spent = self.spend(world, "is sent anew")
            world, stopped = (world, None) if spent is None else (spent, stopped)
        if stopped is not None:
            yield self._ended(world, index, worker, stopped, "is stopped")
            return
        ran = world._replace(ran=world.ran | {worker.job.value.generation})
        for verb in sorted(enabled(State.RUNNING)):
            for name in OUTCOMES.get(verb, ()):
                spent = self._outcome(ran, name)
                if spent is None:
                    continue
                for how, after in self.runs(spent, worker.job.value, name):
                    yield self._ended(after, index, worker, name, how)

    def runs(self, world: World, job: Job, name: str) -> Iterator[tuple[str, World]]:
        """The ways in which the function of `job`, as claimed, can end as `name`, and the world after each."""
        yield name, world

    def _outcome(self, world: World, name: str) -> World | None:
        if name not in self.bounds.outcomes:
            return None
        return self.spend(world, name) if name in self.names else world

    def _ended(self, world: World, index: int, worker: Worker, attempt: Any, how: str) -> Edge:
        assert worker.job is not None
        message = Message(worker.sent, worker.envelope)
        process = self.process("ends", message, worker.receives, worker.job.value, attempt)
        after, process, problem = self.call(world, process, worker.envelope.value)
        end = self.next_of(process)
        assert isinstance(end, Done)
        settles = worker._replace(job=None, settlement=end.value)
        return Edge(f"job of m{worker.sent} {how}", after.with_worker(index, settles), problem=problem)

    def _settled(self, world: World, index: int, worker: Worker) -> World:
        message = world.of(worker.sent)
        if message is None or message.place not in ("worker", "queue", "hidden"):
            return self._left(world, index, worker)
        # SQS may delete a message by an older receipt than its last; it hides one only by the last.
        if isinstance(worker.settlement, Ack):
            world = world.with_message(worker.sent, place="gone")
        elif message.receives == worker.receives and self._is_waited_for(world, worker.settlement):
            world = world.with_message(worker.sent, place="hidden")
        return self._left(world, index, worker)

    def _left(self, world: World, index: int, worker: Worker) -> World:
        """Without the worker. Its message comes back some time, which nothing but time keeps from being now."""
        message = world.of(worker.sent)
        if message is not None and message.place == "worker" and message.receives == worker.receives:
            world = world.with_message(worker.sent, place="queue")
        return self.tidy(world.with_worker(index, None))

    def _is_waited_for(self, world: World, settlement: Any) -> bool:
        """Whether the message is hidden until the very time that the record waits for."""
        job, until = world.job, settlement.until if isinstance(settlement, Hold) else None
        if job is None or job.claimable_at is None or not is_far(job.claimable_at):
            return False
        return world.ripe < 2 and (until or 0) >= job.claimable_at

    # --- services ----------------------------------------------------------------------------------

    def process(self, service: str, *params: Any) -> Known:
        return self.book.of(Work(service, params))

    def started(self, world: World, label: str, process: Known) -> Iterator[Edge]:
        """Somebody begins, with the first call."""
        yield from self._called(world, process, label)

    def _go_on(self, world: World, process: Known) -> Iterator[Edge]:
        name = process.value.service
        spent = self.spend(world, "deaths")
        if spent is not None:
            yield Edge(f"who {name} dies", spent.without(process), fault=True)
        call = self.next_of(process)
        what = f"{call.port}.{call.method}" if isinstance(call, Call) else ""
        yield from self._called(world, process, f"who {name} goes on: {what}")

    def _called(self, world: World, process: Known, label: str) -> Iterator[Edge]:
        after, then, problem = self.call(world, process, None)
        end, left = self.next_of(then), after.without(process)
        after = self.finished(left, then, end.value) if isinstance(end, Done) else after.without(process, then)
        yield Edge(label, after, problem=problem)

    def finished(self, world: World, process: Known, value: Any) -> World:
        """What else is different once a service has returned."""
        return world

    def next_of(self, process: Known) -> Call | Done:
        found = self._next.get(process)
        if found is None:
            work: Work = process.value
            found = self._next[process] = follow(work.run, work.seen)
        return found

    def call(self, world: World, process: Known, envelope: Envelope | None) -> tuple[World, Known, str]:
        """Do the next call of `process`: the world after it, the process with its answer, and what is wrong."""
        call = self.next_of(process)
        assert isinstance(call, Call)
        if call.port in ("queue", "dlq"):
            after, answer = getattr(self, f"_{call.port}_{call.method}")(world, call)
            return after, self._after(process, answer), ""
        stored = self._memo(("call", process, world.record, world.kept, world.memory), lambda: self._store(world, call))
        self.taken.update(stored.verbs)
        after = world._replace(record=stored.record, kept=stored.kept, memory=stored.memory)
        job = after.job
        if job is None or not is_far(job.claimable_at) or stored.begins:
            after = shown(after._replace(ripe=0))
        if any(verb is Verb.CLAIM for verb, _ in stored.verbs):
            # Days that have passed before a claim are none since.
            after = after._replace(old=False)
        after = self.moved(after, stored.verbs, process, envelope)
        return after, self._after(process, stored.answer), stored.problem

    def moved(self, world: World, verbs: Any, process: Known, envelope: Envelope | None) -> World:
        """What else is different once `process` has moved the record; `envelope` is that of the worker who did it."""
        return world

    def _after(self, process: Known, answer: Any) -> Known:
        return self._memo(("after", process, answer), lambda: self._answer(process, answer))

    def _answer(self, process: Known, answer: Any) -> Known:
        work: Work = process.value
        return self.book.of(work._replace(seen=(*work.seen, answer)))

    def _store(self, world: World, call: Call) -> _Stored:
        envelopes = {(REF, known.value.fingerprint): known.value for known in world.kept}
        memories = {REF: world.memory.value} if world.memory else {}
        store = Ledger(jobs={REF: world.job} if world.job else {}, envelopes=envelopes, memories=memories)
        problem = ""
        try:
            answer = timeless(getattr(store, call.method)(*call.args, **call.named))
        except ValueError as error:
            answer, problem = None, str(error)
        kept = sorted((self.book.of(envelope) for envelope in store.envelopes.values()), key=by_number)
        job = timeless(store.jobs.get(REF))
        is_new = begins(store.taken, world.job, job)
        record = None if job is None else self.book.of(job)
        memory = self.book.of(frozen(store.memories[REF])) if store.memories else None
        return _Stored(record, tuple(kept), memory, answer, tuple(store.taken), problem or store.problem, is_new)

    def _queue_send(self, world: World, call: Call) -> tuple[World, Any]:
        _, sends = call.args
        for send in sends:
            assert isinstance(send, Send)
            world = self.sent(world, send.envelope)
        return world, (None,) * len(sends)

    def _dlq_purge(self, world: World, call: Call) -> tuple[World, Any]:
        _, chosen, limit, _ = call.args
        found = [m for m in world.messages if m.place == "dlq" and chosen(m.delivery())][:limit]
        for message in found:
            world = world.with_message(message.sent, place="gone")
        return self.tidy(world), tuple(message.delivery() for message in found)

    def _dlq_move(self, world: World, call: Call) -> tuple[World, Any]:
        """The whole walk as one call, of one step."""
        _, chosen, step, _ = call.args
        found = [m for m in world.messages if m.place == "dlq" and chosen(m.delivery())][: step()]
        for message in found:
            world = self.put_back(world, message)
        return self.tidy(world), (tuple(message.delivery() for message in found),) if found else ()

    def put_back(self, world: World, message: Message) -> World:
        """The same bytes as a new message of the lane."""
        return self.tidy(self.sent(world.with_message(message.sent, place="gone"), message.envelope.value))

    def _memo(self, key: tuple[Any, ...], compute: Callable[[], Any]) -> Any:
        if key not in self._answered:
            self._answered[key] = compute()
        return self._answered[key]


def shown(world: World) -> World:
    """The time that hidden messages wait for is over, or nobody knows it any more: they come back some time."""
    if not any(message.place == "hidden" for message in world.messages):
        return world
    messages = tuple(m._replace(place="queue") if m.place == "hidden" else m for m in world.messages)
    return world._replace(messages=messages)
