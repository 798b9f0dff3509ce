"""An event loop in which waiting takes no time: its clock is the harness's."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar, TypeVarTuple, Unpack

from tidemill.service.event_loop import EventLoopThread, Flight, Interruptible
from tidemill.testing.clock import VirtualClock

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class InlineLoop(EventLoopThread):
    """Runs coroutines in the thread that waits for them. `asyncio.sleep` moves the virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self._loops: list[_VirtualLoop] = []

    def start(self, awaitable: Awaitable[Any]) -> Flight:
        """See EventLoopThread. Nothing runs before its result is asked for."""
        return _InlineFlight(Interruptible(awaitable), self._idle())

    def close(self) -> None:
        """Close the loops that were needed."""
        for loop in self._loops:
            loop.give_up()
        self._loops.clear()

    def _idle(self) -> _VirtualLoop:
        # A job that runs while another one stands still needs a loop of its own.
        for loop in self._loops:
            if loop.is_idle:
                return loop
        self._loops.append(_VirtualLoop(self._clock))
        return self._loops[-1]


class _InlineFlight(Flight):
    def result(self) -> Any:
        """See Flight."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._land()
        else:
            # One thread runs one loop: the test is a coroutine itself.
            with ThreadPoolExecutor(1, "tidemill-harness") as thread:
                thread.submit(self._land).result()
        return super().result()

    def _land(self) -> None:
        self._loop.run_until_complete(asyncio.wrap_future(self._future, loop=self._loop))


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._threads = 0
        super().__init__(_VirtualSelector(self))
        # The loop runs what is due before its time and this: at the time itself, it would ask again for ever.
        self._clock_resolution = 0.001

    def time(self) -> float:
        return self.clock.now_ms() / 1000

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._came_back)
        return future

    @property
    def is_idle(self) -> bool:
        """Whether it can run the next coroutine: no job that could not be ended is left in it."""
        return not self.is_running() and not asyncio.all_tasks(self)

    @property
    def is_busy(self) -> bool:
        """Whether a thread works for it."""
        return self._threads > 0

    def give_up(self) -> None:
        """Close it, with the jobs in it that nothing could end: each was said when it was left behind."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001 - it would be said again
        if not self.is_running():
            self.close()

    def _came_back(self, _: object) -> None:
        self._threads -= 1


class _VirtualSelector(selectors.DefaultSelector):
    """Waits for what is real in real time, and for time alone not at all."""

    def __init__(self, loop: _VirtualLoop) -> None:
        super().__init__()
        self._of = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        # One file is the loop's own, by which other threads wake it.
        is_real = self._of.is_busy or len(self.get_map()) > 1
        ready = super().select(timeout if is_real else 0)
        if not ready:
            self._pass(timeout)
        return ready

    def _pass(self, timeout: float | None) -> None:
        clock = self._of.clock
        stops = [clock.next_stop(), None if timeout is None else clock.now_ms() + math.ceil(timeout * 1000)]
        # No further than to the next stop, where the job may be interrupted.
        stop = min((at for at in stops if at is not None), default=None)
        if stop is None:
            raise AssertionError("the job awaits something that nothing will ever do. Fix: answer it in the test")
        clock.move_to(stop)
