"""Threads of a simulated process: they switch at AWS calls and nowhere else, in an order that the seed decides."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, Self

from tests.simulation import stage
from tests.simulation.scheduler import KilledError, Process


class Errand:
    """As much of a `concurrent.futures.Future` as the shipped code uses.

    Its hash is a number that the world counts, so that a set of them is walked through in the same order each time.
    """

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.is_done = False
        self.is_begun = False
        self.number = stage.playing().next_number()
        self.waiting: list[Process] = []
        self._value: Any = None
        self._error: BaseException | None = None

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other

    def cancel(self) -> bool:
        """Whether it never begins."""
        if not self.is_begun:
            self.is_done = True
        return not self.is_begun

    def end(self, value: Any, error: BaseException | None) -> None:
        self._value, self._error, self.is_done = value, error, True
        scheduler = stage.playing().scheduler
        for process in self.waiting:
            scheduler.wake(process)

    def result(self) -> Any:
        if not self.is_done:
            wait([self])
        if self._error is not None:
            raise self._error
        return self._value


class CooperativeThreads:
    """As much of a `ThreadPoolExecutor` as the shipped code uses."""

    def __init__(self, max_workers: int = 1, name: str = "", **_: Any) -> None:
        self._free = max_workers
        self._name = name
        self._queue: list[Errand] = []

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Errand:
        job = Errand(lambda: call(*arguments))
        self._queue.append(job)
        self._start()
        return job

    def map(self, call: Callable[[Any], Any], arguments: Iterable[Any]) -> Iterator[Any]:
        jobs = [self.submit(call, argument) for argument in arguments]
        return (job.result() for job in jobs)

    def shutdown(self, *, wait: bool = True, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._queue.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def _start(self) -> None:
        scheduler = stage.playing().scheduler
        host = scheduler.current.host if scheduler.current else None
        while self._queue and self._free:
            job = self._queue.pop(0)
            if job.is_done:
                continue
            job.is_begun = True
            self._free -= 1
            name = f"{host.name}.{job.number}" if host else self._name
            scheduler.spawn(name, job.work, role=host.role if host else "", host=host, ended=self._ended(job))

    def _ended(self, job: Errand) -> Callable[[Any, BaseException | None], None]:
        def ended(value: Any, error: BaseException | None) -> None:
            self._free += 1
            job.end(value, error)
            if not isinstance(error, KilledError):
                self._start()

        return ended


def wait(jobs: Iterable[Errand], timeout: float | None = None) -> tuple[set[Errand], set[Errand]]:
    """Those that ended and those that did not, when all have ended or the time is over."""
    waited = list(jobs)
    scheduler = stage.playing().scheduler
    process = scheduler.current
    assert process is not None
    until = None if timeout is None else scheduler.now_ms + int(timeout * 1000)
    while (open_ := [job for job in waited if not job.is_done]) and (until is None or scheduler.now_ms < until):
        for job in open_:
            if process not in job.waiting:
                job.waiting.append(process)
        if until is None:
            scheduler.block()
        else:
            scheduler.sleep(until - scheduler.now_ms)
    return {job for job in waited if job.is_done}, {job for job in waited if not job.is_done}


class Flight:
    """A coroutine on its way: it waits for nothing but AWS and the dependency, which switch by themselves."""

    def __init__(self, awaitable: Coroutine[Any, Any, Any]) -> None:
        self._awaitable = awaitable
        self._way_in = Interrupter()

    def result(self) -> Any:
        """Run it to its end."""
        try:
            while True:
                self._awaitable.send(None)
                stage.playing().scheduler.sleep(0)
        except StopIteration as end:
            return end.value
        finally:
            self._way_in.close()

    def interrupt(self, error: type[BaseException]) -> None:
        """Raise `error` in it where it waits."""
        self._way_in(error)


class Interrupter:
    """A way into the code of the thread that makes it: at its next switch."""

    def __init__(self) -> None:
        self._process = stage.playing().scheduler.running()
        self._is_open = True

    def __call__(self, error: type[BaseException]) -> None:
        if self._is_open:
            stage.playing().scheduler.interrupt(self._process, error)

    def close(self) -> None:
        """Let nothing more in."""
        self._is_open = False
        self._process.interrupt = None


class Lock:
    """A lock that its holder may take again."""

    def __init__(self) -> None:
        self._holder: Process | None = None
        self._waiting: list[Process] = []
        self._depth = 0

    def __enter__(self) -> None:
        process = stage.playing().scheduler.running()
        while self._holder is not None and self._holder is not process and not self._holder.ended:
            self._waiting.append(process)
            stage.playing().scheduler.block()
        self._holder = process
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if not self._depth:
            self._holder = None
            waiting, self._waiting = self._waiting, []
            for process in waiting:
                stage.playing().scheduler.wake(process)
