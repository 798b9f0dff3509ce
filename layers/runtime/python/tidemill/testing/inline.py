"""Runs jobs one after the other in the thread that asks for it, with interrupts that come at known places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

from tidemill.domain.ports import Clock
from tidemill.service.batch import Batch
from tidemill.service.running import ThreadInterrupter
from tidemill.testing.faults import Crashed


class Again(Crashed):
    """The attempt is dropped here and runs again at once, from what it remembers."""


class InlineInterrupter(ThreadInterrupter):
    """Keeps the error for the job's next call of its context, or the next time that its clock moves."""

    def __init__(self) -> None:
        self.error: type[BaseException] | None = None

    def __call__(self, error: type[BaseException]) -> None:
        """See Interrupter."""
        self.error = error

    def close(self) -> None:
        """Let nothing more in."""
        self.error = None

    def deliver(self) -> None:
        """Raise the error, once."""
        error, self.error = self.error, None
        if error is not None:
            raise error


@dataclass(slots=True)
class Stint:
    """One job in the hands of one worker process.

    Attributes:
        ended: why the process, or the attempt alone, is no more. All that it still tries raises this again.
    """

    batch: Batch
    message_id: str
    ended: Crashed | None = None

    def check(self) -> None:
        """Raise if it is no more."""
        if self.ended is not None:
            raise self.ended

    def drop(self, ended: Crashed) -> NoReturn:
        """Let it be no more."""
        self.ended = ended
        raise ended


@dataclass
class InlineCrew:
    """A `Crew` without threads, and the alarm that ends its jobs in time. One for all workers of a harness."""

    clock: Clock
    # The innermost job last; None where the process is another one than the last job's, or is frozen.
    _stints: list[Stint | None] = field(default_factory=list)

    def run(self, batch: Batch, message_ids: Sequence[str]) -> None:
        """See Crew.

        Raises:
            Crashed: the worker ended in the midst of it.
        """
        for message_id in message_ids:
            while not self._perform(batch, message_id):
                batch.startable[message_id] = batch.claimed[message_id]
                batch.running.pop(message_id, None)

    @property
    def stint(self) -> Stint | None:
        """What is run right now."""
        return self._stints[-1] if self._stints else None

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """Inside, the job that runs right now is not tended."""
        self._stints.append(None)
        try:
            yield
        finally:
            self._stints.pop()

    def lives(self) -> None:
        """Raise if the process that would do something right now has ended."""
        if self.stint is not None:
            self.stint.check()

    def crash(self, why: str) -> NoReturn:
        """End the process that runs right now."""
        if self.stint is not None:
            self.stint.drop(Crashed(why))
        raise Crashed(why)

    # --- as an alarm ------------------------------------------------------------------------------

    def next_at(self) -> int | None:
        """See Alarm."""
        stint = self.stint
        return None if stint is None else stint.batch.tend(self.clock.now_ms())

    def ring(self) -> None:
        """Warn, end or give up the job that runs right now."""
        stint = self.stint
        if stint is None:
            return
        stint.check()
        batch, now_ms = stint.batch, self.clock.now_ms()
        batch.tend(now_ms)
        if stint.message_id in batch.overrunning(now_ms):
            batch.leave_behind(stint.message_id)
            # Nothing can end it but what ends the process; here, the rest of it is skipped.
            stint.drop(Crashed("the job ran on after its timeout"))
        running = batch.running.get(stint.message_id)
        if running is not None and isinstance(running.interrupter, InlineInterrupter):
            running.interrupter.deliver()

    def _perform(self, batch: Batch, message_id: str) -> bool:
        """Run the job; whether it is done with."""
        stint = Stint(batch, message_id)
        self._stints.append(stint)
        try:
            batch.perform(message_id)
            # It may have caught what ended it.
            stint.check()
        except Again:
            return False
        except Crashed:
            if message_id not in batch.left_behind:
                raise
        finally:
            self._stints.pop()
        return True
