"""The job that delivers a webhook: what it carries, what is sent, and what an answer means. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NoReturn

from tidemill.domain import webhook_limits
from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import hours, minutes, seconds
from tidemill.domain.lane import WEBHOOK_LANE, Lane
from tidemill.domain.retry import Retry
from tidemill.domain.retry_after import retry_after

DELIVER_KIND: Final = "tidemill.webhook.deliver"
TEST_TYPE: Final = "webhook.test"
# Standard Webhooks, "Deliverability and reliability": at once, then after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and so on.
# A wait is 12 h at the most here, so that the last of twelve attempts comes 77 h 35 min after the first.
DELIVERY_RETRY: Final = Retry(
    max_attempts=12,
    delays=(seconds(5), minutes(5), minutes(30), hours(2), hours(5), hours(10), hours(12)),
    same_error_limit=None,
)
_MASKED: Final = frozenset({429, 503})


class WebhookDelivery(JobArgs, kind=DELIVER_KIND):
    """What is told to an endpoint: who ended, how and when, and nothing of arguments, results or errors' texts.

    Attributes:
        endpoint: its name. `type`: `job.succeeded`, `job.dead`, `job.cancelled`, `job.expired` or `webhook.test`.
        at: when the job ended, Unix milliseconds.
        job_id, ended_kind, lane, generation, attempts, submitted_at, correlation_id: of the job that ended.
        reason: why it is dead, cancelled or expired. `error`: the fingerprint of its last failure.
    """

    endpoint: str
    type: str
    at: int
    job_id: str | None = None
    ended_kind: str | None = None
    lane: str | None = None
    generation: int | None = None
    attempts: int | None = None
    submitted_at: int | None = None
    correlation_id: str | None = None
    reason: str | None = None
    error: str | None = None


def body_of(delivery: WebhookDelivery, tenant: str) -> bytes:
    """What is sent: the same bytes in every attempt. At most a few kilobytes, because every part of it is bounded."""
    data = {
        "job_id": delivery.job_id,
        "tenant": tenant,
        "kind": delivery.ended_kind,
        "lane": delivery.lane,
        "state": delivery.type.removeprefix("job.") if delivery.job_id else None,
        "generation": delivery.generation,
        "attempts": delivery.attempts,
        "submitted_at": None if delivery.submitted_at is None else _written(delivery.submitted_at),
        "correlation_id": delivery.correlation_id,
        "reason": delivery.reason,
        "error": delivery.error,
    }
    told = {name: value for name, value in data.items() if value is not None}
    document = {"type": delivery.type, "timestamp": _written(delivery.at), "data": told}
    return json.dumps(document, separators=(",", ":"), ensure_ascii=True).encode()


class Sense(StrEnum):
    """What an answer means for its delivery."""

    DELIVERED = "delivered"
    GONE = "gone"
    WAIT = "wait"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What an answer means, why, and how long the receiver wants to be left alone."""

    sense: Sense
    problem: str = ""
    wait: timedelta | None = None


def judged(status: int, headers: Mapping[str, str], now: datetime) -> Judgement:
    """What an answer means: 2xx is a delivery, 410 the end of the endpoint, and all else is tried again.

    As Standard Webhooks has it, a 4xx is no end: a receiver that refused everything for an hour, because its
    secret was wrong, gets what it refused. A redirect is a failure: nobody checked where it leads.
    """
    if 200 <= status < 300:
        return Judgement(Sense.DELIVERED)
    if status == 410:
        return Judgement(Sense.GONE, "answered 410 Gone")
    wait = retry_after(headers, now) if status in _MASKED else None
    if wait:
        return Judgement(Sense.WAIT, f"answered {status} with Retry-After", min(wait, webhook_limits.MAX_WEBHOOK_WAIT))
    if 300 <= status < 400:
        problem = f"answered {status}: redirects are not followed. Fix: give the endpoint the URL that it leads to"
        return Judgement(Sense.FAILED, problem)
    return Judgement(Sense.FAILED, f"answered {status}")


def deliveries() -> tuple[JobDefinition[WebhookDelivery, None], Lane]:
    """The job and the lane that a registry with webhooks has beside its own."""
    # It waits for others nearly all of its time.
    lane = Lane(WEBHOOK_LANE, max_concurrency=10, memory_mb=512)
    timeout = webhook_limits.WEBHOOK_TIME * 2
    return JobDefinition(WebhookDelivery, _unmanned, lane=WEBHOOK_LANE, retry=DELIVERY_RETRY, timeout=timeout), lane


def _unmanned(_args: WebhookDelivery, _context: JobContext) -> NoReturn:
    """The worker has what it takes to deliver; a call of the definition alone has not."""
    raise NotImplementedError("webhooks are delivered by the workers of a stack")


def _written(at_ms: int) -> str:
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
