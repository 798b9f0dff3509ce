"""What a job's function may raise to say how its failure is to be treated."""

from __future__ import annotations

from datetime import timedelta


class PermanentError(Exception):
    """The job can't succeed however often it is tried: it dies at once."""


class TransientError(Exception):
    """The job may succeed later: it is tried again under its retry policy. Any unknown exception counts as this."""


class RateLimitedError(Exception):
    """A dependency asked to wait. The job runs again after `retry_after`, and the attempt is not spent.

    Arguments:
        message: for the record.
        retry_after: how long to wait; without it, the retry policy's delay.
    """

    def __init__(self, message: str = "rate limited", retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class DependencyDownError(Exception):
    """A dependency does not work at all: no connection, no name, an answer of "bad gateway".

    The job waits, longer each time, and the attempt is not spent; after `Retry.max_deferrals` such waits it is.
    Connection errors of the usual clients count as this without being caught.

    Arguments:
        message: for the record.
        retry_after: how long to wait; without it, `Retry.deferral_delay`.
    """

    def __init__(self, message: str = "the dependency is down", retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
