"""A model of a batch: children that end, workers that count them, a submitter and a janitor, in every order.

What counts, ends the batch and starts the callback is the code that ships (`Counting`, `BatchProgress`, `Releaser`,
`Starter`, `BatchWatch`), stopped at each call of a port. A shard has two children here, and a submitter says after
each child how far it came. Time is what the janitor makes of it: it may look at any moment at which a batch has one to
be looked at, and once the submitter is gone for good, a day may have passed.

`python -m tests.model.batch_planted` searches it, with the bugs that are planted in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.builders import DAY, NOW, Telemetry, an_envelope
from tests.model.replay import Call, Done, Tape, follow
from tests.model.search import Edge, Finding, explore
from tidemill import JobArgs, JobRegistry, Retry, job
from tidemill.domain import limits
from tidemill.domain.batch import ON_FAILURE, THEN, BatchRef, Tally, together
from tidemill.domain.batch_ended import BatchEnded
from tidemill.domain.batch_record import BatchRecord, BatchState, Kept
from tidemill.domain.completion import tolerate
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import DueBatches
from tidemill.domain.settle import ACK
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.counting import Counting
from tidemill.service.flow import Batch
from tidemill.service.obligations import Met
from tidemill.service.planning import Planner
from tidemill.service.releasing import Releaser
from tidemill.service.starting import Starter
from tidemill.testing.clock import FrozenClock

TENANT, KEY = "acme", "k"
REF = BatchRef.keyed(TENANT, KEY)
# The submitter's patience is over.
LATE = NOW + 2 * DAY


class Work(JobArgs, kind="model.work"):
    n: int = 0


class Told(BatchEnded, kind="model.told"):
    pass


REGISTRY = JobRegistry(
    job(Work, retry=Retry(max_attempts=1))(lambda args, ctx: None), job(Told)(lambda args, ctx: None)
)


class Child(NamedTuple):
    """A child. `ends`: how it has ended so far, in order; `message`: one is there, and was not deleted yet."""

    is_sent: bool = False
    ends: tuple[State, ...] = ()
    message: bool = False

    @property
    def state(self) -> State:
        return self.ends[-1] if self.ends else State.QUEUED


class Process(NamedTuple):
    """Something that runs: what it is, what it knew when it began, and the answers that it got so far."""

    kind: str
    child: int = -1
    state: State | None = None
    answers: tuple[Any, ...] = ()
    is_late: bool = False


class World(NamedTuple):
    """All there is."""

    children: tuple[Child, ...]
    record: BatchRecord | None
    tallies: tuple[Tally, ...]
    callbacks: frozenset[str] = frozenset()
    processes: tuple[Process, ...] = ()
    starts: int = 0
    crashes: int = 0
    duplicates: int = 0
    redrives: int = 0
    cancels: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of everything there is at the most.

    Arguments:
        submitters: so many calls of `start`; 0: everything is submitted when the story begins.
        ends: how a child may end. `shard`: children of one shard.
        beside: the janitor looks while others are at work, too.
    """

    name: str
    size: int = 2
    tolerated: int = 0
    submitters: int = 0
    processes: int = 2
    crashes: int = 1
    duplicates: int = 0
    redrives: int = 0
    cancels: int = 0
    ends: tuple[State, ...] = (State.SUCCEEDED, State.DEAD)
    shard: int = 1
    beside: bool = False


_WELL = (State.SUCCEEDED,)
BOUNDS = (
    Bounds("two workers fill the last two shards", ends=_WELL),
    Bounds("two workers, and deaths", crashes=0),
    Bounds("two workers in one shard", shard=2),
    Bounds("a duplicate", crashes=0, duplicates=1, ends=_WELL, shard=2),
    Bounds("a redrive", processes=1, redrives=1, crashes=0),
    Bounds("parked children cancelled", cancels=2, processes=1, ends=_WELL),
    Bounds("a submitter that comes again", submitters=2, processes=1, ends=_WELL, shard=2),
    Bounds("a submitter beside a worker", submitters=1, crashes=1, ends=_WELL, shard=2),
)
BIG = (
    Bounds("a redrive and a crash", processes=1, redrives=1),
    Bounds("a redrive beside another worker", redrives=1, crashes=0, shard=2),
    Bounds("the janitor beside a worker", crashes=0, cancels=1, ends=_WELL, shard=2, beside=True),
    Bounds("two workers, deaths and crashes"),
    Bounds("three children in two shards", size=3, shard=2, crashes=0),
    Bounds("a redrive beside a worker that crashes", redrives=1, shard=2),
)


class Batches:
    """The model."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.flow = Batch(
            [Work(n=n) for n in range(bounds.size)],
            then=Told(),
            on_failure=Told(),
            completion=tolerate(bounds.tolerated),
        )
        self.plan = Planner(REGISTRY, TENANT, NOW, Random(1)).plan(self.flow, REF, KEY)  # noqa: S311 - repeats
        self.kept: dict[str, Kept] = {one.name: one for one in self.plan.kept}
        self.index = {REF.child(place): place for place in range(bounds.size)}

    def starts(self) -> Iterator[tuple[str, World]]:
        """Before the submit, or right after it."""
        shards = (Tally(),) * len(self.plan.record.shards)
        if self.bounds.submitters:
            yield "nothing is there", World((Child(),) * self.bounds.size, None, shards)
            return
        record = replace(self.plan.record, submitted=self.bounds.size)
        yield "everything is submitted", World((Child(is_sent=True, message=True),) * self.bounds.size, record, shards)

    def edges(self, world: World) -> Iterator[Edge]:
        """What may happen next."""
        yield from self._children_end(world)
        if len(world.processes) < self.bounds.processes:
            yield from self._processes_begin(world)
        for place, process in enumerate(world.processes):
            yield self._step(world, place, process)
            if world.crashes < self.bounds.crashes:
                rest = world.processes[:place] + world.processes[place + 1 :]
                after = world._replace(processes=rest, crashes=world.crashes + 1)
                yield Edge(f"{process.kind} {process.child} dies", after, fault=True)

    def broken(self, world: World, edge: Edge) -> str:
        """The count is exact: nothing is counted that did not happen."""
        after: World = edge.after
        counted = together(after.tallies)
        for place, child in enumerate(after.children):
            sets = ((State.SUCCEEDED, counted.seen_succeeded), (State.CANCELLED, counted.seen_cancelled))
            for state, found in sets:
                if place in found and state not in child.ends:
                    return f"child {place} is counted as {state}, and ended as {child.ends}"
            if place in counted.seen_failed and child.is_sent and State.DEAD not in child.ends:
                return f"child {place} is counted as failed, and ended as {child.ends}"
        return ""

    def at_rest(self, world: World) -> str:
        """Nothing happens any more, and it is not what it should be."""
        return f"at rest with {world.record}"

    def settled(self, world: World) -> bool:
        """The batch says what its children did, and whoever is to be told is."""
        record, children = world.record, world.children
        if record is None and world.starts >= self.bounds.submitters:
            # The last submitter was gone before it had written anything: nothing was accepted.
            return not world.processes
        if world.processes or record is None or record.ended is None or not record.told:
            return False
        if any(child.message for child in children) or any(child.is_sent and not child.ends for child in children):
            return False
        succeeded = {place for place, child in enumerate(children) if State.SUCCEEDED in child.ends}
        met = len(succeeded) >= self.bounds.size - self.bounds.tolerated
        told = (THEN if met else ON_FAILURE) in world.callbacks
        is_right = (record.ended.state is BatchState.SUCCEEDED) == met
        return told and is_right and together(world.tallies).succeeded == succeeded

    # --- what happens -----------------------------------------------------------------------------

    def _children_end(self, world: World) -> Iterator[Edge]:
        for place, child in enumerate(world.children):
            if child.is_sent and not child.ends:
                for state in self.bounds.ends:
                    yield Edge(f"child {place} is {state}", _with(world, place, child._replace(ends=(state,))))
                if world.cancels < self.bounds.cancels:
                    ended = child._replace(ends=(State.CANCELLED,), message=False)
                    yield Edge(
                        f"child {place} is cancelled, parked",
                        _with(world, place, ended)._replace(cancels=world.cancels + 1),
                    )
            if child.state is State.DEAD and world.redrives < self.bounds.redrives:
                ended = child._replace(ends=(*child.ends, State.SUCCEEDED), message=True)
                yield Edge(
                    f"child {place} is redriven", _with(world, place, ended)._replace(redrives=world.redrives + 1)
                )
            if child.ends and not child.message and world.duplicates < self.bounds.duplicates:
                yield Edge(
                    f"the message of child {place} comes again",
                    _with(world, place, child._replace(message=True))._replace(duplicates=world.duplicates + 1),
                    fault=True,
                )

    def _processes_begin(self, world: World) -> Iterator[Edge]:
        if not self.bounds.beside and any(process.kind == "janitor" for process in world.processes):
            return
        busy = {process.child for process in world.processes}
        for place, child in enumerate(world.children):
            if child.message and child.ends and place not in busy:
                yield self._begin(world, Process("worker", place, child.state))
        kinds = {process.kind for process in world.processes}
        if world.starts < self.bounds.submitters and "submitter" not in kinds:
            begun = self._begin(world, Process("submitter"))
            yield begun._replace(after=begun.after._replace(starts=world.starts + 1))
        is_due = world.record is not None and world.record.check_at is not None
        if is_due and "janitor" not in kinds and (self.bounds.beside or not kinds):
            is_late = world.starts >= self.bounds.submitters and "submitter" not in kinds
            yield self._begin(world, Process("janitor", is_late=is_late))

    def _begin(self, world: World, process: Process) -> Edge:
        return Edge(f"{process.kind} {process.child} begins", world._replace(processes=(*world.processes, process)))

    def _step(self, world: World, place: int, process: Process) -> Edge:
        found = follow(self._service(process), process.answers)
        before, rest = world.processes[:place], world.processes[place + 1 :]
        if isinstance(found, Done):
            after = world._replace(processes=before + rest)
            if process.kind == "worker" and found.value == [True]:
                # Only as long as nothing happened to the child meanwhile: a redrive is another message.
                child = after.children[process.child]
                if child.state is process.state:
                    after = _with(after, process.child, child._replace(message=False))
            return Edge(f"{process.kind} {process.child} is done", after)
        after, answer, problem = self._apply(world, found)
        going = process._replace(answers=(*process.answers, answer))
        after = after._replace(processes=(*before, going, *rest))
        return Edge(f"{process.kind} {process.child}: {found.method}", after, problem=problem)

    def _service(self, process: Process) -> Callable[[Tape], Any]:
        clock = FrozenClock(LATE if process.is_late else NOW)

        def run(tape: Tape) -> Any:
            batches = tape.port("batches")
            chance = Random(1)  # noqa: S311 - it repeats
            submitter: Any = SimpleNamespace(
                registry=REGISTRY, clock=clock, random=chance, payloads=None, accept=tape.port("submitter").accept
            )
            progress = BatchProgress(batches, Releaser(batches, submitter), clock)
            if process.kind == "submitter":
                return Starter(batches, submitter, progress).start(self.flow, KEY, TENANT).created
            if process.kind == "janitor":
                return BatchWatch(batches, tape.port("reader"), progress, clock, Telemetry()).look()
            met = Met(_job(process.child, process.state or State.QUEUED), self._envelope(process.child), ACK)
            return Counting(progress, Telemetry()).fulfil([met])

        return run

    def _envelope(self, place: int) -> Any:
        return an_envelope(ref=REF.child(place), member=self.plan.record.member(place))

    # --- what the ports do ------------------------------------------------------------------------

    def _apply(self, world: World, call: Call) -> tuple[World, Any, str]:
        """The world after a call, its answer, and the promise that it broke."""
        if call.method == "accept":
            return self._accept(world, call.args[0])
        if call.method == "find":
            return world, tuple(self._found(world, ref) for ref in call.args[0]), ""
        after, answer = getattr(self, f"_{call.method}")(world, *call.args, **call.named)
        return after, answer, ""

    def _accept(self, world: World, orders: Any) -> tuple[World, Any, str]:
        problem = ""
        for order in orders:
            place = self.index.get(order.ref)
            if place is not None:
                if not world.children[place].is_sent:
                    world = _with(world, place, Child(is_sent=True, message=True))
                continue
            name = next(one for one in self.kept if REF.child(one) == order.ref)
            open_ = [at for at, child in enumerate(world.children) if child.is_sent and not child.ends]
            if open_:
                problem = problem or f"{name} is submitted while children {open_} are open"
            world = world._replace(callbacks=world.callbacks | {name})
        return world, (None,) * len(orders), problem

    def _found(self, world: World, ref: Any) -> Job | None:
        child = world.children[self.index[ref]]
        return _job(self.index[ref], child.state) if child.is_sent else None

    def _open_batch(self, world: World, record: BatchRecord) -> tuple[World, Any]:
        stands = world.record or record
        return world._replace(record=stands), stands

    def _keep_jobs(self, world: World, *_: Any) -> tuple[World, Any]:
        return world, None

    def _kept_jobs(self, world: World, _: Any, names: Any) -> tuple[World, Any]:
        return world, tuple(self.kept[name] for name in names)

    def _find_batches(self, world: World, refs: Any) -> tuple[World, Any]:
        return world, (world.record,) * len(refs)

    def _tally(self, world: World, ref: Any, shards: Any) -> tuple[World, Any]:
        return world, together(world.tallies[shard] for shard in shards)

    def _count_ends(self, world: World, marks: Any, until_s: int) -> tuple[World, Any]:
        tallies = list(world.tallies)
        for mark in marks:
            tallies[mark.shard] = tallies[mark.shard].plus(Tally.of(mark.fates))
        return world._replace(tallies=tuple(tallies)), tuple(tallies[mark.shard] for mark in marks)

    def _fill(self, world: World, ref: Any, shard: int) -> tuple[World, Any]:
        record = world.record and replace(world.record, full=world.record.full | {shard})
        return world._replace(record=record), record

    def _advance(self, world: World, ref: Any, submitted: int, check_at: int | None = None) -> tuple[World, Any]:
        record = world.record
        if record is not None and record.ended is None and record.submitted <= submitted:
            record = replace(record, submitted=submitted)
        return world._replace(record=record), record

    def _end_batch(self, world: World, record: BatchRecord, ending: Any) -> tuple[World, Any]:
        stands = world.record
        if stands is not None and stands.ended == record.ended:
            stands = replace(stands, ended=replace(ending, at=NOW), told=False, check_at=NOW)
        return world._replace(record=stands), stands

    def _look_again(self, world: World, record: BatchRecord, at: int | None, index: int = 0) -> tuple[World, Any]:
        stands = world.record
        if stands is not None and stands.ended == record.ended:
            # When is not what matters here, but whether.
            at = None if at is None else NOW
            stands = replace(stands, check_at=at, check_from=index, told=stands.told or stands.ended is not None)
        return world._replace(record=stands), None

    def _due_batches(self, world: World, until_ms: int, limit: int) -> tuple[World, Any]:
        is_due = world.record is not None and world.record.check_at is not None
        return world, DueBatches((world.record,) if is_due and world.record else (), more=False)


def _with(world: World, place: int, child: Child) -> World:
    children = (*world.children[:place], child, *world.children[place + 1 :])
    return world._replace(children=children)


def _job(place: int, state: State) -> Job:
    return replace(an_envelope(ref=REF.child(place)).record("default", State.QUEUED, 0), state=state)


def search(bounds: Bounds, most: int = 200_000) -> Finding:
    """Every schedule within these bounds."""
    with small_numbers(bounds.shard):
        return explore(Batches(bounds), most)


@contextmanager
def small_numbers(shard: int) -> Iterator[None]:
    """One or two children a shard, and one in each step of a submit."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(limits, "CHILDREN_PER_SHARD", shard))
        stack.enter_context(patch.object(limits, "BATCH_STEP", 1))
        yield
