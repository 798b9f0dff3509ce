"""The third model: how a job that is over runs again, and what old copies of its messages can do then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.builders import NOW, Greet, a_failure, a_send_id, an_envelope
from tests.model.janitors import Tended, left_final, lost
from tests.model.known import Known
from tests.model.machine import Bounds
from tests.model.parts import FAR, KEY, LANE, LONG_AGO, REF, Message, World, timeless
from tests.model.renumbering import frozen
from tests.model.search import Edge
from tests.model.services import RESTART, STEP, takes_step
from tidemill.domain import conclusion, limits
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import FenceLostError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import TRANSITIONS, State, Verb
from tidemill.domain.memory import Memory, Remembered
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Expire, Verdict
from tidemill.service.manner import RESUME
from tidemill.service.redriving import Redriven
from tidemill.service.submitter import Receipt

MODELLED = frozenset(
    {
        Verb.CLAIM,
        Verb.COMPLETE,
        Verb.BURY,
        Verb.CANCEL,
        Verb.ASK_CANCEL,
        Verb.REVIVE,
        Verb.REDRIVE,
        Verb.RERUN,
        Verb.REOPEN,
        Verb.RESCHEDULE,
        Verb.REPORT_DEAD,
    }
)
LEFT_OUT = {
    Verb.CLOSE: "saga",
    **dict.fromkeys((Verb.WAIT, Verb.TELL), "waiting"),
    Verb.RESCUE: "settlement: within one generation",
    Verb.RETRY: "settlement: within one generation",
    Verb.PARK: "settlement: within one generation",
    Verb.EXPIRE: "lease; some searches start from an expired job",
    Verb.EXTEND: "lease",
    Verb.STOP: "lease; a job that was asked here and crashed is stopped",
    Verb.KILL: "lease",
    Verb.MOVE: "moving",
    Verb.POSTPONE: "moving",
    Verb.SHELVE: "moving",
}
_OPENING = frozenset(row.verb for row in TRANSITIONS if row.new_generation)


_BURY = Bury("error", a_failure(), NOW)


class Facts(NamedTuple):
    """What the promises are held against.

    Attributes:
        redrives: how often anybody asked for another run. `owed`: the generation that was promised to run.
        forgets: the last generation that was opened to forget, 0 if none was. `problem`: what a move or a step broke.
    """

    redrives: int = 0
    owed: int = 0
    forgets: int = 0
    problem: str = ""


class Redrive(Tended):
    """From a job that is over: the console, the desk, submitters of its key, somebody who cancels, and workers."""

    MAKERS = {  # noqa: RUF012 - read only
        Verb.REVIVE: "sweep",
        Verb.REPORT_DEAD: "census",
        Verb.CANCEL: "cancel",
        Verb.REDRIVE: "console",
        Verb.REOPEN: "submit",
        Verb.RESCHEDULE: "desk",
    }

    def starts(self) -> Iterator[tuple[str, World]]:
        first, copy = (_an_envelope(number) for number in (1, 2))
        dead, expired = (self.book.of(_ended(first, verdict)) for verdict in (_BURY, Expire(NOW)))
        cancelled, crashed = self.book.of(_cancelled(first)), self.book.of(_crashed(first))
        mine, spare = Message(1, self.book.of(first)), Message(2, self.book.of(copy))
        letter = mine._replace(place="dlq", receives=limits.MAX_RECEIVES)
        world = World(tuple(self.bounds.most.values()), clock=2, accepted=True, ran=frozenset({1}), facts=Facts())
        kept = (self.book.of(first),)
        memory = frozen(Memory(fence=1, steps={STEP: Remembered(STEP, 1, None, 0, 1)}))
        starts = {
            "dead": world._replace(record=dead, kept=kept, messages=(letter,)),
            "dead, its message purged": world._replace(record=dead, kept=kept),
            "dead, another copy in the queue": world._replace(record=dead, kept=kept, messages=(letter, spare)),
            "cancelled, its message in the queue": world._replace(record=cancelled, messages=(mine,)),
            "expired": world._replace(record=expired),
            "its workers crashed until SQS gave up": world._replace(record=crashed, messages=(letter,)),
        }
        for name in self.bounds.settings["starts"]:
            yield name, starts[name]._replace(memory=self.book.of(memory))

    # --- who asks for another run ------------------------------------------------------------------

    def console(self, world: World) -> Iterator[Edge]:
        for message in world.messages:
            spent = self._asked(world, "console")
            if message.place == "dlq" and spent is not None:
                after = self.put_back(spent, message)
                if _is_of(message, world.job):
                    after = _owing(after, world.job.generation + 1)
                yield Edge(f"m{message.sent} is redriven from the console", after)

    def desk(self, world: World) -> Iterator[Edge]:
        job = world.job
        if job is None or job.state is not State.DEAD:
            return
        number = 200 + world.clock
        runs = {
            "resumes": ("redrives", number, job, RESUME),
            "restarts": ("redrives", number, job, RESTART),
            "edits": ("edits", number, job, 2, RESUME),
        }
        for name in self.bounds.settings.get("desk", ()):
            spent = self._asked(world, "desk")
            if spent is not None:
                yield from self.started(spent, f"the desk {name}", self.process(*runs[name]))

    def submit(self, world: World) -> Iterator[Edge]:
        for delayed in self.bounds.settings.get("delays", (False,)):
            spent = self._asked(world, "submits")
            if spent is not None:
                process = self.process("submits", 300 + world.clock, 1, delayed)
                yield from self.started(spent, f"the key is submitted{' with a delay' if delayed else ''}", process)

    def cancel(self, world: World) -> Iterator[Edge]:
        spent = self.spend(world, "cancels")
        if spent is not None:
            yield from self.started(spent, "somebody cancels", self.process("cancels"))

    def _asked(self, world: World, name: str) -> World | None:
        spent = self.spend(world, name)
        return spent and spent._replace(facts=spent.facts._replace(redrives=spent.facts.redrives + 1))

    # --- what is promised --------------------------------------------------------------------------

    def moved(self, world: World, verbs: Any, process: Known, envelope: Envelope | None) -> World:
        job, facts = world.job, world.facts
        for verb, source in verbs:
            assert job is not None
            # A restart, and a rerun of what was cancelled, which may have been undone.
            if verb in _OPENING and (_forgets(process) or source is State.CANCELLED):
                facts = facts._replace(forgets=job.generation)
            if envelope is not None and job.fingerprint != envelope.fingerprint:
                facts = facts._replace(problem="refused arguments were claimed")
        return world if facts is world.facts else world._replace(facts=facts)

    def runs(self, world: World, job: Job, name: str) -> Iterator[tuple[str, World]]:
        """Its function takes its one step, or finds it remembered; or it fails before that."""
        if name == "fails for good":
            yield f"{name} before its step", world
        was: Memory | None = world.memory.value if world.memory else None
        try:
            did, memory = takes_step(was, job)
        except FenceLostError:
            yield name, world
            return
        facts = world.facts._replace(problem=_wrong_step(was, job, did, world.facts.forgets))
        yield name, world._replace(memory=self.book.of(frozen(memory)), facts=facts)

    def finished(self, world: World, process: Known, value: Any) -> World:
        if isinstance(value, Redriven):
            _, dead, *_ = process.value.params
            return _owing(world, dead.generation + 1)
        if isinstance(value, Receipt) and value.created:
            return _owing(world, value.job.generation)
        return world

    def broken(self, world: World, edge: Edge) -> str:
        job, facts = edge.after.job, edge.after.facts
        if job.generation > 1 + facts.redrives:
            return f"generation {job.generation} after {facts.redrives} redrives"
        return facts.problem or left_final(world, edge.after) or lost(edge.after)

    def at_rest(self, world: World) -> str:
        job = world.job
        if not job.state.is_final:
            return f"{job.state} for ever"
        return "" if job.generation >= world.facts.owed else f"{job.state}, and its redrive never runs"

    def settled(self, world: World) -> bool:
        job = world.job
        is_over = job.state.is_final and job.generation >= world.facts.owed
        return is_over and all(message.place in ("dlq", "gone") for message in world.messages)


def _owing(world: World, generation: int) -> World:
    facts = world.facts
    return world._replace(facts=facts._replace(owed=max(facts.owed, generation)))


def _is_of(message: Message, job: Job | None) -> bool:
    if job is None or job.state is not State.DEAD or job.held is None:
        return False
    return message.envelope.value.send_id == job.held.send_id


def _forgets(process: Known) -> bool:
    """Whether the generation that was opened is to forget."""
    return process.value.service == "redrives" and process.value.params[2] is RESTART


def _wrong_step(was: Memory | None, job: Job, did: int, forgets: int) -> str:
    """What is wrong with a step that `job` has from generation `did`, given the last one that was to forget."""
    if did < forgets <= job.generation:
        return "a step that was to be forgotten was not done again"
    before = was.steps.get(STEP) if was else None
    if before is not None and before.generation != did and not before.generation < forgets <= job.generation:
        return "a step was done again that nobody wanted forgotten"
    return ""


def _an_envelope(number: int) -> Envelope:
    canonical = Greet(times=1).canonical()
    return an_envelope(ref=REF, key=KEY, args=canonical, send_id=a_send_id(number), correlation_id=REF.id)


def _ended(envelope: Envelope, verdict: Verdict) -> Job:
    ended: Job = timeless(conclusion.concluded(_running(envelope), verdict, NOW))
    return ended


def _crashed(envelope: Envelope) -> Job:
    job = _running(envelope)
    for _ in range(limits.MAX_CRASHES - 1):
        job = job.claimed("somebody", Held(envelope.send_id, LONG_AGO + 1), NOW, FAR, 0)
    crashed: Job = timeless(job)
    return crashed


def _running(envelope: Envelope) -> Job:
    held = Held(envelope.send_id, LONG_AGO + 1)
    return envelope.record(LANE, State.QUEUED, 0).claimed("somebody", held, NOW, FAR, 0)


def _cancelled(envelope: Envelope) -> Job:
    cancelled: Job = timeless(conclusion.cancelled(envelope.record(LANE, State.QUEUED, 0), NOW, NOW))
    return cancelled


ENDS = ("succeeds", "fails for good")
ALL = (
    "dead",
    "dead, its message purged",
    "dead, another copy in the queue",
    "cancelled, its message in the queue",
    "expired",
    "its workers crashed until SQS gave up",
)
SUCCEEDS = ENDS[:1]
BOUNDS = (
    Bounds("console", 2, {"console": 2, "slow": 1, "deaths": 1}, ENDS, {"starts": (*ALL[:2], ALL[5])}),
    Bounds("copies", 1, {"console": 1}, ENDS, {"starts": ALL[2:3]}),
    Bounds("restart", 1, {"desk": 1, "deaths": 1}, SUCCEEDS, {"starts": ALL[:1], "desk": ("restarts",)}),
    Bounds("restart and copies", 1, {"desk": 1}, ENDS, {"starts": ALL[2:3], "desk": ("restarts",)}),
    Bounds("restart and resume", 1, {"desk": 1, "console": 1}, ENDS, {"starts": ALL[1:2], "desk": ("restarts",)}),
    Bounds("resume", 1, {"desk": 1, "console": 1}, ENDS, {"starts": ALL[:2], "desk": ("resumes",)}),
    Bounds("edit", 1, {"desk": 1, "console": 1}, SUCCEEDS, {"starts": ALL[:3], "desk": ("edits",)}),
    Bounds("key", 1, {"submits": 1, "console": 1}, ENDS, {"starts": ALL, "delays": (False, True)}),
    Bounds("cancel", 1, {"submits": 1, "cancels": 1}, ENDS, {"starts": ALL[3:], "delays": (False, True)}),
)
BIG = (
    Bounds("three redrives from the console", 2, {"console": 3, "slow": 1, "deaths": 1}, ENDS, {"starts": ALL[:3]}),
    Bounds(
        "restart, resume and a death",
        1,
        {"desk": 1, "console": 1, "deaths": 1},
        SUCCEEDS,
        {"starts": ALL[1:2], "desk": ("restarts",)},
    ),
    Bounds("desk", 1, {"desk": 1, "deaths": 1}, ENDS, {"starts": ALL[:2], "desk": ("resumes", "restarts")}),
    Bounds("edit, deaths", 1, {"desk": 1, "deaths": 1}, ENDS, {"starts": ALL[:2], "desk": ("edits",)}),
    Bounds("key, deaths", 1, {"submits": 1, "deaths": 1}, ENDS, {"starts": ALL, "delays": (False, True)}),
    Bounds("two keys", 1, {"submits": 2, "cancels": 2}, ENDS, {"starts": ALL[3:]}),
)
