"""How full the lanes are, as SQS counts them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeFilterType

    from tidemill.settings import LaneSettings

_READY: Final = "ApproximateNumberOfMessages"
_IN_FLIGHT: Final = "ApproximateNumberOfMessagesNotVisible"
_DELAYED: Final = "ApproximateNumberOfMessagesDelayed"
_SETTINGS: Final = ("VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy")


@dataclass(frozen=True, slots=True)
class LaneDepth:
    """One lane now. All counts are approximate: SQS promises no more.

    Attributes:
        ready: messages that a worker may take.
        in_flight: messages that a worker holds, or that wait for a retry.
        delayed: messages that are not due yet.
        dead: messages in the DLQ.
        visibility_timeout_s: of the queue. `retention_s`: of the queue. `dlq_retention_s`: of the DLQ.
        max_receives: deliveries before SQS moves a message to the DLQ.
    """

    lane: str
    ready: int
    in_flight: int
    delayed: int
    dead: int
    visibility_timeout_s: int
    retention_s: int
    dlq_retention_s: int
    max_receives: int


def depths(sqs: SQSClient, lanes: Mapping[str, LaneSettings]) -> list[LaneDepth]:
    """Each lane's depths and settings, in the registry's order."""
    return [_depth(sqs, name, lane) for name, lane in lanes.items()]


def _depth(sqs: SQSClient, name: str, lane: LaneSettings) -> LaneDepth:
    queue = _attributes(sqs, lane.queue_url, _READY, _IN_FLIGHT, _DELAYED, *_SETTINGS)
    dlq = _attributes(sqs, lane.dlq_url, _READY, _IN_FLIGHT, "MessageRetentionPeriod")
    return LaneDepth(
        lane=name,
        ready=int(queue[_READY]),
        in_flight=int(queue[_IN_FLIGHT]),
        delayed=int(queue[_DELAYED]),
        # Somebody who looks into the DLQ hides its messages for a moment; they are still there.
        dead=int(dlq[_READY]) + int(dlq[_IN_FLIGHT]),
        visibility_timeout_s=int(queue["VisibilityTimeout"]),
        retention_s=int(queue["MessageRetentionPeriod"]),
        dlq_retention_s=int(dlq["MessageRetentionPeriod"]),
        max_receives=int(json.loads(queue.get("RedrivePolicy", "{}")).get("maxReceiveCount", 0)),
    )


def _attributes(sqs: SQSClient, url: str, *names: QueueAttributeFilterType) -> dict[str, str]:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))
    return {str(name): value for name, value in found["Attributes"].items()}
