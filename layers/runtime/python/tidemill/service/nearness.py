"""Telling operators that a job comes near one of its limits, once, before it is refused."""

from __future__ import annotations

from tidemill.domain import limits
from tidemill.domain.ports import Telemetry


def is_near(count: int, most: int) -> bool:
    """Whether the count is 80 % of the limit or more."""
    return count >= most * limits.WARN_AT


def warn_near(telemetry: Telemetry, job_id: str, limit: str, before: int, now: int, most: int) -> None:
    """Alert `limit_near` where the count goes from below 80 % of the limit to that or more.

    Arguments:
        limit: what is counted. `before`, `now`: how much it was and is. `most`: the limit.
    """
    if is_near(now, most) and not is_near(before, most):
        telemetry.alert("limit_near", job_id=job_id, limit=limit, count=now, most=most)
