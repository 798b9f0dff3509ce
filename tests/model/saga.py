"""The fourth model: one step of a saga, its state machine, and the compensation, with a redrive and a cancel.

Step Functions is three places: it waits for the step, went on, or goes back; each message of its is answered at most
once. Intake, executor, gate and canceller are the shipped ones, stopped at every call of a port. What is promised: a
saga that went back leaves no effect behind, for ever; one that went on has the effect; and none waits for ever for a
job that is over.

A worker never outlives its lease here: `lease` has those that do, and the README of sagas says what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tests.builders import NOW
from tests.model.ledger import Ledger
from tests.model.parts import FAR
from tests.model.replay import Call, Done, follow
from tests.model.saga_services import EPOCH, ERRAND, REF, SERVICES
from tests.model.search import Edge
from tidemill import PermanentError
from tidemill.domain.envelope import Envelope
from tidemill.domain.errand import errand_of
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Refused, Written
from tidemill.testing.executions import MemoryTokens

MODELLED = frozenset(
    {
        Verb.CLAIM,
        Verb.COMPLETE,
        Verb.BURY,
        Verb.CLOSE,
        Verb.CANCEL,
        Verb.ASK_CANCEL,
        Verb.KILL,
        Verb.REDRIVE,
        Verb.STOP,
    }
)
LEFT_OUT = {
    **dict.fromkeys((Verb.WAIT, Verb.TELL), "waiting"),
    Verb.RETRY: "the lease: for the saga the step is not over",
    Verb.PARK: "settlement: the same",
    Verb.EXPIRE: "no message of a state machine gives a time",
    Verb.EXTEND: "the lease",
    Verb.REVIVE: "settlement",
    Verb.REPORT_DEAD: "settlement; what the census reports is told as any other end",
    Verb.RESCUE: "settlement",
    Verb.RERUN: "redrive: a step has no key",
    Verb.MOVE: "moving: a step has no delay",
    Verb.POSTPONE: "moving: the same",
    Verb.SHELVE: "moving: the same",
    Verb.REOPEN: "redrive: the same",
    Verb.RESCHEDULE: "redrive; the desk refuses what is closed before it gets there",
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How often each of these may happen. `cancels`: somebody cancels the saga. `at_once`: how many are at it."""

    name: str
    at_once: int = 2
    deaths: int = 1
    redrives: int = 0
    copies: int = 0
    cancels: bool = False
    fails: bool = True


BOUNDS = (
    Bounds("death", deaths=1),
    Bounds("redrive", deaths=0, redrives=1),
    Bounds("copies", deaths=0, copies=1),
    Bounds("cancel", deaths=0, cancels=True),
    Bounds("three at once", at_once=3, deaths=0),
)
BIG = (
    Bounds("two deaths", deaths=2),
    Bounds("redrive and a death", deaths=1, redrives=1),
    Bounds("cancel and a death", deaths=1, cancels=True),
)


class Process(NamedTuple):
    """Somebody between two calls: who, what it met, when it began, and the answers so far."""

    who: str
    met: Any
    now_ms: int
    seen: tuple[Any, ...] = ()


class World(NamedTuple):
    """Everything at one moment.

    Attributes:
        epoch: how many leases have ended. `kept`: the token is in the table.
        saga: `waits`, `went on`, `goes back`, `undone`. `plain`, `sent`: where the two messages are; `sent` is not
            there before the first is met. `at`: when the second was sent, in redrives.
    """

    record: Job | None = None
    epoch: int = 0
    kept: bool = False
    saga: str = "waits"
    plain: str = "queue"
    sent: str = ""
    envelope: Envelope | None = None
    at: int = 0
    effect: bool = False
    processes: tuple[Process, ...] = ()
    deaths: int = 0
    redrives: int = 0
    copies: int = 0
    cancels: int = 0

    def without(self, process: Process, *then: Process) -> World:
        others = [one for one in self.processes if one is not process]
        return self._replace(processes=tuple(sorted([*others, *then], key=repr)))


class SagaStep:
    """See the module."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.taken: set[tuple[Verb, State]] = set()
        self._memo: dict[Any, Any] = {}

    def starts(self) -> Iterator[tuple[str, World]]:
        bounds = self.bounds
        yield (
            "",
            World(deaths=bounds.deaths, redrives=bounds.redrives, copies=bounds.copies, cancels=int(bounds.cancels)),
        )

    def edges(self, world: World) -> Iterator[Edge]:
        yield from self._messages(world)
        yield from self._others(world)
        for process in world.processes:
            yield from self._go_on(world, process)
            if world.deaths:
                yield Edge(f"the {process.who} dies", self._died(world, process), fault=True)

    # --- who begins -------------------------------------------------------------------------------

    def _messages(self, world: World) -> Iterator[Edge]:
        busy = self._busy(world)
        if world.plain == "queue" and "intake" not in busy:
            begun = Process("intake", None, self._now(world))
            yield from self._begin(world._replace(plain="held"), begun, "the plain message is met")
        if world.sent == "queue" and "worker" not in busy:
            begun = Process("worker", (world.envelope, world.at), self._now(world))
            yield from self._begin(world._replace(sent="held"), begun, "a worker meets the message")
        if world.sent == "dlq" and world.redrives:
            after = world._replace(sent="queue", redrives=world.redrives - 1, at=world.at + 1)
            yield Edge("an operator redrives it by the console", after, fault=True)
        if world.copies and world.plain == "gone":
            yield Edge("the plain message comes again", world._replace(plain="queue", copies=world.copies - 1), True)
        if world.copies and world.sent == "gone":
            yield Edge("the message comes again", world._replace(sent="queue", copies=world.copies - 1), True)

    def _others(self, world: World) -> Iterator[Edge]:
        busy = self._busy(world)
        if world.saga == "waits":
            yield Edge("the state times out", world._replace(saga="goes back"), fault=True)
        if world.saga == "goes back" and "undo" not in busy:
            yield from self._begin(world, Process("undo", None, self._now(world)), "the compensation begins")
        if world.cancels and world.saga in ("waits", "goes back") and "cancel" not in busy:
            begun = Process("cancel", None, self._now(world))
            yield from self._begin(world._replace(cancels=0), begun, "somebody cancels the saga")
        job = world.record
        if job is not None and job.state is State.RUNNING and (job.claimable_at or 0) > self._now(world):
            holders = [one for one in world.processes if one.who == "worker" and _holds(one, job)]
            after = world
            for holder in holders:
                # The function's time is over, and the lease's after it.
                after = after.without(holder)._replace(sent="queue")
            if not holders or world.deaths:
                deaths = world.deaths - bool(holders)
                yield Edge("the lease ends", after._replace(epoch=world.epoch + 1, deaths=deaths), fault=bool(holders))

    def _begin(self, world: World, process: Process, label: str) -> Iterator[Edge]:
        yield Edge(label, world.without(process, process))

    def _busy(self, world: World) -> set[str]:
        """Who can't begin now."""
        at_it = {process.who for process in world.processes}
        return set(SERVICES) if len(at_it) >= self.bounds.at_once else at_it

    def _now(self, world: World) -> int:
        return NOW + world.epoch * EPOCH

    # --- one call ---------------------------------------------------------------------------------

    def _go_on(self, world: World, process: Process) -> Iterator[Edge]:
        call = self._next(process)
        if isinstance(call, Done):
            yield Edge(f"the {process.who} is done", self._ended(world, process, call.value))
            return
        label = f"{process.who}: {call.port}.{call.method}"
        if call.port == "job":
            yield from self._run(world, process)
            return
        after, answer, problem = self._answered(world, call)
        then = process._replace(seen=(*process.seen, answer))
        yield Edge(label, after.without(process, then), problem=problem)

    def _run(self, world: World, process: Process) -> Iterator[Edge]:
        effect = process._replace(seen=(*process.seen, None))
        problem = "an effect after the saga was undone" if world.saga == "undone" else ""
        yield Edge("the step's effect happens", world._replace(effect=True).without(process, effect), problem=problem)
        if self.bounds.fails:
            failed = process._replace(seen=(*process.seen, PermanentError("no")))
            yield Edge("the step fails", world.without(process, failed))

    def _died(self, world: World, process: Process) -> World:
        after = world.without(process)._replace(deaths=world.deaths - 1)
        match process.who:
            case "intake":
                return after._replace(plain="queue")
            case "worker":
                return after._replace(sent="queue")
            case "cancel":
                # Whoever wanted it asks again.
                return after._replace(cancels=1)
        return after

    def _ended(self, world: World, process: Process, value: Any) -> World:
        after = world.without(process)
        match process.who:
            case "intake":
                return after._replace(plain="gone" if value else "queue")
            case "worker":
                job = after.record
                is_dead = not value and job is not None and job.state is State.DEAD
                return after._replace(sent="gone" if value else "dlq" if is_dead else "queue")
            case "undo" if value == "undone":
                return after._replace(saga="undone", effect=False)
        return after

    def _answered(self, world: World, call: Call) -> tuple[World, Any, str]:
        match call.port:
            case "store" | "reader":
                return self._on_store(world, call)
            case "tokens":
                tokens = MemoryTokens()
                if call.method == "keep":
                    return world._replace(kept=True), (None,), ""
                found = tokens.find([REF])
                if world.kept:
                    found = [_awaited()]
                return world, tuple(found), ""
            case "reports":
                return self._told(world, call.args[0]), tuple(None for _ in call.args[0]), ""
            case "queue" if call.method == "send":
                envelope = call.args[1][0].envelope
                return world._replace(sent="queue", envelope=envelope), (None,), ""
        raise NotImplementedError(call)

    def _told(self, world: World, reports: Any) -> World:
        if world.saga != "waits" or not reports:
            return world
        succeeded = reports[0].output is not None
        return world._replace(saga="went on" if succeeded else "goes back")

    def _on_store(self, world: World, call: Call) -> tuple[World, Any, str]:
        store = Ledger(jobs={} if world.record is None else {REF: world.record})
        answer = _plain(getattr(store, call.method)(*call.args, **call.named))
        record = _plain(store.jobs.get(REF))
        self.taken.update(store.taken)
        return world._replace(record=record), answer, store.problem

    def _next(self, process: Process) -> Call | Done:
        if process not in self._memo:
            service = SERVICES[process.who]
            self._memo[process] = follow(lambda tape: service(tape, process.met, process.now_ms), process.seen)
        return self._memo[process]  # type: ignore[no-any-return]

    # --- what is promised -------------------------------------------------------------------------

    def broken(self, world: World, edge: Edge) -> str:
        after: World = edge.after
        if after.saga == "went on" and not after.effect:
            return "the saga went on without the effect"
        if after.saga == "undone" and after.effect:
            return "the saga was undone, and the effect is there"
        return ""

    def at_rest(self, world: World) -> str:
        return "" if self.settled(world) else f"nothing happens any more, and the saga {world.saga}"

    def settled(self, world: World) -> bool:
        return world.saga in ("went on", "undone") and not world.processes


def _awaited() -> Any:
    from tidemill.domain.errand import Awaited

    return Awaited(REF, errand_of(ERRAND.document()), ("t",))


def _holds(process: Process, job: Job) -> bool:
    """Whether this worker was given the job's fence."""
    return any(isinstance(one, Written) and one.job.fence == job.fence for seen in process.seen for one in _flat(seen))


def _flat(answer: Any) -> tuple[Any, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def _plain(value: Any) -> Any:
    """Without what no decision of a saga reads. The reason is read: it says that the saga is over."""
    match value:
        case Job():
            at = value.claimable_at
            return replace(
                value,
                claimable_at=None if at is None else 0 if at <= NOW else at - (at - NOW) % EPOCH + FAR - NOW,
                ttl_s=0,
                created_at=0,
                started_at=None if value.started_at is None else NOW,
                finished_at=None,
                keep_until=None,
                wait_ms=0,
                error=None,
                owner="" if value.owner else None,
            )
        case Written(after, before):
            return Written(_plain(after), _plain(before))
        case Refused(standing):
            return Refused(_plain(standing))
        case list():
            return tuple(map(_plain, value))
        case _:
            return value
