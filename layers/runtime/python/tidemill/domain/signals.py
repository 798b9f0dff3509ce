"""What a job's function may raise to say how its failure is to be treated."""

from __future__ import annotations

import math
from datetime import timedelta

from tidemill.domain import limits
from tidemill.domain.errors import InputError


class PermanentError(Exception):
    """The job can't succeed however often it is tried: it dies at once."""


class TransientError(Exception):
    """The job may succeed later: it is tried again under its retry policy. Any unknown exception counts as this."""


class RateLimitedError(Exception):
    """A dependency asked to wait. The job runs again after `retry_after`, and the attempt is not spent.

    Arguments:
        message: for the record.
        retry_after: how long to wait, as a span of time or in seconds, at most 365 days; without it, or with 0,
            `Retry.deferral_delay`.

    Raises:
        InputError: `retry_after` is something else.
    """

    def __init__(self, message: str = "rate limited", retry_after: timedelta | float | None = None) -> None:
        super().__init__(message)
        self.retry_after = _span("RateLimitedError", retry_after)


class DependencyDownError(Exception):
    """A dependency does not work at all: no connection, no name, an answer of "bad gateway".

    The job waits, longer each time, and the attempt is not spent; after `Retry.max_deferrals` such waits it is.
    Connection errors of the usual clients count as this without being caught.

    Arguments:
        message: for the record.
        retry_after: how long to wait, as a span of time or in seconds, at most 365 days; without it, or with 0,
            `Retry.deferral_delay`.

    Raises:
        InputError: `retry_after` is something else.
    """

    def __init__(self, message: str = "the dependency is down", retry_after: timedelta | float | None = None) -> None:
        super().__init__(message)
        self.retry_after = _span("DependencyDownError", retry_after)


def _span(error: str, wait: object) -> timedelta | None:
    if wait is None or isinstance(wait, timedelta):
        return wait
    if isinstance(wait, int | float) and not isinstance(wait, bool) and not math.isnan(wait):
        most = limits.MAX_DELAY.total_seconds()
        return timedelta(seconds=min(max(wait, -most), most))
    problem = f"must be a span such as seconds(30), or a number of seconds, not {wait!r:.100}"
    raise InputError.at(f"{error}.retry_after", problem, "type")
