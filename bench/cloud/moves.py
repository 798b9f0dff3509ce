"""StartMessageMoveTask and ListMessageMoveTasks: from a DLQ back to where its messages came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bench.cloud.queue import Queue
from bench.cloud.sqs_errors import bad_value, sqs_error

Document = dict[str, Any]


class MessageMoves:
    """The tasks of an account. The visible messages are moved within the call; AWS takes its time.

    Arguments:
        queues: by ARN.
    """

    def __init__(self, queues: Mapping[str, Queue], now_ms: Callable[[], int], new_id: Callable[[], str]) -> None:
        self._queues = queues
        self._now_ms = now_ms
        self._new_id = new_id
        self._tasks: dict[str, list[Document]] = {}

    def start(self, asked: Document) -> Document:
        """Move every visible message of a DLQ.

        Raises:
            Refused: no such queue, or one that is no DLQ, or a destination of the other sort.
        """
        source = self._queue(asked["SourceArn"])
        if not any(queue.dlq is source for queue in self._queues.values()):
            raise sqs_error("InvalidParameterValueException", "Source queue must be configured as a Dead Letter Queue.")
        rate = asked.get("MaxNumberOfMessagesPerSecond")
        if rate is not None and not 1 <= rate <= 500:
            raise bad_value("MaxNumberOfMessagesPerSecond", rate, "must be between 1 and 500.")
        chosen = asked.get("DestinationArn")
        destination = None if chosen is None else self._queue(chosen)
        if destination is not None and destination.definition.fifo != source.definition.fifo:
            raise sqs_error("InvalidParameterValueException", "Destination queue must be of the same type.")
        task: Document = {
            "TaskHandle": self._new_id(),
            "Status": "COMPLETED",
            "SourceArn": source.arn,
            "StartedTimestamp": self._now_ms(),
            "ApproximateNumberOfMessagesToMove": source.depths()[0],
        }
        if chosen is not None:
            task["DestinationArn"] = chosen
        if rate is not None:
            task["MaxNumberOfMessagesPerSecond"] = rate
        self._tasks.setdefault(source.arn, []).insert(0, task)
        self._move(source, destination, task)
        return {"TaskHandle": task["TaskHandle"]}

    def list(self, asked: Document) -> Document:
        """The last tasks of a DLQ, the newest first; only a task that runs shows its handle."""
        source = self._queue(asked["SourceArn"])
        most = asked.get("MaxResults", 1)
        tasks = self._tasks.get(source.arn, [])[:most]
        return {"Results": [{name: value for name, value in task.items() if name != "TaskHandle"} for task in tasks]}

    def _move(self, source: Queue, destination: Queue | None, task: Document) -> None:
        now, moved = self._now_ms(), 0
        for message in [one for one in source.messages.values() if one.visible_ms <= now]:
            target = destination or self._queues.get(message.dead_from or "")
            if target is None:
                # Sent to the DLQ by hand: there is no source to go back to.
                task["Status"] = "FAILED"
                task["FailureReason"] = "CouldNotDetermineMessageSource"
                break
            del source.messages[message.id]
            target.redrive(message)
            moved += 1
        task["ApproximateNumberOfMessagesMoved"] = moved

    def _queue(self, arn: str) -> Queue:
        queue = self._queues.get(arn)
        if queue is None:
            raise sqs_error(
                "ResourceNotFoundException",
                "The resource that you specified for the SourceArn parameter doesn't exist.",
            )
        return queue
