"""Batches, chains and graphs: children that fail, die, are cancelled and put back; submitters that come twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from tests.simulation.asking import TENANTS, WELL, sometime, soon, want
from tests.simulation.jobs.batched import CALLBACKS, Tallied
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.setting import Setting
from tests.simulation.watchers.flocks import Flock, Flocks, audit_flocks
from tests.simulation.world import World
from tidemill import Submission
from tidemill.batches import Batch, Chain, Graph, at_least, tolerate
from tidemill.domain.batch_errors import BatchNotFoundError
from tidemill.domain.errors import UnavailableError

_CONDUCTS = (
    WELL,
    WELL,
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 99),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.WAITS, 1),
)
_TOLD = (WELL, WELL, WELL, Behaviour(Conduct.FAILS, 1), Behaviour(Conduct.REFUSES, 1))
_TRIES = 5
_DIAMOND = ((), (0,), (0,))
_JOIN = ((), (), (0, 1))


def prepare(world: World) -> int:
    """Start one or two flows; now and then somebody cancels, or starts the same once more."""
    rng = world.rng
    trouble_ms = rng.choice((120_000, 600_000, 1_800_000))
    flocks = world.part(Flocks)
    world.behaviours[CALLBACKS] = rng.choice(_TOLD)
    for number in range(rng.choice((1, 1, 2))):
        flock = _flock(world, number)
        flocks.flocks[number] = flock
        flow = _flow(world, flock)
        at_ms = soon(world)
        world.later(at_ms, lambda flock=flock, flow=flow: _start(world, flock, flow))
        if rng.random() < 0.2:
            world.later(sometime(world, trouble_ms), lambda flock=flock, flow=flow: _start(world, flock, flow))
        if rng.random() < 0.15:
            world.operators.acted += 1
            cancel = _canceller(world, flock)
            at_ms = sometime(world, trouble_ms)
            world.later(at_ms, lambda cancel=cancel: world.start("cancel", cancel, role="operator"))
    if rng.random() < 0.2:
        world.operators.cancel(sometime(world, trouble_ms))
    if rng.random() < 0.3:
        rng.choice((world.operators.redrive_at_console, world.operators.redrive_at_desk))(sometime(world, trouble_ms))
    return trouble_ms


def _flock(world: World, number: int) -> Flock:
    rng = world.rng
    tenant = rng.choice(TENANTS)
    shape = rng.choice(("batch", "batch", "batch", "early", "chain", "diamond", "join"))
    size = rng.choice((0, 1, 2, 3, 4, 5, 7)) if shape == "batch" else 3
    numbers = tuple(100 * (number + 1) + place for place in range(size))
    empty = frozenset[int]() if shape == "batch" else _empty_places(world, size)
    for place, one in enumerate(numbers):
        if place in empty:
            continue
        world.ledger.wanted[one] = want(world, one, rng.choice(_CONDUCTS), kind="sim.charge", tenant=tenant)
    after: tuple[tuple[int, ...], ...] = ((),) * size
    if shape == "chain":
        after = tuple((place - 1,) if place else () for place in range(size))
    elif shape in ("diamond", "join"):
        after = _DIAMOND if shape == "diamond" else _JOIN
    needed = size
    if shape == "early":
        needed = rng.choice((1, 2))
    elif shape == "batch" and size and rng.random() < 0.4:
        needed = size - rng.randint(1, size)
    callbacks = rng.choice((("then", "on_failure"), ("then", "on_failure"), ("then",), ("on_failure",), ()))
    return Flock(number, tenant, f"flock-{number}", numbers, after, needed, shape == "early", callbacks, empty)


def _empty_places(world: World, size: int) -> frozenset[int]:
    """The places that have a batch or chain without children, in one flow of four."""
    lots = Random()  # noqa: S311 - what the seed draws after this is the same with it and without it
    lots.setstate(world.rng.getstate())
    if lots.random() >= 0.25:
        return frozenset()
    return frozenset(lots.sample(range(size), lots.choice((1, 1, 2, size))))


def _flow(world: World, flock: Flock) -> Any:
    jobs = [_child(world, flock, place) for place in range(len(flock.numbers))]
    told: dict[str, Any] = {which: Tallied(flock=flock.number, which=which) for which in flock.callbacks}
    if not any(flock.after):
        rule = at_least(flock.needed) if flock.early else tolerate(len(jobs) - flock.needed)
        return Batch(jobs, completion=rule, **told)
    if flock.after not in (_DIAMOND, _JOIN):
        return Chain(*jobs, **told)
    names = [f"n{place}" for place in range(len(jobs))]
    after = {names[place]: [names[one] for one in earlier] for place, earlier in enumerate(flock.after) if earlier}
    return Graph(dict(zip(names, jobs, strict=True)), after, **told)


def _child(world: World, flock: Flock, place: int) -> Any:
    delay = timedelta(seconds=world.rng.choice((0, 0, 0, 0, 30, 1_200)))
    if place in flock.empty:
        return Chain() if delay else Batch([])
    return Submission(_args_of(world, flock.numbers[place]), delay=delay)


def _args_of(world: World, number: int) -> Any:
    wanted = world.ledger.wanted[number]
    return world.deployment.registry.resolve(wanted.kind).args_type(number=number, owner=wanted.tenant)


def _start(world: World, flock: Flock, flow: Any) -> None:
    """As the docs ask: the same call with the same key until there is an answer."""

    def main() -> None:
        wanted = [world.ledger.wanted[one] for place, one in enumerate(flock.numbers) if place not in flock.empty]
        world.ledger.begin(wanted)
        for _ in range(_TRIES):
            try:
                started = world.deployment.program.client.start(flow, key=flock.key, tenant=flock.tenant)
            except UnavailableError:
                world.scheduler.sleep(world.rng.choice((500, 2_000, 30_000)))
                continue
            world.tell("started", flock.partition, started.created)
            world.part(Flocks).accepted[flock.number] = None
            if started.batch.ended is None and not started.batch.cancel_asked:
                _accept(world, flock)
            return

    world.start(f"start-{flock.number}", main, role="client")


def _accept(world: World, flock: Flock) -> None:
    """The children of a batch were all submitted. A graph's are the table's to start: those that are there will end."""
    records, is_graph = world.cloud.records(), any(flock.after)
    for place, number in enumerate(flock.numbers):
        if place not in flock.empty and (not is_graph or flock.job(place) in records):
            world.ledger.accept(world.ledger.wanted[number], flock.ref.child(place).id)


def _canceller(world: World, flock: Flock) -> Callable[[], None]:
    def main() -> None:
        for _ in range(_TRIES):
            try:
                view = world.deployment.program.client.batches.cancel(flock.ref.id, flock.tenant)
            except UnavailableError:
                world.scheduler.sleep(2_000)
                continue
            except BatchNotFoundError:
                return
            world.tell("batch cancelled", flock.partition, str(view.state))
            return

    return main


SETTING = Setting(
    "batches",
    "batches, chains and graphs, also empty ones, whose children fail, die, are cancelled and put back; two submitters",
    prepare,
    share_redriven=0.6,
    # A failed batch is looked at once a day for successes that nobody counted; an unfinished submit ends after one.
    quiet_within_ms=50 * 3_600_000,
    # A start that its caller has left stays open for a day, and each idle minute of the janitor is 22 calls.
    most_calls=6_000,
    audits=(audit_flocks,),
)
