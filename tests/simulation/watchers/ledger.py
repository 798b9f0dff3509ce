"""What was asked for, what was promised, and what happened: the two sides that are compared at the end.

The words are Jepsen's: a job is attempted when somebody submits it, accepted when they were told so, lost if it
was accepted and nothing came of it, and unexpected if it ran though nobody had asked for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.simulation.jobs.behaviour import Behaviour
from tests.simulation.watchers.invariants import Violation
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Wanted:
    """One job that somebody wants run.

    Attributes:
        via: how it is asked for: `submit`, `bulk` or `message`.
        key: its idempotency key; jobs with one key have one behaviour.
        entity, sequence: where it stands in an ordered lane.
        details: what its arguments hold beside its number and its owner.
        version: which version of its kind's arguments they are, if there is more than one.
    """

    number: int
    kind: str
    tenant: str
    behaviour: Behaviour
    via: str = "submit"
    key: str | None = None
    delay_s: int = 0
    expires_s: int | None = None
    entity: str | None = None
    sequence: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None


class Ledger:
    """The book of one schedule.

    Attributes:
        wanted: by number. `accepted`: the number that was promised under each job (`tenant#id`).
        started: how often each number was started. `jobs`: under which jobs; `latest`: which of those starts was the
            last of a job. A plain message that was sent twice makes two jobs of one number.
        letters: the record that the plain message of a keyed job has if no worker ever reads it, by job.
        refused: numbers whose submit was refused, because their key belongs to another job.
        begun, promised: when a number was first asked for and first accepted, as places in one order of all such
            moments; those that are asked for in one call have one moment. `asked`: by how many submitters.
        promised_ms: when a number was first accepted, Unix milliseconds.
        idle: jobs that may end well without having run, because they had nothing to do.
        watchers: are told what jobs do: `start`, and whatever else a sort of job tells.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.wanted: dict[int, Wanted] = {}
        self.accepted: dict[str, int] = {}
        self.letters: dict[str, str] = {}
        self.refused: dict[int, str] = {}
        self.by_key: dict[tuple[str, str], str] = {}
        self.started: Counter[int] = Counter()
        self.latest: dict[str, int] = {}
        self.ended: Counter[tuple[str, int]] = Counter()
        self.started_in: Counter[tuple[str, int]] = Counter()
        self.jobs: dict[int, dict[str, None]] = {}
        self.idle: dict[str, None] = {}
        self.fences: Counter[tuple[str, int]] = Counter()
        self.asked: Counter[int] = Counter()
        self.begun: dict[int, int] = {}
        self.promised: dict[int, int] = {}
        self.promised_ms: dict[int, int] = {}
        self.watchers: list[Callable[[str, Any, JobContext, Any], None]] = []

    def begin(self, wanted: Sequence[Wanted]) -> None:
        """A submitter is about to ask for these jobs in one call."""
        moment = self._world.next_number()
        for one in wanted:
            self.asked[one.number] += 1
            self.begun.setdefault(one.number, moment)

    def accept(self, wanted: Wanted, job_id: str) -> None:
        """A submitter was told that the job is accepted."""
        job = f"{wanted.tenant}#{job_id}"
        self._world.tell("accepted", wanted.number, job)
        self.promised.setdefault(wanted.number, self._world.next_number())
        self.promised_ms.setdefault(wanted.number, self._world.scheduler.now_ms)
        if wanted.key is not None:
            first = self.by_key.setdefault((wanted.tenant, wanted.key), job)
            if first != job:
                raise Violation("I16", f"key {wanted.key} has two jobs: {first} and {job}")
            other = self.accepted.get(job, wanted.number)
            if other != wanted.number:
                raise Violation("I16", f"key {wanted.key} was promised to {other} and to {wanted.number}")
        self.accepted[job] = wanted.number

    def refuse(self, wanted: Wanted, why: str) -> None:
        """A submitter was told that the job is not accepted."""
        self._world.tell("refused", wanted.number, why)
        self.refused[wanted.number] = why

    def start(self, args: Any, ctx: JobContext) -> int:
        """A job begins to run; answers how often its number has."""
        job = f"{ctx.tenant}#{ctx.job_id}"
        wanted = self.wanted.get(args.number)
        if wanted is None:
            raise Violation("unexpected", f"{job} runs number {args.number}, which nobody asked for")
        if ctx.tenant != args.owner or ctx.tenant != wanted.tenant:
            raise Violation("I17", f"{job} runs with the arguments of {args.owner}")
        self.started[args.number] += 1
        self.latest[job] = self.started[args.number]
        self.started_in[job, ctx.generation] += 1
        self.jobs.setdefault(args.number, {})[job] = None
        if self.started_in[job, ctx.generation] > self._world.records.claimed.get((job, ctx.generation), 0):
            raise Violation("I7", f"{job} was started more often than it was claimed in generation {ctx.generation}")
        self._world.tell("start", job, f"g{ctx.generation}", f"a{ctx.attempt}", args.number)
        self.tell("start", args, ctx)
        return self.started[args.number]

    def tell(self, what: str, args: Any, ctx: JobContext, value: Any = None) -> None:
        """Let the watchers know what a job does."""
        for watcher in self.watchers:
            watcher(what, args, ctx, value)

    def end(self, args: Any, ctx: JobContext) -> None:
        """The effect of a job was applied."""
        self.ended[f"{ctx.tenant}#{ctx.job_id}", ctx.generation] += 1
