"""Sagas: whole or undone, while steps fail, die and kill their worker, and people cancel, stop and resume them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.simulation.asking import TENANTS, WELL, sometime, soon
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.travelling import Deed, Travel, behaviour_of
from tests.simulation.setting import Setting
from tests.simulation.watchers.trips import SHAPES, Trip, Trips, audit_trips
from tests.simulation.world import World
from tidemill.domain.errors import TidemillError, UnavailableError

_STEPS: Final = (
    *(WELL,) * 8,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 99),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 99),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.KILLS, 99),
    Behaviour(Conduct.HANGS, 1),
    Behaviour(Conduct.DOZES, 1),
    Behaviour(Conduct.WAITS, 2),
)
_BACK: Final = (
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.HANGS, 1),
    Behaviour(Conduct.WAITS, 1),
)
_TRIES: Final = 5
# A saga to which nothing happens is over within some seconds.
_EARLY_MS: Final = (20, 100, 300, 600, 1_000, 2_000, 4_000)


def prepare(world: World) -> int:
    """Start one or two sagas; now and then somebody cancels, stops, looks at or resumes one, or starts it once more."""
    rng = world.rng
    trouble_ms = rng.choice((120_000, 600_000, 1_800_000))
    trips = world.part(Trips)
    for number in range(rng.choice((1, 1, 2))):
        trip = Trip(number, rng.choice(tuple(SHAPES)), rng.choice(TENANTS), f"trip-{number}")
        trips.trips[number] = trip
        _decide_behaviours(world, trip)
        starts_ms = soon(world)
        _start(world, trip, starts_ms)
        if rng.random() < 0.2:
            _start(world, trip, sometime(world, trouble_ms))
        _meddle(world, trip, starts_ms, trouble_ms)
    if rng.random() < 0.3:
        operators = world.operators
        ways = (operators.redrive_at_console, operators.redrive_at_desk, operators.edit_at_desk)
        rng.choice(ways)(sometime(world, trouble_ms))
    if world.faults.is_on(Fault.ERROR) and rng.random() < 0.5:
        lasts_ms = rng.choice((30_000, 120_000, 600_000))
        _deafen(world, rng.choice((soon(world), sometime(world, trouble_ms))), lasts_ms)
    return trouble_ms


def _decide_behaviours(world: World, trip: Trip) -> None:
    deeds: tuple[tuple[Deed, tuple[Behaviour, ...]], ...] = (("book", _STEPS), ("give back", _BACK))
    for place in range(trip.shape.steps):
        for deed, conducts in deeds:
            world.behaviours[behaviour_of(trip.number, place, deed)] = world.rng.choice(conducts)


def _meddle(world: World, trip: Trip, starts_ms: int, trouble_ms: int) -> None:
    rng, trips = world.rng, world.part(Trips)
    sagas = world.deployment.program.sagas.acting_as("an operator")

    def cancelled(_: Any) -> None:
        trips.cancelled[trip.number] = None

    if rng.random() < 0.3:
        late_ms = sometime(world, trouble_ms)
        at_ms = rng.choice((late_ms, starts_ms + rng.choice(_EARLY_MS), starts_ms + rng.choice(_EARLY_MS)))
        _come(world, trip, at_ms, "cancel", sagas.cancel, cancelled)
    if rng.random() < 0.2:
        _come(world, trip, sometime(world, trouble_ms), "resume", sagas.resume, _nothing)
    if rng.random() < 0.2:
        look = rng.choice((sagas.get, sagas.history))
        _come(world, trip, sometime(world, trouble_ms), "look", look, _nothing)
    # Of its own, so that a schedule in which nobody stops anything stays as it is.
    chance = Random(f"{trip} {starts_ms}")  # noqa: S311 - chance that repeats
    if chance.random() < 0.4:
        verb, then = chance.choice(((sagas.resume, _nothing), (sagas.resume, _nothing), (sagas.cancel, cancelled)))
        place = max(chance.randrange(trip.shape.steps), chance.randrange(trip.shape.steps))
        _stop_at(world, trip, place, chance, lambda at_ms: _come(world, trip, at_ms, "stopped", verb, then))


def _stop_at(
    world: World, trip: Trip, place: int, chance: Random, then: Callable[[int], None], tries: int = 100
) -> None:
    """Somebody stops the execution once it is as far as this step, as a fault of a definition would."""
    scheduler, machines = world.scheduler, world.part(Trips).machines

    def look() -> None:
        runs = world.part(Trips).runs(trip)
        if not (runs and any(state.endswith(f"s{place}") for _, _, state, _ in runs[-1].events)) and tries:
            _stop_at(world, trip, place, chance, then, tries - 1)
            return
        if any(machines.abort(name) for name, run in list(machines.runs.items()) if run in runs):
            then(scheduler.now_ms + chance.choice((1, 1, 2_000, 60_000, 600_000)))
            if chance.random() < 0.6:
                # The next execution does not hear in time of what is over.
                machines.deafens = chance.choice((120_000, 400_000, 400_000))

    world.later(scheduler.now_ms + chance.choice((50, 200, 500, 5_000)), look)


def _deafen(world: World, at_ms: int, lasts_ms: int) -> None:
    """Step Functions is down for a while."""
    world.later(at_ms, lambda: world.take_down("stepfunctions", world.scheduler.now_ms + lasts_ms))


def _nothing(_: Any) -> None:
    pass


def _start(world: World, trip: Trip, at_ms: int) -> None:
    """As the docs ask: the same call with the same key until there is an answer."""

    def main() -> None:
        args = Travel(trip=trip.number, owner=trip.tenant)
        start = world.deployment.program.sagas.start
        receipt = _insist(world, lambda: start(trip.saga, args, key=trip.key, tenant=trip.tenant))
        if receipt is not None:
            world.part(Trips).accept(trip, receipt.saga_id)

    world.later(at_ms, lambda: world.start(f"start-{trip.number}", main, role="client"))


def _come(
    world: World, trip: Trip, at_ms: int, name: str, verb: Callable[..., Any], answered: Callable[[Any], None]
) -> None:
    """Somebody does something with the saga, if it is there by then."""
    world.operators.acted += 1

    def main() -> None:
        saga_id = world.part(Trips).accepted.get(trip.number)
        if saga_id is None:
            return
        answer = _insist(world, lambda: verb(trip.saga, saga_id, trip.tenant))
        if answer is not None:
            world.tell("answered", name, trip.number)
            answered(answer)

    world.later(at_ms, lambda: world.start(f"{name}-{trip.number}", main, role="operator"))


def _insist(world: World, call: Callable[[], Any]) -> Any:
    for _ in range(_TRIES):
        try:
            return call()
        except UnavailableError:
            world.scheduler.sleep(world.rng.choice((500, 2_000, 30_000)))
        except TidemillError as error:
            world.tell("refused", error.code)
            return None
    return None


SETTING = Setting(
    "sagas",
    "sagas whose steps fail, stumble, die and kill their worker; cancelled, stopped, resumed and started twice",
    prepare,
    share_redriven=0.6,
    quiet_within_ms=12 * 3_600_000,
    most_calls=6_000,
    audits=(audit_trips,),
    has_sagas=True,
)
