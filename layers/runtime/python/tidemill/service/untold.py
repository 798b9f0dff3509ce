"""What an attempt may tell, and when it may not: light, because every attempt has one and few tell anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from tidemill.domain.errors import StepError, Violation

if TYPE_CHECKING:
    from tidemill.domain.args import JobArgs
    from tidemill.domain.event import Event
    from tidemill.domain.outbox import Outbound

# Whether a step's function runs here, in this thread or coroutine.
_IN_STEP: Final[ContextVar[bool]] = ContextVar("tidemill_in_step", default=False)


class Teller(Protocol):
    """What holds it. `JobContext` says what its verbs do."""

    @property
    def outbounds(self) -> tuple[Outbound, ...]:
        """All of it."""

    def publish(self, event: Event, subject: str | None, sequence: int | None) -> str:
        """Publish a fact once the job has succeeded."""

    def submit(self, args: JobArgs, options: Mapping[str, Any]) -> str:
        """Submit a job once this one has succeeded."""


@contextmanager
def in_step() -> Iterator[None]:
    """What runs here is a step's function."""
    token = _IN_STEP.set(True)
    try:
        yield
    finally:
        _IN_STEP.reset(token)


@dataclass
class Untold:
    """What one attempt has asked to tell and has not told. Safe for threads. `make`: makes what holds it."""

    make: Callable[[], Teller]
    _held: Teller | None = None
    _lock: Lock = field(default_factory=Lock)

    @property
    def outbounds(self) -> tuple[Outbound, ...]:
        """All of it, should this attempt be the job's success."""
        return () if self._held is None else self._held.outbounds

    def told(self, now_ms: int) -> tuple[Outbound, ...]:
        """All of it, as the success that is composed now writes it."""
        if not self.outbounds:
            return ()
        # Few attempts tell anything.
        from tidemill.domain.outbox import written

        return written(self.outbounds, now_ms)

    def opened(self) -> Teller:
        """What holds it.

        Raises:
            StepError: a step's function asks for it.
        """
        if _IN_STEP.get():
            problem = (
                "is asked for in a step, which later attempts leave out: what it tells would be lost with this one. "
                "Fix: call ctx.publish and ctx.submit beside steps"
            )
            raise StepError(Violation("outbox", problem, "in_step"))
        with self._lock:
            if self._held is None:
                self._held = self.make()
            return self._held

    def check_empty(self) -> None:
        """Refuse to record how far the job is while there is something untold.

        Raises:
            StepError: there is.
        """
        if self.outbounds:
            problem = (
                "is asked for before a checkpoint: an attempt that goes on behind it would not tell it again. "
                "Fix: call ctx.publish and ctx.submit after the last checkpoint, or let a job of its own do each part"
            )
            raise StepError(Violation("outbox", problem, "before_checkpoint"))
