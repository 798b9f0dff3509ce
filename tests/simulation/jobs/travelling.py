"""The jobs of sagas: each step books something, and its compensation gives it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, Conduct, misbehave
from tidemill import JobArgs, JobContext, Retry, job, minutes, seconds
from tidemill.domain.definition import JobDefinition
from tidemill.sagas import Saga, arguments, parallel, step, undo

# What a job of a saga does: its step, or what undoes it.
Deed = Literal["book", "give back"]
_LONG: Final = Retry(max_attempts=12, base=seconds(2), cap=seconds(40))


class Travel(JobArgs):
    """What a saga is started with."""

    trip: int
    owner: str


class Book(JobArgs, kind="sim.book"):
    """A step. `told`: the mark of the step before, or -1 where the saga does not pass it on."""

    trip: int
    owner: str
    place: int
    told: int = -1
    secret: str = CANARY


class GiveBack(JobArgs, kind="sim.give-back"):
    """A compensation."""

    trip: int
    owner: str
    place: int
    secret: str = CANARY


class Booked(BaseModel):
    """What a step tells the rest of its saga."""

    mark: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What one job of a saga does to the world."""

    trip: int
    place: int
    deed: Deed


def behaviour_of(trip: int, place: int, deed: Deed) -> int:
    """In place of a number: how such a job behaves."""
    return 1_000 * (trip + 1) + 10 * place + (deed == "give back")


def mark_of(trip: int, place: int) -> int:
    """What the step at this place tells."""
    return 10 * trip + place


def _book(args: Book, ctx: JobContext) -> Booked:
    stage.playing().ledger.tell("books", args, ctx)
    _do(args, ctx, "book")
    return Booked(mark=mark_of(args.trip, args.place))


def _give_back(args: GiveBack, ctx: JobContext) -> None:
    _do(args, ctx, "give back")


def _do(args: Any, ctx: JobContext, deed: Deed) -> None:
    """Misbehave before the effect, or after it: then nobody but the compensation can know of it."""
    world = stage.playing()
    name = f"{ctx.tenant}#{ctx.job_id}"
    world.ledger.started_in[name, ctx.generation] += 1
    number = behaviour_of(args.trip, args.place, deed)
    world.ledger.started[number] += 1
    conduct = world.behaviours[number].now(world.ledger.started[number])
    is_late = conduct in (Conduct.FAILS, Conduct.REFUSES, Conduct.KILLS) and world.rng.random() < 0.5
    if not is_late:
        misbehave(conduct, world, args.secret)
    world.dependency.apply(name, Effect(args.trip, args.place, deed))
    if is_late:
        misbehave(conduct, world, args.secret)
    world.ledger.end(args, ctx)


_booking: Final = job(Book, lane=LANE, retry=RETRY, timeout=TIMEOUT)(_book)
_giving_back: Final = job(GiveBack, lane=LANE, retry=_LONG, timeout=TIMEOUT)(_give_back)
_given: Any = arguments(Travel)


def _step(place: int, timeout: Any, *, is_undone: bool = False, pivot: bool = False, after: Any = None) -> Any:
    common = {"trip": _given.trip, "owner": _given.owner, "place": place, "secret": CANARY}
    told = {} if after is None else {"told": after.result.mark}
    back = undo(_giving_back, args=common) if is_undone else None
    return step(f"s{place}", _booking, args={**common, **told}, compensate=back, pivot=pivot, timeout=timeout)


def _trip() -> Saga:
    first = _step(0, minutes(1), is_undone=True)
    second = _step(1, minutes(5), is_undone=True, after=first)
    return Saga("sim.trip", Travel, steps=[first, second, _step(2, minutes(3), pivot=True, after=second)])


def _purchase() -> Saga:
    first = _step(0, minutes(3), is_undone=True)
    pivot = _step(1, minutes(2), pivot=True, after=first)
    return Saga("sim.purchase", Travel, steps=[first, pivot, _step(2, minutes(2), after=pivot)])


def _pair() -> Saga:
    first = _step(0, minutes(5), is_undone=True)
    return Saga("sim.pair", Travel, steps=[first, _step(1, minutes(2), is_undone=True, after=first)])


def _group() -> Saga:
    first, second = _step(0, minutes(2), is_undone=True), _step(1, minutes(3), is_undone=True)
    beside = parallel("both", first, second)
    return Saga("sim.group", Travel, steps=[beside, _step(2, minutes(2), pivot=True, after=second)])


SAGAS: Final = (_trip(), _purchase(), _pair(), _group())


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    return (_booking, _giving_back)
