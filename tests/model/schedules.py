"""A schedule made at run time, its sweeps and its changes: every order of their calls, with every crash.

One tick is near. Sweeps and changes are the shipped services, stopped at each call of a port (`replay`); the table and
the queue are values. Time stands still until it is let go on, and may at any moment.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, NamedTuple

from tests.model.parts import Bits
from tests.model.replay import Call, Done, Tape, follow
from tests.model.sameness import Same
from tidemill import JobArgs, JobContext, JobRegistry, job, minutes
from tidemill.domain.cron import Every
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Kept, Refused, SchedulePage, Stale, Written
from tidemill.domain.schedule_row import Change, Plan, ScheduleRef, ScheduleRow, ScheduleVersion, TickJob, is_no_job
from tidemill.service.schedules import Schedules
from tidemill.service.submitter import Submitter
from tidemill.service.tick_sweep import TickSweep
from tidemill.service.tick_withdrawal import Withdrawing

BORN: Final = 1_800_000_000_000
REF: Final = ScheduleRef("acme", "a")
SPAN_MS: Final = 180_000
TICK: Final = BORN + SPAN_MS
# A minute before the tick, when the sweep makes it, and shortly after it.
TIMES: Final = (BORN + 120_000, TICK + 10_000)


class Note(JobArgs, kind="model.note"):
    """What tells one version's jobs from another's."""

    mark: int = 1


@job(Note)
def note(args: Note, ctx: JobContext) -> None:
    """Nothing runs here: a delivery is a run."""


REGISTRY: Final = JobRegistry(note)
PLAN: Final = Plan("model.note", Every(minutes(3)), BORN, "default")
FIRST: Final = ScheduleRow(REF, PLAN, 1, 1, BORN, BORN, next_at=TICK)
CHANGES: Final[dict[str, Callable[[Schedules, int], Any]]] = {
    "change": lambda schedules, number: schedules.change("a", tenant="acme", args=Note(mark=number)),
    "pause": lambda schedules, _: schedules.pause("a", tenant="acme"),
    "resume": lambda schedules, _: schedules.resume("a", tenant="acme"),
    "delete": lambda schedules, _: schedules.delete("a", tenant="acme"),
}


# Of everything that states are made of.
SAME: Final = Same()
_GONE_ON: Final[dict[tuple[int, int], tuple[tuple[Any, ...], Call | Done]]] = {}


@dataclass(frozen=True, slots=True)
class Process:
    """One sweep or one change, and the answers that it got so far."""

    what: str
    number: int
    answers: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """A job's message, as far as it matters here."""

    id: str
    fingerprint: str
    mark: int
    due_ms: int
    scheduled_at: int


class World(NamedTuple):
    """Everything there is. `ran`: at which tick, with which mark; `told`: which version was answered when."""

    time: int = 0
    row: ScheduleRow = FIRST
    versions: tuple[ScheduleVersion, ...] = (
        ScheduleVersion(REF, 1, Change.CREATED, PLAN, b'{"mark":1}', paused=False, at=BORN, actor="a"),
    )
    jobs: tuple[tuple[str, Job], ...] = ()
    sent: frozenset[Message] = frozenset()
    running: tuple[Process, ...] = ()
    ran: tuple[tuple[int, int], ...] = ()
    told: tuple[tuple[int, int], ...] = ()
    sweeps: int = 0
    changed: int = 0
    crashed: int = 0

    @property
    def now_ms(self) -> int:
        """The one clock."""
        return TIMES[self.time]

    @property
    def key(self) -> tuple[int, ...]:
        """What tells it from every other world."""
        parts = (self.row, self.versions, self.jobs, self.sent, self.ran, self.told, *self.running)
        return (self.time, self.sweeps, self.changed, self.crashed, *map(SAME.number, parts))


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much happens: sweeps in all, and these changes in their order; two processes of a sort at a time.

    Attributes:
        crashes: how many processes may die on their way; None for any number.
    """

    sweeps: int
    changes: tuple[str, ...]
    crashes: int | None = None


# Searched by every test run, and by `python -m tests.model --big` as well.
BOUNDS: Final = (
    Bounds(2, ()),
    Bounds(1, ("change",)),
    Bounds(1, ("pause", "resume")),
    Bounds(1, ("delete",)),
)
BIG: Final = (Bounds(2, ("delete",)), Bounds(2, ("change",), crashes=0))


class Broken(Exception):  # noqa: N818 - what the search finds
    """An invariant does not hold."""


def explore(bounds: Bounds, most: int = 400_000) -> int:
    """Search all that can happen; answers how many states there are.

    Raises:
        Broken: an invariant does not hold in one of them.
    """
    # Between two searches a bug may have been planted.
    _GONE_ON.clear()
    seen, left = {World().key}, [World()]
    while left:
        world = left.pop()
        for following in _next(world, bounds):
            if following.key not in seen:
                check(following)
                seen.add(following.key)
                left.append(following)
        if len(seen) > most:
            raise AssertionError(f"more than {most} states")
    return len(seen)


def check(world: World) -> None:
    """What must hold in every state."""
    ticks = [tick for tick, _ in world.ran]
    if len(ticks) != len(set(ticks)):
        raise Broken(f"a tick ran twice: {world.ran}")
    marks = {version.number: _mark(version) for version in world.versions}
    for tick, mark in world.ran:
        known = max((number for number, at in world.told if at < tick), default=0)
        if mark not in {marks[number] for number in marks if number >= known}:
            raise Broken(f"the tick at {tick} ran with mark {mark}, and version {known} was answered before it")
    row, ids = world.row, dict(world.jobs)
    if row.settling is None and row.next_at is not None and row.next_at > TICK and _active_all_along(world):
        tick = row.tick(TICK)
        if not any(row.job_id(TickJob(TICK, number)) in ids for number in range(tick.number + 1)):
            raise Broken(f"the row moved past the tick at {TICK}, and its id has no record")
    if not world.running and row.settling is None and row.ticks and not _has_job(world):
        raise Broken("a tick counts as made, and it has no job")


def _has_job(world: World) -> bool:
    return any(not is_no_job(found) for _, found in world.jobs)


def _active_all_along(world: World) -> bool:
    return all(not version.paused and version.change is not Change.DELETED for version in world.versions)


def _mark(version: ScheduleVersion) -> int | None:
    is_off = version.paused or version.change is Change.DELETED
    return None if is_off else int(version.args.partition(b":")[2].rstrip(b"}"))


def _next(world: World, bounds: Bounds) -> Iterator[World]:
    if world.time + 1 < len(TIMES):
        yield world._replace(time=world.time + 1)
    at_once = sum(process.what == "sweep" for process in world.running)
    if world.sweeps < bounds.sweeps and at_once < 2:
        yield _started(world, Process("sweep", 0))._replace(sweeps=world.sweeps + 1)
    if world.changed < len(bounds.changes) and at_once == len(world.running):
        change = Process(bounds.changes[world.changed], world.changed + 2)
        yield _started(world, change)._replace(changed=world.changed + 1)
    for message in world.sent:
        if message.due_ms <= world.now_ms:
            yield _delivered(world, message)
    for process in set(world.running):
        yield from _crashed(world, process, bounds)
        yield _step(world, process)


def _started(world: World, process: Process) -> World:
    return _with_running(world, [*world.running, process])


def _crashed(world: World, process: Process, bounds: Bounds) -> Iterator[World]:
    if bounds.crashes is None:
        yield _without(world, process)
    elif world.crashed < bounds.crashes:
        yield _without(world, process)._replace(crashed=world.crashed + 1)


def _without(world: World, process: Process) -> World:
    """It crashed, or is done."""
    left = list(world.running)
    left.remove(process)
    return _with_running(world, left)


def _step(world: World, process: Process) -> World:
    """One process makes its next call, and looks at the clock as often as it likes."""
    before = _without(world, process)
    answers, found = _goes_on(process, world.now_ms)
    if isinstance(found, Done):
        if process.what != "sweep" and isinstance(found.value, ScheduleRow):
            return before._replace(told=(*before.told, (found.value.version, world.now_ms)))
        return before
    after, answer = _carry_out(before, found)
    return _with_running(after, [*after.running, replace(process, answers=(*answers, answer))])


def _with_running(world: World, processes: Iterable[Process]) -> World:
    return world._replace(running=tuple(sorted(map(SAME.of, processes), key=SAME.number)))


def _goes_on(process: Process, now_ms: int) -> tuple[tuple[Any, ...], Call | Done]:
    """What it asks next of anything but the clock, and its answers until then."""
    known = SAME.number(process), now_ms
    if known not in _GONE_ON:
        answers = process.answers
        while isinstance(found := follow(partial(_service, process), answers), Call) and found.port == "clock":
            answers = (*answers, now_ms)
        _GONE_ON[known] = answers, found
    return _GONE_ON[known]


def _service(process: Process, tape: Tape) -> Any:
    rows, store, clock, bits = tape.port("rows"), tape.port("store"), tape.port("clock"), Bits(process.number)
    nothing: Any = None
    submitter = Submitter(REGISTRY, store, store, tape.port("queue"), clock, bits, order=nothing, payloads=nothing)
    withdrawing = Withdrawing(rows, store, store, clock)
    if process.what == "sweep":
        telemetry = _Silence()
        return TickSweep(REGISTRY, rows, submitter, store, withdrawing, clock, telemetry).run()
    schedules = Schedules(REGISTRY, rows, withdrawing, nothing, clock, lambda: "a")
    try:
        return CHANGES[process.what](schedules, process.number)
    except Exception as error:  # noqa: BLE001 - refused, as by a schedule that is gone
        return error


class _Silence:
    def count(self, name: str, value: int = 1) -> None: ...

    def note(self, event: str, **fields: object) -> None: ...

    alert = note


def _carry_out(world: World, call: Call) -> tuple[World, Any]:
    """What the table and the queue answer."""
    if call.port == "rows":
        return _rows(world, call)
    if call.port == "queue":
        _, sends = call.args
        new = {_message(send.envelope) for send in sends}
        return world._replace(sent=world.sent | new), (None,) * len(sends)
    return _records(world, call)


def _rows(world: World, call: Call) -> tuple[World, Any]:
    match call.method, call.args:
        case "due", (until, *_):
            is_due = world.row.due_at is not None and world.row.due_at <= until
            return world, SchedulePage((world.row,) if is_due else ())
        case "find", _:
            return world, (world.row,)
        case "versions_of", (rows,):
            known = {version.number: version for version in world.versions}
            return world, tuple(known.get(row.version) for row in rows)
        case _, (before, after, *version):
            if (before.version, before.revision) != (world.row.version, world.row.revision):
                return world, Stale(world.row)
            return world._replace(row=after, versions=(*world.versions, *version[:1])), Kept(after)
    raise AssertionError(call)


def _records(world: World, call: Call) -> tuple[World, Any]:
    jobs = dict(world.jobs)
    match call.method, call.args:
        case "find", (refs,):
            return world, tuple(jobs.get(ref.id) for ref in refs)
        case "insert", (new,):
            answers = tuple(Refused(jobs[one.ref.id]) if one.ref.id in jobs else Written(one) for one in new)
            return _with_jobs(world, {**{one.ref.id: one for one in new}, **jobs}), answers
        case "move", (_, before, after, *_):
            if jobs.get(before.ref.id) != before:
                return world, Refused(jobs.get(before.ref.id))
            return _with_jobs(world, {**jobs, before.ref.id: after}), Written(after, before)
    raise AssertionError(call)


def _with_jobs(world: World, jobs: dict[str, Job]) -> World:
    return world._replace(jobs=tuple(sorted(jobs.items(), key=lambda one: one[0])))


def _message(envelope: Any) -> Message:
    mark = int(envelope.args.partition(b":")[2].rstrip(b"}"))
    return Message(envelope.ref.id, envelope.fingerprint, mark, envelope.not_before or 0, envelope.scheduled_at)


def _delivered(world: World, message: Message) -> World:
    """A worker gets the message: it runs if its record lets it, or if there is none yet; then the message is gone."""
    after = world._replace(sent=world.sent - {message})
    jobs = dict(world.jobs)
    record = jobs.get(message.id)
    if record is not None and (record.state is not State.QUEUED or record.fingerprint != message.fingerprint):
        return after
    ended = record or _unrecorded(message)
    jobs[message.id] = replace(ended, state=State.SUCCEEDED, fence=1, claimable_at=None)
    return _with_jobs(after, jobs)._replace(ran=tuple(sorted((*world.ran, (message.scheduled_at, message.mark)))))


def _unrecorded(message: Message) -> Job:
    """The record that a claim makes of a message without one."""
    return Job(
        JobRef("acme", message.id), "model.note", "default", State.QUEUED, message.fingerprint, BORN, 0, BORN // 1_000
    )


def main() -> int:
    """Search the bigger bounds as well; one line for each of them."""
    failed = 0
    for bounds in (*BOUNDS, *BIG):
        try:
            found = f"{explore(bounds, most=5_000_000)} states"
        except Broken as broken:
            failed, found = failed + 1, f"BROKEN: {broken}"
        sys.stdout.write(f"schedules: {bounds}: {found}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
