"""The lanes' queues in SQS. See `tidemill.domain.ports.JobQueue`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from tidemill.aws.errors import AwsError, unavailable
from tidemill.aws.fifo import fifo_entry, in_waves, is_fifo
from tidemill.aws.patience import each, in_chunks
from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import Send

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

# API Reference, ChangeMessageVisibilityBatch: at most ten entries.
HIDES_PER_BATCH: Final = 10
# API Reference, DeleteMessageBatch: the same.
DELETES_PER_BATCH: Final = 10
# Threads that contend for the interpreter make a call cost half as much CPU again, and nobody waits for this one:
# a batch of 100 is hidden without them.
HIDES_IN_TURN: Final = 10


class SqsJobQueue:
    """`JobQueue` on one SQS queue for each lane.

    Arguments:
        client: must not repeat calls by itself: a send_id names one physical send.
        queue_urls: the queue of each lane.

    Attributes:
        unhidden: how many visibility changes SQS did not take. They cost time, never a job.
    """

    def __init__(self, client: SQSClient, queue_urls: Mapping[str, str]) -> None:
        self._client = client
        self._urls = queue_urls
        self.unhidden = 0

    def send(self, lane: str, sends: Sequence[Send]) -> list[UnavailableError | None]:
        """See JobQueue."""
        url = self._urls[lane]
        if is_fifo(url):
            entries = [fifo_entry(index, send, lane) for index, send in enumerate(sends)]
        else:
            entries = [_entry(index, send) for index, send in enumerate(sends)]
        if len(entries) == 1:
            return [self._send_one(url, entries[0])]
        failed = self._send_in_order(url, entries) if is_fifo(url) else self._send_all(url, entries)
        return [failed.get(index) for index in range(len(sends))]

    def has_lane(self, lane: str) -> bool:
        """See JobQueue."""
        return lane in self._urls

    def keeps_order(self, lane: str) -> bool:
        """See JobQueue."""
        return is_fifo(self._urls[lane])

    def hide(self, lane: str, holds: Sequence[tuple[str, int]]) -> None:
        """See JobQueue."""
        url = self._urls[lane]
        chunks = in_chunks(holds, HIDES_PER_BATCH)
        self.unhidden += sum(each(partial(self._hide_batch, url), chunks, in_turn=HIDES_IN_TURN))

    def delete(self, lane: str, receipts: Sequence[str]) -> None:
        """See JobQueue."""
        for chunk in in_chunks(receipts, DELETES_PER_BATCH):
            with suppress(*AwsError):
                self._client.delete_message_batch(
                    QueueUrl=self._urls[lane],
                    Entries=[{"Id": str(index), "ReceiptHandle": receipt} for index, receipt in enumerate(chunk)],
                )

    def _send_in_order(
        self, url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]
    ) -> dict[int, UnavailableError]:
        """What was not sent. After a failure nothing more of its group is."""
        failed: dict[int, UnavailableError] = {}
        stuck: set[str] = set()
        for wave in in_waves(entries):
            held = [entry for entry in wave if entry["MessageGroupId"] in stuck]
            failed.update({int(entry["Id"]): UnavailableError("send", "EarlierOneNotSent") for entry in held})
            failed.update(self._send_all(url, [entry for entry in wave if entry["MessageGroupId"] not in stuck]))
            stuck = {entry["MessageGroupId"] for entry in wave if int(entry["Id"]) in failed} | stuck
        return failed

    def _send_all(
        self, url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]
    ) -> dict[int, UnavailableError]:
        """What was not sent."""
        chunks = each(partial(self._send_batch, url), _batches(entries))
        return {index: error for chunk in chunks for index, error in chunk.items()}

    def _send_one(self, url: str, entry: SendMessageBatchRequestEntryTypeDef) -> UnavailableError | None:
        message = {name: value for name, value in entry.items() if name != "Id"}
        try:
            self._client.send_message(QueueUrl=url, **message)  # type: ignore[arg-type]  # the entry without its Id
        except AwsError as error:
            return unavailable("send", error)
        return None

    def _send_batch(
        self, url: str, entries: Sequence[SendMessageBatchRequestEntryTypeDef]
    ) -> dict[int, UnavailableError]:
        """What was not sent. SQS answers HTTP 200 for a batch that it took in part, or not at all."""
        try:
            answer = self._client.send_message_batch(QueueUrl=url, Entries=entries)
        except AwsError as error:
            return {int(entry["Id"]): unavailable("send", error) for entry in entries}
        return {int(entry["Id"]): UnavailableError("send", entry["Code"]) for entry in answer.get("Failed", ())}

    def _hide_batch(self, url: str, holds: Sequence[tuple[str, int]]) -> int:
        """How many of these were not hidden."""
        try:
            answer = self._client.change_message_visibility_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": receipt, "VisibilityTimeout": wait}
                    for index, (receipt, wait) in enumerate(holds)
                ],
            )
        except AwsError:
            return len(holds)
        return len(answer.get("Failed", ()))


def _entry(index: int, send: Send) -> SendMessageBatchRequestEntryTypeDef:
    entry: SendMessageBatchRequestEntryTypeDef = {
        "Id": str(index),
        "MessageBody": send.envelope.encode(),
        # SQS Developer Guide, "Amazon SQS fair queues": on a standard queue the group is only the tenant whose
        # backlog must not delay the others'. It orders nothing.
        "MessageGroupId": send.envelope.ref.tenant,
    }
    if send.delay_s:
        entry["DelaySeconds"] = send.delay_s
    return entry


def _batches(
    entries: Sequence[SendMessageBatchRequestEntryTypeDef],
) -> list[list[SendMessageBatchRequestEntryTypeDef]]:
    """Runs of at most ten entries and 1 MiB of bodies together."""
    batches: list[list[SendMessageBatchRequestEntryTypeDef]] = []
    room = 0
    for entry in entries:
        size = len(entry["MessageBody"].encode())
        if not batches or size > room or len(batches[-1]) == limits.SEND_BATCH_ENTRIES:
            batches.append([])
            room = limits.SEND_BATCH_BYTES
        batches[-1].append(entry)
        room -= size
    return batches
