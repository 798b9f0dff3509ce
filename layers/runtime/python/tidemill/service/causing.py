"""What a running job hands on to the jobs that it submits, and how many of them that may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final

from tidemill.domain import limits
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.service.submission import Submission


@dataclass
class Cause:
    """One attempt of a running job, as the cause of others. Safe for threads.

    Arguments:
        envelope: the job's.
        warn: is told a limit's name, the count before and after, and the limit.
    """

    envelope: Envelope
    warn: Callable[[str, int, int, int], object]
    _children: int = 0
    _lock: Lock = field(default_factory=Lock)

    def of(self, submissions: Sequence[Submission]) -> list[Submission]:
        """The submissions, each with what it does not say itself: hops, correlation, causation and trace.

        Raises:
            InputError: the attempt has submitted as many jobs as it may. Nothing was written.
        """
        self.count(len(submissions))
        return [self.inherited(submission) for submission in submissions]

    def count(self, jobs: int) -> None:
        """Count jobs that this attempt submits.

        Raises:
            InputError: they are more than it may. Nothing was written.
        """
        with self._lock:
            before, now = self._children, self._children + jobs
            if now > limits.MAX_CHILDREN:
                problem = (
                    f"would be {now:,} that one attempt submits; {limits.MAX_CHILDREN:,} is the most. Fix: checkpoint "
                    "and go on in a next invocation, or submit jobs that each submit a part"
                )
                raise InputError.at("jobs", problem, "children")
            self._children = now
        self.warn("children", before, now, limits.MAX_CHILDREN)
        hops = self.envelope.hops
        self.warn("hops", hops, hops + 1, limits.MAX_HOPS)

    def inherited(self, submission: Submission) -> Submission:
        """The submission with what it does not say itself."""
        mine = self.envelope
        return replace(
            submission,
            hops=mine.hops + 1 if submission.hops is None else submission.hops,
            correlation_id=mine.correlation_id if submission.correlation_id is None else submission.correlation_id,
            causation_id=mine.ref.id if submission.causation_id is None else submission.causation_id,
            traceparent=mine.traceparent if submission.traceparent is None else submission.traceparent,
        )


# Of a thread or a coroutine: a coroutine has that of whoever started it.
_CAUSE: Final[ContextVar[Cause | None]] = ContextVar("tidemill_cause", default=None)


@contextmanager
def causing(cause: Cause) -> Iterator[None]:
    """Whatever is submitted here is caused by this attempt."""
    token = _CAUSE.set(cause)
    try:
        yield
    finally:
        _CAUSE.reset(token)


def current_cause() -> Cause | None:
    """The attempt whose code runs here; None outside of a job."""
    return _CAUSE.get()


def caused(submissions: Sequence[Submission]) -> list[Submission]:
    """The submissions as the running job makes them; outside of a job, as they are.

    Raises:
        InputError: see `Cause.of`.
    """
    cause = _CAUSE.get()
    return list(submissions) if cause is None else cause.of(submissions)
