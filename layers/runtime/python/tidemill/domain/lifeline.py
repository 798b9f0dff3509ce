"""What stands behind a job's context: one attempt's hold on its job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from tidemill.domain.args import JobArgs
    from tidemill.domain.event import Event
    from tidemill.domain.waiting import Question


class Lifeline(Protocol):
    """One attempt's hold on its job. `JobContext` says what each of these does."""

    @property
    def cancel_asked(self) -> bool:
        """Whether the job was asked to stop."""

    @property
    def time_left(self) -> timedelta:
        """Until the hard timeout."""

    @property
    def cursor(self) -> Any:
        """The last checkpoint."""

    def step(self, name: str, function: Callable[[], Any], returns: Any) -> Any:
        """Call once, and remember what it returned as `returns`."""

    async def step_async(self, name: str, function: Callable[[], Awaitable[Any]], returns: Any) -> Any:
        """The same for a coroutine function."""

    def step_key(self, name: str) -> str:
        """The idempotency key of a step's effect."""

    def checkpoint(self, cursor: object) -> None:
        """Record the cursor, and hand over if the time is nearly up."""

    def heartbeat(self) -> None:
        """Say that the job lives."""

    def progress(self, done: int, total: int | None, note: str | None) -> None:
        """Show how far it is."""

    def wait_for(self, question: Question) -> Any:
        """Wait for an answer from outside."""

    def answer_token(self, name: str, to: str, lasts: timedelta) -> str:
        """A token that lets somebody answer."""

    def publish(self, event: Event, subject: str | None, sequence: int | None) -> str:
        """Publish a fact once the job has succeeded; answers its id."""

    def submit(self, args: JobArgs, options: Mapping[str, Any]) -> str:
        """Submit a job once this one has succeeded; answers its id."""
