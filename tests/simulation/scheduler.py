"""Virtual time and cooperative processes: one thread, one heap, one seed, one order of events.

A process is a greenlet. It runs until it sleeps, and sleeping is all it can do to let others run; whatever
happens next is the event with the earliest time. Nothing here draws a random number.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from greenlet import getcurrent, greenlet

from tidemill.domain.interrupt import WorkerDied

Ended = Callable[[Any, BaseException | None], None]


class KilledError(WorkerDied):
    """The process is gone: thrown into it where it stands. No code of ours may survive it."""


class Process:
    """One operating system process, or one thread of it.

    Attributes:
        host: the process whose clock, fate and role a thread shares; a process is its own host.
        role: who calls AWS: `worker`, `janitor`, `client`, `operator`.
        skew_ms: how far its clock is ahead of the true time.
        dead: it was killed; what it still does while it unwinds has no effect.
        held_until: it is frozen until then, and so is whoever would kill it.
        interrupt: what is to be raised in it when it next goes on.
        finish: is called with what it returned, or what ended it.
    """

    __slots__ = (
        "children",
        "dead",
        "ended",
        "finish",
        "greenlet",
        "held_until",
        "host",
        "interrupt",
        "name",
        "role",
        "skew_ms",
        "waker",
    )

    def __init__(self, name: str, role: str, host: Process | None, skew_ms: int) -> None:
        self.name = name
        self.role = role
        self.host: Process = host or self
        self.skew_ms = skew_ms
        self.children: list[Process] = []
        self.dead = False
        self.ended = False
        self.greenlet: greenlet
        self.held_until = 0
        self.interrupt: type[BaseException] | None = None
        self.finish: Ended
        # Grows with every sleep, so that a wake-up that was overtaken by another one does nothing.
        self.waker = 0


class Scheduler:
    """Runs events in the order of their times, and of their making where the times are equal.

    Attributes:
        now_ms: the true time, Unix milliseconds.
        current: the process that runs; None between events.
        alive: how many processes and threads have not ended.
    """

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.current: Process | None = None
        self.alive = 0
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._made = 0
        self._hub = getcurrent()

    def at(self, time_ms: int, action: Callable[[], None]) -> None:
        """Let `action` happen at `time_ms`, or now if that is over."""
        self._made += 1
        heappush(self._heap, (max(time_ms, self.now_ms), self._made, action))

    def after(self, delay_ms: int, action: Callable[[], None]) -> None:
        """Let `action` happen `delay_ms` from now."""
        self.at(self.now_ms + delay_ms, action)

    def next_at(self) -> int | None:
        """When the next event happens."""
        return self._heap[0][0] if self._heap else None

    def step(self) -> bool:
        """Let the next event happen; False if there is none."""
        if not self._heap:
            return False
        self.now_ms, _, action = heappop(self._heap)
        action()
        return True

    def spawn(
        self,
        name: str,
        main: Callable[[], Any],
        *,
        role: str,
        ended: Ended | None = None,
        host: Process | None = None,
        skew_ms: int = 0,
    ) -> Process:
        """Start a process now; `ended` is told what it returned, or what ended it."""
        process = Process(name, role, host, host.skew_ms if host else skew_ms)
        self.alive += 1

        def finish(value: Any, error: BaseException | None) -> None:
            process.ended = True
            self.alive -= 1
            if ended is not None:
                ended(value, error)

        process.finish = finish
        process.greenlet = greenlet(lambda: self._main(process, main), self._hub)
        if host is not None:
            host.children.append(process)
        self.at(self.now_ms, lambda: self._resume(process, 0))
        return process

    def sleep(self, delay_ms: int) -> None:
        """Let others run for `delay_ms`. Called by a process."""
        process = self.running()
        process.waker += 1
        waker = process.waker
        self.at(self.now_ms + delay_ms, lambda: self._resume(process, waker))
        self._hub.switch()
        if process.dead:
            raise KilledError
        if process.interrupt is not None:
            error, process.interrupt = process.interrupt, None
            raise error

    def block(self) -> None:
        """Let others run until somebody calls `wake`. Called by a process."""
        process = self.running()
        process.waker += 1
        self._hub.switch()
        if process.dead:
            raise KilledError
        if process.interrupt is not None:
            error, process.interrupt = process.interrupt, None
            raise error

    def wake(self, process: Process) -> None:
        """Let a process that sleeps or is blocked go on now."""
        waker = process.waker
        self.at(self.now_ms, lambda: self._resume(process, waker))

    def crash(self) -> None:
        """End the process that runs, with all its threads, at this very point. Called by a process."""
        host = self.running().host
        self._doom(host)
        self.at(self.now_ms, lambda: self._bury(host))
        raise KilledError

    def kill(self, process: Process) -> None:
        """End a process and its threads where they stand. Called by an event, never by a process."""
        self._doom(process.host)
        self._bury(process.host)

    def interrupt(self, process: Process, error: type[BaseException]) -> None:
        """Raise `error` in `process` when it next goes on."""
        process.interrupt = error

    def hold(self, delay_ms: int) -> None:
        """Freeze the process that runs: nobody can kill it before `delay_ms` are over."""
        self.running().host.held_until = self.now_ms + delay_ms

    def check_alive(self) -> None:
        """Raise KilledError in a process that was killed."""
        if self.current is not None and self.current.dead:
            raise KilledError

    def running(self) -> Process:
        """The process that calls this."""
        process = self.current
        if process is None:
            raise RuntimeError("only a process can wait")
        if process.dead:
            raise KilledError
        return process

    def _doom(self, host: Process) -> None:
        for one in (host, *host.children):
            one.dead = True

    def _bury(self, host: Process) -> None:
        for one in (*host.children, host):
            if one.ended:
                continue
            if one.greenlet:
                self.current = one
                one.greenlet.throw(KilledError)
                self.current = None
            else:
                # It never began to run.
                one.finish(None, KilledError())

    def _resume(self, process: Process, waker: int) -> None:
        if process.ended or process.waker != waker:
            return
        if process.dead:
            self._bury(process.host)
            return
        self.current = process
        process.greenlet.switch()
        self.current = None

    def _main(self, process: Process, main: Callable[[], Any]) -> None:
        value, error = None, None
        try:
            value = main()
        except (Exception, KilledError, SystemExit) as raised:  # noqa: BLE001 - whatever ended it is for `ended`
            error = raised
        process.finish(value, KilledError() if process.dead else error)
