"""A job that waits for an answer from outside: what it asks, and what was answered. Pure.

One item for each name is all there is of a wait, and its outcome is written once: either an answer or that nobody
gave one in time. So the two can't both have happened, whoever comes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from tidemill.domain.job import Job

# The reason of a job that waits, before the name of what it waits for.
_WAITING: Final = "waiting:"


@dataclass(frozen=True, slots=True)
class Given:
    """An answer. `value` is canonical JSON text, `at` Unix milliseconds.

    Attributes:
        by: who decided, as far as the means tells: an AWS ARN, the subject of a token, whom a link was made for.
        means: how it came: `client`, `api` or `link`.
    """

    value: str
    by: str
    means: str
    at: int


@dataclass(frozen=True, slots=True)
class Wait:
    """What is known of one answer that a job waits for, or will. Times are Unix milliseconds.

    Attributes:
        generation: the job's, when it was first asked or answered. A generation that forgets what earlier ones did
            asks anew.
        asked_at: when the job first asked; None if the answer came before that.
        ends_at: until when it can be answered. `asks`: what the job wants to know, for people.
        given: the answer. `timed_out_at`: when the job gave up. At most one of them is ever set, and stays.
    """

    name: str
    generation: int
    asked_at: int | None = None
    ends_at: int | None = None
    asks: str = ""
    given: Given | None = None
    timed_out_at: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has no outcome yet."""
        return self.given is None and self.timed_out_at is None

    def is_late(self, now_ms: int) -> bool:
        """Whether its time is over."""
        return self.ends_at is not None and self.ends_at <= now_ms

    def answered(self, given: Given) -> Wait:
        """With this answer."""
        return replace(self, given=given)

    def timed_out(self, now_ms: int) -> Wait:
        """Given up."""
        return replace(self, timed_out_at=now_ms)


@dataclass(frozen=True, slots=True)
class Question:
    """What a job asks at one place. Spans are milliseconds from when it first asked.

    Attributes:
        returns: the type of the answer.
        remind: when to remind, in order. `reminder`: is called then, as a step, with the reminder's number from 1.
    """

    name: str
    returns: Any
    timeout_ms: int
    remind: tuple[int, ...] = ()
    reminder: Callable[[int], object] | None = None
    asks: str = ""

    def asked(self, generation: int, now_ms: int) -> Wait:
        """The wait that begins now."""
        return Wait(self.name, generation, now_ms, now_ms + self.timeout_ms, self.asks)

    def reminder_due(self, asked_at: int, now_ms: int) -> int:
        """The number of the last reminder whose time has come, 0 before the first. Those before it were missed."""
        return sum(asked_at + after <= now_ms for after in self.remind)

    def next_at(self, wait: Wait, now_ms: int) -> int:
        """When the job has something to do again if nobody answers, Unix milliseconds."""
        asked_at, ends_at = wait.asked_at or now_ms, wait.ends_at or now_ms
        return min([ends_at, *(asked_at + after for after in self.remind if asked_at + after > now_ms)])


def reason_of(name: str) -> str:
    """The reason of a job that waits for the answer `name`."""
    return f"{_WAITING}{name}"


def awaited(job: Job) -> str | None:
    """The name of the answer that the job waits for, or waited for when it was last recorded; None if it did not."""
    reason = job.reason or ""
    return reason.removeprefix(_WAITING) if reason.startswith(_WAITING) else None
