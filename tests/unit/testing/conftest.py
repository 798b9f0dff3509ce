"""Jobs of all sorts, and a harness to run them in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tidemill import JobArgs, JobRegistry, Retry, TransientError, job, minutes, seconds
from tidemill.domain.context import JobContext
from tidemill.testing import Harness


class Pay(JobArgs, kind="try.pay"):
    cents: int = 100


class Doze(JobArgs, kind="try.doze"):
    seconds: float


class Import(JobArgs, kind="try.import"):
    pages: int


class Steady(JobArgs, kind="try.steady"):
    beats: int = 0


class World:
    """What jobs do to the outside. `does` is run inside of `Pay`, and may do anything."""

    def __init__(self) -> None:
        self.effects: list[str] = []
        self.does: Callable[[JobContext], Any] = lambda _: None
        self.tide: Harness

    @property
    def registry(self) -> JobRegistry:
        @job(Pay, retry=Retry(max_attempts=3, delays=(seconds(5), minutes(2))), soft_timeout=seconds(40))
        def pay(args: Pay, ctx: JobContext) -> str:
            paid = ctx.step("pay", self.effect, f"pay {ctx.step_key('pay')[-3:]}")
            self.does(ctx)
            ctx.step("note", self.effect, "note")
            return f"{paid} {args.cents}"

        @job(Doze, lane="bulk")
        async def doze(args: Doze, ctx: JobContext) -> float:
            await ctx.step("doze", self.doze, args.seconds)
            return args.seconds

        @job(Import)
        def import_(args: Import, ctx: JobContext) -> int:
            for page in range(ctx.cursor or 0, args.pages):
                self.effect(f"page {page}")
                self.tide.advance(seconds(9))
                ctx.checkpoint(page + 1)
            return args.pages

        @job(Steady, lane="critical", timeout=minutes(10), heartbeat=seconds(30))
        def steady(args: Steady, ctx: JobContext) -> int:
            for _ in range(args.beats):
                self.tide.advance(seconds(20))
                ctx.heartbeat()
            self.does(ctx)
            return args.beats

        return JobRegistry(pay, doze, import_, steady)

    def effect(self, name: str) -> str:
        self.effects.append(name)
        return name

    async def doze(self, span: float) -> str:
        await asyncio.sleep(span)
        return self.effect("dozed")

    def fails(self, times: int = 1_000, error: type[Exception] = TransientError) -> None:
        """Let `Pay` fail the next so many times."""
        left = iter(range(times))

        def fail(_: JobContext) -> None:
            if next(left, None) is not None:
                raise error("the bank is asleep")

        self.does = fail


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def tide(world: World):
    with Harness(world.registry) as tide:
        world.tide = tide
        yield tide
