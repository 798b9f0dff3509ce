"""Known differences from SQS."""

from tests.conformance.difference import Difference, both, ministack, moto

SQS_API = "SQS API Reference"
SQS_GUIDE = "SQS Developer Guide"

SQS = (
    Difference(
        "an empty body",
        "SendMessage",
        "The minimum size is one character",
        f"{SQS_API}, SendMessage, MessageBody",
        moto("ok"),
    ),
    Difference(
        "a character that XML can't hold",
        "SendMessage",
        "If a message contains characters outside the allowed set, Amazon SQS rejects the message and returns an "
        "InvalidMessageContents error",
        f"{SQS_API}, SendMessage",
        moto("ok"),
    ),
    Difference(
        "a delay of 901 s",
        "SendMessage",
        "Valid values: 0 to 900",
        f"{SQS_API}, SendMessage, DelaySeconds",
        ministack("ok"),
    ),
    Difference(
        "no entries of a visibility batch",
        "ChangeMessageVisibilityBatch",
        "EmptyBatchRequest: The batch request doesn't contain any entries",
        f"{SQS_API}, ChangeMessageVisibilityBatch, errors",
        moto("ok"),
        lasting=False,
    ),
    Difference(
        "a deletion again",
        "DeleteMessage",
        "If you use an old ReceiptHandle, the request will succeed, but the message might not be deleted",
        f"{SQS_API}, DeleteMessage",
        ministack("ReceiptHandleIsInvalid"),
        lasting=False,
    ),
    Difference(
        "a deletion of a message that died since",
        "DeleteMessage",
        "If you use an old ReceiptHandle, the request will succeed, but the message might not be deleted",
        f"{SQS_API}, DeleteMessage",
        both("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
        lasting=False,
    ),
    Difference(
        "one receipt twice in a batch",
        "DeleteMessageBatch",
        "Entries must differ in their Id; nothing is said of their receipts, and a deletion may be repeated",
        f"{SQS_API}, DeleteMessageBatch",
        both("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "['0']"),
    ),
    Difference(
        "a deletion by an old receipt",
        "DeleteMessage",
        "If you use an old ReceiptHandle, the request will succeed, but the message might not be deleted",
        f"{SQS_API}, DeleteMessage",
        moto("0"),
    ),
    Difference(
        "the answer to a deletion by an old receipt",
        "DeleteMessage",
        "If you use an old ReceiptHandle, the request will succeed, but the message might not be deleted",
        f"{SQS_API}, DeleteMessage",
        ministack("ReceiptHandleIsInvalid"),
        lasting=False,
    ),
    Difference(
        "a visibility of 43,201 s",
        "ChangeMessageVisibility",
        "Values range: 0 to 43200. Maximum: 12 hours",
        f"{SQS_API}, ChangeMessageVisibility, VisibilityTimeout",
        ministack("ok"),
    ),
    Difference(
        "the visibility of a message that was sent 13 hours ago",
        "ChangeMessageVisibility",
        "The 12 hours begin with the receive: An attempt to set it beyond the maximum from when the message was "
        "received is an error",
        f"{SQS_GUIDE}, Amazon SQS visibility timeout",
        moto("InvalidParameterValue"),
    ),
    Difference(
        "what became of a visible message",
        "ChangeMessageVisibility",
        "With an expired receipt handle AWS answers OK and does nothing",
        "localstack/localstack pull request 9632, whose test was run against AWS; the API Reference says "
        "MessageNotInflight",
        both("0", "0"),
    ),
    Difference(
        "the visibility by an old receipt",
        "ChangeMessageVisibility",
        "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for "
        "visibility timeout change",
        "mapbox/ecs-watchbot issue 135: the message was received again",
        both("ok", "ReceiptHandleIsInvalid"),
    ),
    Difference(
        "the visibility of a deleted message",
        "ChangeMessageVisibility",
        "Value for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for "
        "visibility timeout change",
        "vmihailenco/taskq issue 29",
        both("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
        lasting=False,
    ),
    Difference(
        "where a dead message came from",
        "ReceiveMessage",
        "The attribute DeadLetterQueueSourceArn of a message in a DLQ names the queue it came from",
        f"{SQS_API}, ReceiveMessage, MessageSystemAttributeNames",
        moto("absent"),
        lasting=False,
    ),
    Difference(
        "a task that moves messages",
        "StartMessageMoveTask",
        "Starts an asynchronous task to move messages from a specified source queue to a specified destination queue",
        f"{SQS_API}, StartMessageMoveTask",
        both("NotImplementedError", "InvalidAction"),
    ),
    Difference(
        "a task from a queue that is no DLQ",
        "StartMessageMoveTask",
        "Only ARNs of dead-letter queues whose sources are other Amazon SQS queues are accepted",
        f"{SQS_API}, StartMessageMoveTask, SourceArn",
        both("NotImplementedError", "InvalidAction"),
    ),
    Difference(
        "the tasks of a queue",
        "ListMessageMoveTasks",
        "Gets the most recent message movement tasks (up to 10) under a specific source queue",
        f"{SQS_API}, ListMessageMoveTasks",
        both("NotImplementedError", "InvalidAction"),
    ),
    Difference(
        "a deduplication id on a standard queue",
        "SendMessage",
        "This parameter applies only to FIFO (first-in-first-out) queues",
        f"{SQS_API}, SendMessage, MessageDeduplicationId",
        both("ok", "ok"),
    ),
    Difference(
        "a purge again",
        "PurgeQueue",
        "PurgeQueueInProgress: the queue previously received a PurgeQueue request within the last 60 seconds",
        f"{SQS_API}, PurgeQueue, errors",
        ministack("ok"),
    ),
    Difference(
        "a duplicate after the first was deleted",
        "SendMessage",
        "Any messages sent with the same MessageDeduplicationId are accepted successfully but aren't delivered "
        "during the 5-minute deduplication interval",
        f"{SQS_API}, SendMessage, MessageDeduplicationId",
        moto("x"),
    ),
    Difference(
        "two messages of a group that are visible again",
        "ReceiveMessage",
        "When you receive a message with a message group ID, no more messages for the same group are returned "
        "unless you delete it or it becomes visible: then both come, in their order",
        f"{SQS_GUIDE}, FIFO queue delivery logic",
        moto("y"),
    ),
    Difference(
        "a FIFO deletion after the visibility",
        "DeleteMessage",
        "Value for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired",
        "aws/aws-sdk-js issues 1279 and 1750",
        both("ok", "ok"),
    ),
    Difference(
        "the deduplication id in a FIFO DLQ",
        "ReceiveMessage",
        "When a message is moved from a FIFO queue to a FIFO DLQ, its deduplication ID will be replaced with the "
        "original message's ID",
        f"{SQS_GUIDE}, Learn how to configure a dead-letter queue redrive",
        both("kept", "kept"),
        lasting=False,
    ),
)
