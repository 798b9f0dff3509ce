"""The record of a job that is not to be: whoever brings its message later meets a final state."""

from __future__ import annotations

from typing import Final

from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State

# No arguments have it, so that no message can claim the record, and a submit under the id meets another one's job.
_NO_ARGUMENTS: Final = "0" * 32


def tombstone(
    ref: JobRef,
    kind: str,
    lane: str,
    reason: str,
    now_ms: int,
    keep_until: int,
    correlation_id: str | None = None,
) -> Job:
    """A cancelled record for an id that has none yet.

    Arguments:
        now_ms, keep_until: Unix milliseconds; until when readers see it.
    """
    return Job(
        ref=ref,
        kind=kind,
        lane=lane,
        state=State.CANCELLED,
        fingerprint=_NO_ARGUMENTS,
        created_at=now_ms,
        claimable_at=None,
        ttl_s=max(message_ttl_s(now_ms), keep_until // 1000 + 1),
        finished_at=now_ms,
        keep_until=keep_until,
        reason=reason,
        correlation_id=correlation_id,
    )
