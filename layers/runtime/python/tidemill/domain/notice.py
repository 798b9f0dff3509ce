"""The job that a death makes, ready to be written together with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.death import DeathNotice
from tidemill.domain.envelope import Envelope
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State


@dataclass(frozen=True, slots=True)
class Notice:
    """A job that the table owns and that is due at once: the next sweep sends it."""

    envelope: Envelope
    record: Job


def notice_of(
    dead: Job, notice: type[DeathNotice], lane: str, now_ms: int, random_bits: int, cause: Envelope | None
) -> Notice | None:
    """The notice of a death; None if it would be one more of a chain of jobs that is as long as it may be.

    Its id follows from the dead job's and its generation: however often the death is written, there is one.

    Arguments:
        dead: the record as it will be. `cause`: what had carried it, None if nothing did that could be read.
        lane: of the notice's kind. `random_bits`: for its send id.
    """
    hops = (cause.hops if cause else 0) + 1
    if hops > limits.MAX_HOPS:
        return None
    args = notice(
        job_id=dead.ref.id,
        dead_kind=dead.kind,
        lane=dead.lane,
        generation=dead.generation,
        attempts=dead.attempt,
        reason=dead.reason or "unknown",
        error=dead.error,
    ).canonical()
    key = f"death/{dead.ref.id}/{dead.generation}"
    envelope = Envelope(
        send_id=time_ordered_id(now_ms, random_bits),
        ref=JobRef(dead.ref.tenant, keyed_job_id(dead.ref.tenant, notice.job_kind, key)),
        kind=notice.job_kind,
        args=args,
        fingerprint=fingerprint_of(args),
        submitted_at=now_ms,
        correlation_id=dead.correlation_id or dead.ref.id,
        key=key,
        not_before=now_ms,
        causation_id=dead.ref.id,
        traceparent=cause.traceparent if cause else None,
        hops=hops,
        version=notice.contract_version,
    )
    return Notice(envelope, replace(envelope.record(lane, State.SCHEDULED, message_ttl_s(now_ms)), owns_args=True))
