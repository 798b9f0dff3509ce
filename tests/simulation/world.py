"""One world: a stack, the people around it, and what goes wrong. One seed, one schedule.

A schedule has four parts: trouble, in which faults happen; healing, in which nothing goes wrong any more and time
runs on until nothing is left to do; the audit; and, if jobs are dead, an operator who redrives them all, after
which everything must be quiet once more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any, Protocol, TypeVar

from tests.simulation.calls import Calls
from tests.simulation.cloud import Cloud
from tests.simulation.dependency import Dependency
from tests.simulation.faults import HARMLESS, Fault, NoFaults, Plan
from tests.simulation.functions import Functions
from tests.simulation.jobs.behaviour import Behaviour
from tests.simulation.mail import job_of
from tests.simulation.operators import Operators
from tests.simulation.poller import Lambda, Mapping, Minute
from tests.simulation.rest import Rest
from tests.simulation.scheduler import Process, Scheduler
from tests.simulation.setting import Setting
from tests.simulation.submitters import Submitters
from tests.simulation.watchers.audit import audit, audit_redriven, redriveable
from tests.simulation.watchers.invariants import FINAL, Records, State, Violation
from tests.simulation.watchers.ledger import Ledger
from tests.simulation.watchers.memories import Memories
from tests.simulation.watchers.signs import Signs
from tests.simulation.weather import brew

T = TypeVar("T")
START_MS = 1_800_000_000_000
_SHARE_CHECKED = 0.01
_WEEKS_MS = 16 * 86_400_000
# A sweep sends what is due within two minutes, by a clock that may be half a minute ahead.
_SWEPT_AHEAD_MS = 150_000
# The share of the janitor's ticks that have nothing to do and are played all the same.
_IDLE_TICKS = 0.1


class Story(Protocol):
    """Is told everything that happens."""

    def __call__(self, now_ms: int, who: str, what: tuple[Any, ...]) -> None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one schedule."""

    calls: int
    faults: int
    accepted: int
    violation: Violation | None = None


class World:
    """One schedule.

    Arguments:
        rng: the seed. `faults`: what goes wrong. `deployments`: the code, newest first.
        story: is told everything; None to run faster.
    """

    def __init__(self, rng: Random, faults: Plan, deployments: list[Functions], story: Story | None = None) -> None:
        self.rng = rng
        self.faults = faults
        self.deployment = deployments[0]
        self._story = story
        self._struck = 0
        self._harm = False
        self._pending = 0
        self._numbers = 0
        self._most_calls = 0
        self.rest = Rest(self, is_asked=False)
        self.is_over = False
        self.is_healed = False
        # Some schedules compare every call with botocore's model of the service, which takes longer than the rest.
        self.checks_shapes = rng.random() < _SHARE_CHECKED
        self.scheduler = Scheduler(START_MS + rng.randrange(1_000))
        self.records = Records(self)
        self.memories = Memories(self)
        self.signs = Signs(self)
        self.cloud = Cloud(lambda: self.scheduler.now_ms, self.deployment.registry, self.records.look)
        self.calls = Calls(self)
        self.functions = Lambda(self, deployments)
        self.mappings = [Mapping.of(self, lane) for lane in self.deployment.registry.lanes.values()]
        self.minute = Minute(self)
        self.dependency = Dependency(self)
        self.ledger = Ledger(self)
        self.submitters = Submitters(self)
        self.operators = Operators(self)
        self.behaviours: dict[int, Behaviour] = {}
        self._denied: dict[str, int] = {}
        self._down: dict[str, int] = {}
        # Jobs whose stored bytes somebody took or changed, or that somebody made up: they may stay dead.
        self.spoiled: dict[str, None] = {}
        self._parts: dict[type[Any], Any] = {}
        # What else somebody has to do before everything is at rest: the invariant, what it means if that is never
        # done, and whether it is left.
        self.unsettled: list[tuple[str, str, Callable[[], bool]]] = []
        # When the janitor has something to do beside what is due in the table, Unix milliseconds.
        self.dues: list[Callable[[], int | None]] = []

    # --- what its parts ask -----------------------------------------------------------------------

    def tell(self, *what: Any) -> None:
        """Let the story know."""
        if self._story is not None:
            process = self.scheduler.current
            self._story(self.scheduler.now_ms, process.name if process else "", what)

    def strike(self, fault: Fault) -> None:
        """A fault happened between calls."""
        self._struck += 1
        self._harm = self._harm or fault not in HARMLESS
        self.tell("fault", fault.value)

    def next_number(self) -> int:
        """A number that was not given out before."""
        self._numbers += 1
        return self._numbers

    def later(self, at_ms: int, action: Callable[[], None]) -> None:
        """Let `action` happen at `at_ms`; the world is not quiet before."""
        self._pending += 1

        def happen() -> None:
            self._pending -= 1
            action()

        self.scheduler.at(at_ms, happen)

    def start(self, name: str, main: Callable[[], Any], role: str) -> Process:
        """Start a process outside of Lambda."""
        return self.scheduler.spawn(name, main, role=role, ended=self._ended)

    def poke(self) -> None:
        """Messages came or changed."""
        for mapping in self.mappings:
            mapping.poke()

    def enable_sources(self, *, enabled: bool) -> None:
        """Switch all event source mappings on or off."""
        for mapping in self.mappings:
            mapping.is_enabled = enabled
        self.poke()

    @property
    def is_harmed(self) -> bool:
        """Whether a fault happened that may cost a job something: time, an attempt, or its life."""
        return self._harm or self.calls.faults > 0

    @property
    def is_calm(self) -> bool:
        """Whether nothing failed so far: no call, no process, no job, and no operator did anything.

        One message may have come twice. More of that can use up its receives, which SQS counts and nobody else.
        """
        gentle = all(behaviour.times == 0 for behaviour in self.behaviours.values())
        return gentle and not self.is_harmed and not self.spoiled and self._struck <= 1 and not self.operators.acted

    def part(self, sort: type[T]) -> T:
        """What only some worlds have, such as a check of their own; made when it is first asked for."""
        if sort not in self._parts:
            self._parts[sort] = sort(self)  # type: ignore[call-arg]  # each takes its world
        return self._parts[sort]  # type: ignore[no-any-return]

    def is_denied(self, service: str) -> bool:
        """Whether the roles may not use `service` for now."""
        return self._denied.get(service, 0) > self.scheduler.now_ms

    def is_forgotten(self, job: str) -> bool:
        """Whether the retention of the job's record ended."""
        return job in self.records.forgotten

    def deny(self, service: str, until_ms: int) -> None:
        """Take a right away for a while."""
        self.strike(Fault.ACCESS_DENIED)
        self._denied[service] = until_ms

    def is_down(self, service: str) -> bool:
        """Whether `service` answers nothing but errors for now."""
        return self._down.get(service, 0) > self.scheduler.now_ms

    def take_down(self, service: str, until_ms: int) -> None:
        """Let a service fail for a while."""
        self.strike(Fault.ERROR)
        self._down[service] = until_ms

    # --- the janitor's minutes --------------------------------------------------------------------

    def has_work_for_janitor(self) -> bool:
        """Whether a tick could find anything. Most of those that would find nothing are left out."""
        due_at = self._due_at()
        is_due = due_at is not None and due_at - _SWEPT_AHEAD_MS <= self.scheduler.now_ms
        return is_due or self._has_riddles() or self.rest.wants_look() or self.rng.random() < _IDLE_TICKS

    def idle_minutes(self) -> int:
        """In how many minutes the next tick can matter: one, unless nothing happens before."""
        next_at = self.scheduler.next_at()
        due_at = self._due_at()
        if next_at is None or self._has_riddles():
            return 1
        first = next_at if due_at is None else min(next_at, due_at - _SWEPT_AHEAD_MS)
        return max((first - self.scheduler.now_ms) // 60_000, 1)

    def _has_riddles(self) -> bool:
        """Whether a DLQ holds a message whose job is not known to be over, or one that the census will delete."""
        records = self.cloud.records()
        for message in self.cloud.buried():
            job = job_of(message)
            if job not in records or records[job]["state"]["S"] not in FINAL:
                return True
            if records[job]["state"]["S"] == "succeeded" and records[job]["fingerprint"]["S"] in message.body:
                return True
        return False

    def _due_at(self) -> int | None:
        times = [int(item["due_sk"]["S"]) for item in self.cloud.items.values() if "due_sk" in item]
        times += [at + _SWEPT_AHEAD_MS for due in self.dues if (at := due()) is not None]
        return min(times, default=None)

    # --- one schedule -----------------------------------------------------------------------------

    def run(self, setting: Setting) -> Outcome:
        """Play it from beginning to end."""
        violation = None
        try:
            self._play(setting)
        except Violation as found:
            violation = found
        self.is_over = True
        calls, faults = self.calls.made, self.calls.faults + self._struck
        return Outcome(calls, faults, len(self.ledger.accepted), violation)

    def _play(self, setting: Setting) -> None:
        self._most_calls = setting.most_calls
        self.rest = Rest(self, is_asked=setting.ends_at_rest)
        end = self.scheduler.now_ms + setting.prepare(self)
        self._begin(end - self.scheduler.now_ms)
        while (at := self.scheduler.next_at()) is not None and at <= end and not self.rest.is_over():
            self._step()
        weeks = self.faults.is_on(Fault.WEEKS)
        self._heal()
        self._be_quiet(setting.quiet_within_ms)
        self._audit(setting)
        if weeks:
            self._let_weeks_pass()
            self._audit(setting)
        dead = redriveable(self)
        if dead and self.rng.random() < setting.share_redriven:
            self._redrive(dead)
            self._be_quiet(setting.quiet_within_ms)
            self._audit(setting)
            audit_redriven(self, dead)

    def _audit(self, setting: Setting) -> None:
        audit(self)
        for check in setting.audits:
            check(self)

    def _begin(self, trouble_ms: int) -> None:
        self.minute.start()
        brew(self, trouble_ms)
        if self.faults.is_on(Fault.STALE):
            self.cloud.lag(lambda: self.rng.choice((0, 10, 500, 5_000, 60_000)))
        if self.faults.is_on(Fault.REORDER):
            self.cloud.mix(self.rng)
        if self.faults.is_on(Fault.OLD_RECEIPTS):
            self.cloud.take_old_receipts(lambda: self.rng.random() < 0.5)

    def _let_weeks_pass(self) -> None:
        """Longer than the DLQ keeps a message, and not as long as the table keeps a dead job."""
        self.strike(Fault.WEEKS)
        self.scheduler.now_ms += _WEEKS_MS
        self.cloud.forget_old_items()

    def _redrive(self, dead: dict[str, State]) -> None:
        self.tell("everything dead is redriven", list(dead))
        if self.rng.random() < 0.5:
            self.operators.redrive_at_console(self.scheduler.now_ms + 1)
        for job in dead:
            self.operators.redrive_job(self.scheduler.now_ms + self.rng.randrange(5_000), job)

    def _heal(self) -> None:
        self.tell("everything heals")
        self.is_healed = True
        self.faults = NoFaults()
        self.dependency.is_down = False
        self.cloud.lag(None)
        self.cloud.mix(None)
        self.cloud.take_old_receipts(None)
        self._denied.clear()
        self._down.clear()
        self.enable_sources(enabled=True)

    def _be_quiet(self, within_ms: int) -> None:
        until = self.scheduler.now_ms + within_ms
        while not self.is_at_rest():
            if self.scheduler.now_ms > until or not self._step():
                raise self._restless(within_ms)

    def _restless(self, within_ms: int) -> Violation:
        after = f"after {within_ms // 60_000} quiet minutes"
        for job, item in self.cloud.records().items():
            state = State.of(item)
            if not state.is_final:
                return Violation("I2", f"{job} is {state} {after}, and nobody will ever move it")
        for invariant, meaning, is_left in self.unsettled:
            if is_left():
                return Violation(invariant, f"{meaning} {after}")
        return Violation("I20", f"messages go round {after}, though every job is over")

    def is_at_rest(self) -> bool:
        """Whether nobody is left to call but the janitor, and it has nothing to do."""
        if self.scheduler.alive or self._pending or self.cloud.waiting():
            return False
        is_over = all(item["state"]["S"] in FINAL for item in self.cloud.records().values())
        # A plain message that no worker ever read has no record before the census finds it.
        return is_over and not self._has_riddles() and not any(is_left() for _, _, is_left in self.unsettled)

    def _step(self) -> bool:
        if self.calls.made > self._most_calls * (len(self.ledger.wanted) + 1):
            raise Violation("I20", f"{self.calls.made} calls for {len(self.ledger.wanted)} jobs")
        return self.scheduler.step()

    def _ended(self, _: Any, error: BaseException | None) -> None:
        if isinstance(error, Exception):
            self.tell("error", type(error).__name__, str(error))
