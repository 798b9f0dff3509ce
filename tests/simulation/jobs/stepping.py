"""Jobs of several steps: some effects have a key and some have none, and anything may happen between any two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, Conduct, misbehave
from tests.simulation.scheduler import KilledError
from tidemill import JobArgs, JobContext, job
from tidemill.domain import limits
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import milliseconds, seconds

# The sorts of a step: whether its effect has a key, and what it returns.
SORTS = ("key", "key large", "free", "free large", "key nothing")
# What may go wrong at a place, and when: before a step, in it before the effect, and in it after the effect.
PLACES = 3
FREEZES = "freezes"
LINGERS = "lingers"
SOFT_TIMEOUT = seconds(20)
HEARTBEAT = seconds(10)
# How long before a timeout it goes on: the record of a step takes about as long.
_EARLY_MS = (0, 1, 2, 4, 30, 200)
_FROZEN_MS = (20_000, 60_000, 110_000, 150_000, 400_000)
_LARGE = "x" * (limits.MAX_INLINE_STEP_BYTES + 1)


class Order(JobArgs, kind="sim.order"):
    """Steps whose names are trusted.

    Attributes:
        plan: the sort of each step.
        trouble: what goes wrong: at which start (from 1), at which place (`PLACES` for each step), and what.
        busy_s: how many seconds each step works on after its effect.
    """

    number: int
    owner: str
    plan: list[str]
    trouble: list[tuple[int, int, str]]
    busy_s: int = 0
    secret: str = CANARY


class Ship(Order, kind="sim.ship"):
    """A coroutine whose steps are checked against those of the other version; the worker says that it lives."""


class Redo(Order, kind="sim.redo"):
    """Forgets its steps when the code has changed."""


class Audit(Order, kind="sim.audit"):
    """Stops when the code has changed."""


KINDS = ("sim.order", "sim.order", "sim.ship", "sim.ship", "sim.redo", "sim.audit")


class Walk:
    """One attempt's way through the steps."""

    def __init__(self, args: Order, ctx: JobContext) -> None:
        self.world = stage.playing()
        self._args, self._ctx = args, ctx
        self._job = f"{ctx.tenant}#{ctx.job_id}"
        self._started = self.world.ledger.start(args, ctx)

    def stumble(self, place: int) -> None:
        """Do whatever goes wrong here, if it does."""
        for start, at, what in self._args.trouble:
            if (start, at) == (self._started, place):
                self._do(what)

    def function_of(self, place: int) -> Callable[[object], Any]:
        """What step number `place` calls: it applies its effect, and says what it was given."""
        sort, name = self._args.plan[place], f"step-{place}"
        key = self._key(name) if sort.startswith("key") else None

        def function(given: object) -> Any:
            memories, world = self.world.memories, self.world
            memories.called(self._job, name)
            self.stumble(PLACES * place + 1)
            number = world.next_number()
            first = world.dependency.apply(self._job, number, key or f"{self._job}/{name}/{number}")
            if key is None:
                memories.happened(self._job, name)
            self._work()
            self.stumble(PLACES * place + 2)
            value = _value(sort, first, given)
            memories.done(self._job, name, value)
            return value

        return function

    def take(self, place: int, given: object) -> Any:
        """Step number `place`."""
        name, function = f"step-{place}", self.function_of(place)
        try:
            value = self._ctx.step(name, function, given)
        except BaseException as error:
            self._raised(name, error)
            raise
        self.world.memories.answered(self._job, name, value)
        return value

    async def take_async(self, place: int, given: object) -> Any:
        """Step number `place`; every other one is a coroutine."""
        if place % 2:
            return self.take(place, given)
        name, function = f"step-{place}", self.function_of(place)

        async def effect(given: object) -> Any:
            return function(given)

        try:
            value = await self._ctx.step(name, effect, given)
        except BaseException as error:
            self._raised(name, error)
            raise
        self.world.memories.answered(self._job, name, value)
        return value

    def end(self, given: object) -> dict[str, Any]:
        """The job's result."""
        self.stumble(PLACES * len(self._args.plan))
        self.world.ledger.end(self._args, self._ctx)
        return {"number": self._args.number, "secret": self._args.secret, "last": given if given is None else True}

    def _key(self, name: str) -> str:
        key = self._ctx.step_key(name)
        self.world.memories.keyed(self._job, name, key)
        return key

    def _raised(self, name: str, error: BaseException) -> None:
        if isinstance(error, KilledError):
            return
        process = self.world.scheduler.running().host
        over_at = self._ctx.deadline_ms + milliseconds(limits.HARD_GRACE)
        is_over = self.world.scheduler.now_ms + process.skew_ms >= over_at
        self.world.memories.raised(self._job, name, error, is_over=is_over or bool(process.held_until))

    def _work(self) -> None:
        for _ in range(self._args.busy_s):
            self.world.scheduler.sleep(1_000)
            if self._ctx.kind != "sim.ship":
                self._ctx.heartbeat()

    def _do(self, what: str) -> None:
        match what:
            case "freezes":
                pause = self.world.rng.choice(_FROZEN_MS)
                self.world.scheduler.hold(pause)
                self.world.scheduler.sleep(pause)
            case "lingers":
                soft_at = self._ctx.deadline_ms - milliseconds(TIMEOUT - SOFT_TIMEOUT)
                until = self.world.rng.choice((soft_at, self._ctx.deadline_ms)) - self.world.rng.choice(_EARLY_MS)
                now_ms = self.world.scheduler.now_ms + self.world.scheduler.running().skew_ms
                self.world.scheduler.sleep(max(until - now_ms, 0))
            case _:
                misbehave(Conduct(what), self.world)


def _value(sort: str, first: object, given: object) -> Any:
    if sort.endswith("nothing"):
        return None
    before = given["first"] if isinstance(given, dict) else None
    return {"first": first, "before": before, "secret": CANARY, "much": _LARGE if sort.endswith("large") else ""}


def _run(args: Any, ctx: JobContext) -> Any:
    walk, value = Walk(args, ctx), None
    for place in range(len(args.plan)):
        walk.stumble(PLACES * place)
        value = walk.take(place, value)
    return walk.end(value)


async def _run_async(args: Any, ctx: JobContext) -> Any:
    walk, value = Walk(args, ctx), None
    for place in range(len(args.plan)):
        walk.stumble(PLACES * place)
        value = await walk.take_async(place, value)
    return walk.end(value)


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """As both versions of the code declare them."""
    how: dict[str, Any] = {"lane": LANE, "retry": RETRY, "timeout": TIMEOUT, "soft_timeout": SOFT_TIMEOUT}

    async def ship(args: Ship, ctx: JobContext) -> Any:
        return await _run_async(args, ctx)

    return (
        job(Order, on_code_change="continue", **how)(_run),
        job(Ship, heartbeat=HEARTBEAT, **how)(ship),
        job(Redo, on_code_change="restart", **how)(_run),
        job(Audit, on_code_change="stop", **how)(_run),
    )
