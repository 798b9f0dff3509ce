"""Jobs that last: they say that they live and how far they are, record a cursor, hand over, and clean up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, Conduct, misbehave
from tests.simulation.jobs.stepping import HEARTBEAT
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import seconds
from tidemill.domain.interrupt import HardTimeout, JobCancelled, SoftTimeoutError
from tidemill.domain.signals import TransientError

# What a job says after each unit of its work, and what it does when it is to stop.
SAYS = ("nothing", "heartbeat", "progress")
CLEANS = ("nothing", "effect", "step")
# Conducts of such jobs alone.
FREEZES, IGNORES, CATCHES = "freezes", "takes no notice of its timeouts", "catches its soft timeout"
_FROZEN_MS = (20_000, 60_000, 110_000, 150_000, 400_000)


class Trek(JobArgs, kind="sim.trek"):
    """Units of work, one after the other, for longer than one invocation lasts.

    Attributes:
        units: how many. `pace_ms`: how long each takes. `every`: after how many it records a cursor, 0 for never.
        says, cleans: see `SAYS` and `CLEANS`.
        trouble: what goes wrong: at which start (from 1), in which unit since then (from 0), and what.
    """

    number: int
    owner: str
    units: int
    pace_ms: int
    every: int
    says: str
    cleans: str
    trouble: list[tuple[int, int, str]]
    secret: str = CANARY


class Tour(Trek, kind="sim.tour"):
    """A coroutine, whose lease lasts as long as its function may."""


class Rest(Trek, kind="sim.rest"):
    """One that is warned before its time is over."""


class Way:
    """One attempt's way through its units."""

    def __init__(self, args: Trek, ctx: JobContext) -> None:
        self.world = stage.playing()
        self._args, self._ctx = args, ctx
        self._job = f"{ctx.tenant}#{ctx.job_id}"
        self._started = self.world.ledger.start(args, ctx)

    def go(self) -> dict[str, Any]:
        """The job's function, whatever becomes of it."""
        signs = self.world.signs
        signs.begins(self._job)
        try:
            for nth, unit in enumerate(self._left()):
                self._work(nth, unit)
        except JobCancelled:
            self._clean_up()
            raise
        finally:
            signs.ends(self._job)
        self.world.ledger.end(self._args, self._ctx)
        return {"number": self._args.number, "secret": self._args.secret}

    def _left(self) -> Iterator[int]:
        first = 0
        if self._args.every:
            cursor = self._ctx.cursor
            self.world.memories.cursor(self._job, cursor)
            first = cursor or 0
        # Whatever was done before, one effect belongs to each generation.
        return iter(range(min(first, self._args.units - 1), self._args.units))

    def _work(self, nth: int, unit: int) -> None:
        for start, at, what in self._args.trouble:
            if (start, at) == (self._started, nth):
                self._stumble(what)
        self._last(self._args.pace_ms)
        self.world.dependency.apply(self._job, unit, f"{self._job}/{self.world.next_number()}")
        self._say(unit + 1)
        if self._args.every and (unit + 1) % self._args.every == 0:
            knew = self.world.signs.knows(self._job)
            self._ctx.checkpoint(unit + 1)
            self.world.signs.looked(self._job, knew=knew)
            self.world.memories.cursor(self._job, self._ctx.cursor)

    def _last(self, delay_ms: int) -> None:
        """Work, where a timeout can reach it each second."""
        while delay_ms > 0:
            self.world.scheduler.sleep(min(delay_ms, 1_000))
            delay_ms -= 1_000

    def _say(self, done: int) -> None:
        knew = self.world.signs.knows(self._job)
        match self._args.says:
            case "heartbeat":
                self._ctx.heartbeat()
            case "progress":
                fence = self.world.memories.claims[self._job, self.world.scheduler.running().host].fence
                self._ctx.progress(done, self._args.units, f"f{fence}")
            case _:
                return
        self.world.signs.looked(self._job, knew=knew)

    def _clean_up(self) -> None:
        if self._args.cleans == "nothing":
            return
        self.world.signs.heard(self._job, self._ctx.generation)
        self._undo_all()
        self.world.signs.cleaned(self._job, self._ctx.generation)

    def _undo_all(self) -> None:
        match self._args.cleans:
            case "effect":
                self._undo()
            case "step":
                try:
                    self._ctx.step("undo", self._undo)
                except JobCancelled:
                    self.world.signs.told_twice(self._job)
            case _:
                pass

    def _undo(self) -> None:
        memories = self.world.memories
        if self._args.cleans == "step":
            memories.called(self._job, "undo")
        self.world.dependency.apply(self._job, "undo", f"{self._job}/{self.world.next_number()}")
        if self._args.cleans == "step":
            memories.happened(self._job, "undo")
            memories.done(self._job, "undo", None)

    def _stumble(self, what: str) -> None:
        scheduler = self.world.scheduler
        if what == FREEZES:
            pause = self.world.rng.choice(_FROZEN_MS)
            scheduler.hold(pause)
            scheduler.sleep(pause)
        elif what == IGNORES:
            for _ in range(100):
                try:
                    scheduler.sleep(1_000)
                except (SoftTimeoutError, HardTimeout):
                    continue
        elif what == CATCHES:
            try:
                misbehave(Conduct.DOZES, self.world)
            except SoftTimeoutError:
                raise TransientError("cleaned up") from None
        else:
            misbehave(Conduct(what), self.world)


def _run(args: Any, ctx: JobContext) -> Any:
    return Way(args, ctx).go()


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """As both versions of the code declare them."""
    how: dict[str, Any] = {"lane": LANE, "retry": RETRY}

    async def tour(args: Tour, ctx: JobContext) -> Any:
        return _run(args, ctx)

    return (
        job(Trek, timeout=TIMEOUT, heartbeat=HEARTBEAT, **how)(_run),
        job(Tour, timeout=seconds(20), **how)(tour),
        job(Rest, timeout=seconds(16), soft_timeout=seconds(8), heartbeat=HEARTBEAT, **how)(_run),
    )
