"""Jobs that wait for answers, and a world that gives them."""

from __future__ import annotations

from typing import Any

from tests.unit.service.conftest import Behaviour, World
from tidemill import JobArgs, days, minutes
from tidemill.domain.duration import milliseconds
from tidemill.domain.waiting import Wait

APPROVAL, SHIPPED = "approval", "shipped"
DAY = days(1)


class Decision(JobArgs):
    granted: bool
    note: str = ""


def waiting(name: str = APPROVAL, timeout: Any = DAY, **options: Any) -> Behaviour:
    """A job that waits for one answer and returns it."""
    returns = Decision if name == APPROVAL else str
    return lambda args, ctx: ctx.wait_for(name, returns, timeout=timeout, **options)


def both(args: Any, ctx: Any) -> list[Any]:
    return [waiting(APPROVAL)(args, ctx).granted, waiting(SHIPPED)(args, ctx)]


def always(world: World, behaviour: Behaviour) -> None:
    world.does = [behaviour] * 50


def submitted(world: World, behaviour: Behaviour, **options: Any) -> Any:
    """A job that does this whenever it runs."""
    always(world, behaviour)
    return world.submit(**options)


def answer(world: World, job: Any, name: str = APPROVAL, value: Any = None, **options: Any) -> Any:
    value = Decision(granted=True) if value is None else value
    return world.client.answer(job.ref.id, name, value, **options)


def go_by(world: World, span: Any) -> None:
    """Let time go by, a minute at a time, with sweeps and workers."""
    end = world.clock.now_ms() + milliseconds(span)
    while world.clock.now_ms() < end:
        world.janitor.sweep()
        world.invoke()
        world.clock.advance(minutes(1))


def wait_of(world: World, job: Any, name: str = APPROVAL) -> Wait:
    found = world.waits.wait_of(job.ref, name)
    assert found is not None
    return found


def a_world() -> World:
    return World(answers={APPROVAL: Decision, SHIPPED: str})
