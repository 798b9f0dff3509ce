"""What becomes of a message whose arguments are of a version that this code does not know yet. Pure.

In a rolling deploy old workers meet what new submitters sent. Nothing is wrong with such a job, so it costs no
attempt and no write: the message is hidden and given back, ever longer, until newer code takes it. Once that has
lasted as long as the receives of a message allow, the old code claims the job and buries it, with the reason.
"""

from __future__ import annotations

from datetime import timedelta

from tidemill.domain import limits
from tidemill.domain.decide import Waits
from tidemill.domain.duration import milliseconds
from tidemill.domain.settle import Hold

# On a standard lane the last receive parks what it meets, and the one before it buries.
_LEFT_RECEIVES = limits.MAX_RECEIVES - 2


def left_for_newer(waits: Waits, now_ms: int) -> Hold | None:
    """How long the message is left for newer code, which takes it from then on; None if it was left long enough.

    On a standard lane that is about an hour in eight holds, of 15 s at first. On a FIFO lane, where others wait
    behind it and nothing may overtake it, it is as long as any message of one may wait.
    """
    wait = _hold(waits.receives)
    if waits.in_order:
        return None if waits.end(wait) else _until(now_ms, wait)
    return _until(now_ms, wait) if waits.receives <= _LEFT_RECEIVES else None


def _hold(receives: int) -> timedelta:
    # No more doublings than a timedelta holds: by then it is the longest anyway.
    return min(limits.UPGRADE_HOLD * (1 << min(receives, limits.MAX_RECEIVES) - 1), limits.MAX_UPGRADE_HOLD)


def _until(now_ms: int, wait: timedelta) -> Hold:
    return Hold(now_ms + milliseconds(wait))
