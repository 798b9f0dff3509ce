"""The jobs that are run: each number behaves as the schedule says, and the well-behaved ones have an effect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.simulation import stage
from tidemill import (
    JobArgs,
    JobContext,
    JobRegistry,
    Lane,
    PermanentError,
    RateLimitedError,
    Retry,
    TransientError,
    job,
    minutes,
    seconds,
)
from tidemill.domain.definition import JobDefinition

# Stands in arguments and results, and must never stand in a log, a metric, or the record of an error.
CANARY = "canary-9c41f7"
LANE = "work"
RETRY = Retry(max_attempts=4, base=seconds(2), cap=seconds(40))
# Waits that leave the queue for the table.
PATIENT = Retry(max_attempts=3, delays=(seconds(90), minutes(20)))
TIMEOUT = seconds(45)


class Conduct(StrEnum):
    """How a job behaves, the first few times it is started or always."""

    WELL = "well"
    FAILS = "fails"
    REFUSES = "refuses for good"
    KILLS = "kills its process"
    HANGS = "hangs where nothing can interrupt it"
    DOZES = "hangs where its timeout can end it"
    WAITS = "asks to wait"
    MUMBLES = "returns what is no JSON"
    BOASTS = "returns much"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`conduct` for the first `times` starts; well from then on."""

    conduct: Conduct = Conduct.WELL
    times: int = 0

    @property
    def is_curable(self) -> bool:
        """Whether the job succeeds if it is only tried often enough."""
        return self.times < 99

    def now(self, started: int) -> Conduct:
        """What start number `started` (from 1) does."""
        return self.conduct if started <= self.times else Conduct.WELL


class Charge(JobArgs, kind="sim.charge"):
    """A job of the usual sort."""

    number: int
    owner: str
    secret: str = CANARY


class Notify(JobArgs, kind="sim.notify"):
    """A coroutine."""

    number: int
    owner: str
    secret: str = CANARY


class Import(JobArgs, kind="sim.import"):
    """A job whose waits are long."""

    number: int
    owner: str
    secret: str = CANARY


class NewCharge(JobArgs, kind="sim.charge"):
    """What the next version makes of `Charge`: a field more."""

    number: int
    owner: str
    secret: str = CANARY
    channel: str = "post"


def _run(args: Any, ctx: JobContext) -> Any:
    world = stage.playing()
    started = world.ledger.start(args, ctx)
    conduct = world.behaviours[args.number].now(started)
    _misbehave(conduct, world)
    world.dependency.apply(f"{ctx.tenant}/{ctx.job_id}", args.number)
    world.ledger.end(args, ctx)
    match conduct:
        case Conduct.MUMBLES:
            return object()
        case Conduct.BOASTS:
            return {"number": args.number, "secret": args.secret, "much": "x" * 3_000}
        case _:
            return {"number": args.number, "secret": args.secret}


def _misbehave(conduct: Conduct, world: Any) -> None:
    match conduct:
        case Conduct.FAILS:
            raise TransientError("not today")
        case Conduct.REFUSES:
            raise PermanentError("never")
        case Conduct.KILLS:
            world.scheduler.crash()
        case Conduct.HANGS:
            world.scheduler.sleep(world.rng.choice((50_000, 300_000)))
        case Conduct.DOZES:
            for _ in range(100):
                world.scheduler.sleep(1_000)
        case Conduct.WAITS:
            raise RateLimitedError(retry_after=seconds(world.rng.choice((1, 20, 90))))
        case _:
            pass


def _definitions(charge: type[JobArgs]) -> tuple[JobDefinition[Any, Any], ...]:
    async def notify(args: Notify, ctx: JobContext) -> Any:
        return _run(args, ctx)

    return (
        job(charge, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_run),
        job(Notify, lane=LANE, retry=RETRY, timeout=TIMEOUT)(notify),
        job(Import, lane=LANE, retry=PATIENT, timeout=TIMEOUT)(_run),
    )


def registries(batch_size: int = 10, concurrency: int = 10) -> list[JobRegistry]:
    """The two versions of the code that may run side by side: the current one and the one before."""
    lane = Lane(LANE, batch_size=batch_size, concurrency=concurrency)
    return [JobRegistry(*_definitions(args), lanes=(lane,)) for args in (NewCharge, Charge)]
