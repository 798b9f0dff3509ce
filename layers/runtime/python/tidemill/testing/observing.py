"""What a job does with its context: seen, counted, and where it can be ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from typing import Any, Protocol

from tidemill.domain.context import Lifeline
from tidemill.domain.waiting import Question


class Moment(Enum):
    """A point between a job and what is recorded of it."""

    ASKED = "before anything"
    BEFORE = "before the effect"
    INSIDE = "between the effect and its record"
    AFTER = "after the record"


@dataclass
class Calls:
    """What a job asked of its context, over all its attempts.

    Attributes:
        steps: names of the steps whose function was called, in this order.
        recalled: names of the steps that were answered from memory.
        keys: steps for which an idempotency key was asked.
        cursors: what was checkpointed.
        progress: (done, total, note) of each call, also of those that were not written.
        heartbeats: how many.
        waits: names of the answers that were waited for, each time. `reminders`: (name, number) of each.
    """

    steps: list[str] = field(default_factory=list)
    recalled: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    cursors: list[Any] = field(default_factory=list)
    progress: list[tuple[int, int | None, str | None]] = field(default_factory=list)
    heartbeats: int = 0
    waits: list[str] = field(default_factory=list)
    reminders: list[tuple[str, int]] = field(default_factory=list)


class Watcher(Protocol):
    """Looks over a job's shoulder, and may end it by raising."""

    def glance(self) -> None:
        """The job makes a call: raise what is due in it."""

    def at_step(self, name: str, moment: Moment) -> None:
        """The job is at this point of a step."""

    def at_cursor(self, cursor: object) -> None:
        """The job's cursor is recorded."""


@dataclass
class Observed:
    """A `Lifeline` that passes everything on to a real one."""

    lifeline: Lifeline
    calls: Calls
    watcher: Watcher

    @property
    def cancel_asked(self) -> bool:
        """See JobContext."""
        return self.lifeline.cancel_asked

    @property
    def time_left(self) -> timedelta:
        """See JobContext."""
        return self.lifeline.time_left

    @property
    def cursor(self) -> Any:
        """See JobContext."""
        self.watcher.glance()
        return self.lifeline.cursor

    def step(self, name: str, function: Callable[[], Any], returns: Any) -> Any:
        """See JobContext."""
        self.watcher.glance()
        self.watcher.at_step(name, Moment.ASKED)
        called = False

        def seen() -> Any:
            nonlocal called
            called = True
            self.watcher.at_step(name, Moment.BEFORE)
            self.calls.steps.append(name)
            value = function()
            self.watcher.at_step(name, Moment.INSIDE)
            return value

        value = self.lifeline.step(name, seen, returns)
        self._ended(name, called=called)
        return value

    async def step_async(self, name: str, function: Callable[[], Awaitable[Any]], returns: Any) -> Any:
        """See JobContext."""
        self.watcher.glance()
        self.watcher.at_step(name, Moment.ASKED)
        called = False

        async def seen() -> Any:
            nonlocal called
            called = True
            self.watcher.at_step(name, Moment.BEFORE)
            self.calls.steps.append(name)
            value = await function()
            self.watcher.at_step(name, Moment.INSIDE)
            return value

        value = await self.lifeline.step_async(name, seen, returns)
        self._ended(name, called=called)
        return value

    def step_key(self, name: str) -> str:
        """See JobContext."""
        self.watcher.glance()
        self.calls.keys.append(name)
        return self.lifeline.step_key(name)

    def checkpoint(self, cursor: object) -> None:
        """See JobContext."""
        self.watcher.glance()
        self.calls.cursors.append(cursor)
        self.lifeline.checkpoint(cursor)
        self.watcher.at_cursor(cursor)

    def heartbeat(self) -> None:
        """See JobContext."""
        self.watcher.glance()
        self.calls.heartbeats += 1
        self.lifeline.heartbeat()

    def progress(self, done: int, total: int | None, note: str | None) -> None:
        """See JobContext."""
        self.watcher.glance()
        self.calls.progress.append((done, total, note))
        self.lifeline.progress(done, total, note)

    def wait_for(self, question: Question) -> Any:
        """See JobContext."""
        self.watcher.glance()
        self.calls.waits.append(question.name)
        reminder = question.reminder
        if reminder is not None:
            question = replace(question, reminder=lambda number: self._reminded(question.name, reminder, number))
        return self.lifeline.wait_for(question)

    def answer_token(self, name: str, to: str, lasts: timedelta) -> str:
        """See JobContext."""
        self.watcher.glance()
        return self.lifeline.answer_token(name, to, lasts)

    def answer_link(self, name: str, to: str, lasts: timedelta) -> str:
        """See JobContext."""
        self.watcher.glance()
        return self.lifeline.answer_link(name, to, lasts)

    def _reminded(self, name: str, reminder: Callable[[int], object], number: int) -> None:
        self.calls.reminders.append((name, number))
        reminder(number)

    def _ended(self, name: str, *, called: bool) -> None:
        if called:
            self.watcher.at_step(name, Moment.AFTER)
        else:
            self.calls.recalled.append(name)
