"""What is raised inside a job from outside: its time is over, it is to stop, or it goes on elsewhere."""

from __future__ import annotations

from tidemill.domain.signals import TransientError


class SoftTimeoutError(TransientError):
    """The job's `soft_timeout` has passed: clean up and end. Uncaught, it costs an attempt, and there is another."""

    def __init__(self, message: str = "the job's soft timeout has passed") -> None:
        super().__init__(message)


class Interrupt(BaseException):
    """Base of what ends an attempt whatever the job catches with `except Exception`. Let it pass."""


class HardTimeout(Interrupt):
    """The job's `timeout` has passed. Its outcome is already decided; what still runs has lost its fence."""

    def __init__(self, message: str = "the job's timeout has passed") -> None:
        super().__init__(message)


class JobCancelled(Interrupt):
    """Somebody asked to cancel the job while it ran. Clean up and let it pass: the job ends as cancelled.

    It is raised once in an attempt, so that the clean-up may use steps, step keys and heartbeats. A worker that dies
    in the clean-up is followed by one in which it is raised again, at the first thing that is not remembered.
    """

    def __init__(self, message: str = "the job was asked to stop") -> None:
        super().__init__(message)


class HandedOver(Interrupt):
    """The attempt's time runs out and the cursor is recorded: the job goes on there in a next invocation."""

    def __init__(self, message: str = "the job goes on in a next invocation") -> None:
        super().__init__(message)


class Awaiting(Interrupt):
    """The job waits for an answer that is not there yet. It runs again when there is one, or at `until` (Unix ms)."""

    def __init__(self, name: str, until: int) -> None:
        super().__init__(f"the job waits for the answer {name!r}")
        self.name = name
        self.until = until


class WorkerDied(BaseException):
    """The worker's process is gone. What plays that in a test raises this.

    It is the only exception that the engine does not take for an outcome of the job that it came from.
    """
