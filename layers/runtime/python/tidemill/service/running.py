"""One job while it runs, as the worker sees it from outside: when to warn it, when to end it, when to give it up."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.interrupt import HardTimeout, SoftTimeoutError
from tidemill.service.lifeline import AttemptLifeline

# When a job is asked after again that was recording an effect, milliseconds: several times within HARD_GRACE.
_AGAIN_MS: Final = 100


class Interrupter(Protocol):
    """A way into running code."""

    def __call__(self, error: type[BaseException]) -> None:
        """Raise `error` in it, as soon as it can be."""


class ThreadInterrupter:
    """A way into the thread that made it. It reaches Python code between two instructions, never a call in C."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._is_open = True
        self._was_used = False

    def __call__(self, error: type[BaseException]) -> None:
        """See Interrupter."""
        with self._lock:
            if self._is_open:
                self._was_used = True
                _raise_in(self._thread, error)

    def close(self) -> None:
        """Let nothing more in, and take back what has not arrived."""
        with self._lock:
            self._is_open = False
            if self._was_used:
                _raise_in(self._thread, None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    # Few workers ever interrupt a job, and all of them start cold.
    import ctypes

    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)


@dataclass
class RunningJob:
    """A job that has started. Times are Unix milliseconds.

    Arguments:
        soft_at: when it is warned, None for never. `hard_at`: when it is ended.
    """

    lifeline: AttemptLifeline
    soft_at: int | None
    hard_at: int
    interrupter: Interrupter | None = None
    _said: list[type[BaseException]] = field(default_factory=list)

    def tend(self, now_ms: int) -> int:
        """Do what is due; answers when to come again."""
        is_over = now_ms >= self.hard_at
        times = [self.hard_at + milliseconds(limits.HARD_GRACE) if is_over else self.hard_at]
        due = self._due(now_ms)
        if due is not None and not self._interrupt(due):
            times.append(now_ms + _AGAIN_MS)
        if self.soft_at is not None and now_ms < self.soft_at:
            times.append(self.soft_at)
        if not is_over and (beat_at := self.lifeline.beat()) is not None:
            times.append(beat_at)
        return min(times)

    def has_overrun(self, now_ms: int) -> bool:
        """Whether it was ended and runs on."""
        return now_ms >= self.hard_at + milliseconds(limits.HARD_GRACE)

    def _due(self, now_ms: int) -> type[BaseException] | None:
        if now_ms >= self.hard_at:
            return HardTimeout
        return SoftTimeoutError if self.soft_at is not None and now_ms >= self.soft_at else None

    def _interrupt(self, error: type[BaseException]) -> bool:
        """Whether that is done. What a job has just done is recorded first, or it would be done again."""
        if error in self._said or self.interrupter is None:
            return True
        if not self.lifeline.interrupt(partial(self.interrupter, error)):
            return False
        self._said.append(error)
        return True
