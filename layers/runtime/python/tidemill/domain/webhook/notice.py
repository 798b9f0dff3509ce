"""The delivery that the end of a job makes, ready to be written together with it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tidemill.domain import limits
from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import Envelope
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lane import WEBHOOK_LANE
from tidemill.domain.lifecycle import State
from tidemill.domain.notice import Notice
from tidemill.domain.webhook.delivery import DELIVER_KIND, WebhookDelivery

KEY_PREFIX: Final = "webhook/"


def end_told(over: Job, endpoint: str, now_ms: int, random_bits: int) -> Notice:
    """The delivery of the end of `over`, the record as it will be.

    Its id, which is the webhook's id in all its attempts, follows from the job, its generation and the endpoint:
    however often the end is written, it is told once.

    Arguments:
        random_bits: for its send id.
    """
    delivery = WebhookDelivery(
        endpoint=endpoint,
        type=f"job.{over.state.value}",
        at=over.finished_at or now_ms,
        job_id=over.ref.id,
        ended_kind=over.kind,
        lane=over.lane,
        generation=over.generation,
        attempts=over.attempt,
        submitted_at=over.created_at,
        correlation_id=over.correlation_id,
        reason=None if over.state is State.SUCCEEDED else over.reason,
        error=over.error if over.state is State.DEAD else None,
    )
    args = delivery.canonical()
    key = f"{KEY_PREFIX}{endpoint}/{over.ref.id}/{over.generation}"
    envelope = Envelope(
        send_id=time_ordered_id(now_ms, random_bits),
        ref=JobRef(over.ref.tenant, keyed_job_id(over.ref.tenant, DELIVER_KIND, key)),
        kind=DELIVER_KIND,
        args=args,
        fingerprint=fingerprint_of(args),
        submitted_at=now_ms,
        correlation_id=over.correlation_id or over.ref.id,
        key=key,
        not_before=now_ms,
        causation_id=over.ref.id,
        # It makes no jobs.
        hops=limits.MAX_HOPS,
    )
    record = envelope.record(WEBHOOK_LANE, State.SCHEDULED, message_ttl_s(now_ms))
    return Notice(envelope, replace(record, owns_args=True))
