"""What becomes of a tick while the job of an earlier one is not over."""

from __future__ import annotations

from enum import StrEnum


class Overlap(StrEnum):
    """What becomes of a tick while the job of an earlier one is not over."""

    ALLOW = "allow"
    SKIP = "skip"
    # One tick waits until the other job is over; those that come meanwhile are skipped.
    QUEUE_ONE = "queue_one"
