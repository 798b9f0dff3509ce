"""What is different about sending to a FIFO queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tidemill.domain.lane import FIFO_SUFFIX
from tidemill.domain.ports import Send

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


def is_fifo(url: str) -> bool:
    """Whether this is the URL of a FIFO queue."""
    return url.endswith(FIFO_SUFFIX)


def fifo_entry(index: int, send: Send, lane: str) -> SendMessageBatchRequestEntryTypeDef:
    """One entry of a SendMessageBatch to a FIFO queue, which takes no delay of a single message."""
    envelope = send.envelope
    entity = envelope.entity_in(lane)
    return {
        "Id": str(index),
        "MessageBody": envelope.encode(),
        # One that was sent before its lane was declared FIFO has no entity: it follows nobody.
        "MessageGroupId": entity.group if entity else envelope.ref.id,
        # A send that is repeated under its id within five minutes is the same message; no other send has its id.
        "MessageDeduplicationId": envelope.send_id,
    }


def in_waves(
    entries: Sequence[SendMessageBatchRequestEntryTypeDef],
) -> list[list[SendMessageBatchRequestEntryTypeDef]]:
    """The first entry of each group, then the second of each, and so on.

    SQS may take one entry of a batch and refuse the one before it, and batches are sent side by side. With no two of
    a group in one wave, a group whose entry failed can be left out of all later waves, so that nothing overtakes it.
    """
    waves: list[list[SendMessageBatchRequestEntryTypeDef]] = []
    seen: dict[str, int] = {}
    for entry in entries:
        group = entry["MessageGroupId"]
        number = seen.get(group, 0)
        seen[group] = number + 1
        if number == len(waves):
            waves.append([])
        waves[number].append(entry)
    return waves
