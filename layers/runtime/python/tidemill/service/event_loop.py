"""One event loop for a worker's life, in a thread of its own, and coroutines that can be interrupted in it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any


class Flight:
    """A coroutine on its way."""

    def __init__(self, coroutine: Interruptible, loop: asyncio.AbstractEventLoop) -> None:
        self._coroutine = coroutine
        self._loop = loop
        self._future: Future[tuple[Any, BaseException | None]] = asyncio.run_coroutine_threadsafe(
            _end_of(coroutine), loop
        )

    def result(self) -> Any:
        """Wait for its end; answer its value or raise what it raised."""
        value, ended = self._future.result()
        if ended is not None:
            raise ended
        return value

    def interrupt(self, error: type[BaseException]) -> None:
        """Raise `error` inside at the `await` that it waits at."""
        self._loop.call_soon_threadsafe(self._coroutine.interrupt, error)


class EventLoopThread:
    """One event loop for a worker's life, so that clients bound to a loop survive between jobs."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def start(self, awaitable: Awaitable[Any]) -> Flight:
        """Run it from any thread."""
        return Flight(Interruptible(awaitable), self._started())

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=_run, args=(self._loop,), name="tidemill-async", daemon=True)
                self._thread.start()
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop for as long as there is one, whatever a job of it does: it is its neighbours' loop too."""
    while not loop.is_closed():
        # asyncio lets these two out of the loop where a job's child task or callback raises them. A loop that a job
        # stops comes back likewise.
        with suppress(KeyboardInterrupt, SystemExit):
            loop.run_forever()


class Interruptible:
    """Hands on what the loop sends, and turns its own cancellation into the error that was asked for.

    A task can only be cancelled; a job is to see which end it is that has come.

    Arguments:
        awaitable: the job's coroutine.
    """

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self._coroutine = awaitable if isinstance(awaitable, Coroutine) else _coroutine(awaitable)
        self._task: asyncio.Task[Any] | None = None
        self._error: type[BaseException] | None = None

    def interrupt(self, error: type[BaseException]) -> None:
        """Raise `error` inside as soon as it waits. Only from the loop's own thread."""
        self._error = error
        if self._task is not None:
            self._task.cancel()

    def __await__(self) -> Generator[Any, Any, Any]:
        self._task = asyncio.current_task()
        advance: Callable[[], Any] = partial(self._coroutine.send, None)
        while True:
            if self._error is not None:
                advance = partial(self._coroutine.throw, self._taken())
            try:
                waited_for = advance()
            except StopIteration as end:
                return end.value
            try:
                sent = yield waited_for
            except asyncio.CancelledError as cancelled:
                error = cancelled if self._error is None else self._taken()
                advance = partial(self._coroutine.throw, error)
            except BaseException as raised:  # noqa: BLE001 - whatever the loop throws is the coroutine's to handle
                advance = partial(self._coroutine.throw, raised)
            else:
                advance = partial(self._coroutine.send, sent)

    def _taken(self) -> BaseException:
        error, self._error = self._error, None
        if self._task is not None:
            # The task goes on: timeouts inside the job count its cancellations.
            self._task.uncancel()
        return _as_cancellation(error)() if error is not None else asyncio.CancelledError()


def _as_cancellation(error: type[BaseException]) -> type[BaseException]:
    """`error` as a cancellation too, under its own name.

    What has children, a task group for one, ends them when it is cancelled, and leaves them behind at any other error.
    """
    return type(error.__name__, (error, asyncio.CancelledError), {"__module__": error.__module__})


async def _coroutine(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


async def _end_of(awaitable: Interruptible) -> tuple[Any, BaseException | None]:
    try:
        return await awaitable, None
    # Raised through asyncio, some of these would end the loop, and every later job would wait for it for ever.
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
        return None, error
