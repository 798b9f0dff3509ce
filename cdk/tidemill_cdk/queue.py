"""A lane's queue and its DLQ."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from aws_cdk import ArnFormat, Duration, Stack, Token
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tidemill.domain.lane import FIFO_SUFFIX, Lane
from tidemill.domain.sizing import LaneSizing
from tidemill_cdk.naming import keep_name, pascal
from tidemill_cdk.settings import DeployError
from tidemill_cdk.waivers import IS_A_DLQ, waive

# API Reference, CreateQueue: QueueName.
MAX_QUEUE_NAME_CHARS: Final = 80


def duration(span: timedelta) -> Duration:
    """A span as the CDK writes it, rounded to whole seconds."""
    return Duration.seconds(round(span.total_seconds()))


class LaneQueue(Construct):
    """One queue whose messages, received too often, move to a DLQ of its own, which is FIFO if the lane is.

    Guarantees TLS, encryption by SQS, and that no other queue can use this DLQ.

    Arguments:
        lane: the lane.
        sizing: visibility, receives and retentions, derived from the lane's jobs.

    Raises:
        DeployError: the stack's name and the lane's don't fit into a queue's name.
    """

    def __init__(self, scope: Construct, id_: str, *, lane: Lane, sizing: LaneSizing) -> None:
        super().__init__(scope, id_)
        # Queue and DLQ each name the other. CloudFormation can't create such a pair unless one ARN is
        # known before its queue exists, so the names are ours.
        name, dlq_name = _queue_names(Stack.of(self), lane)
        own_arn = Stack.of(self).format_arn(service="sqs", resource=name, arn_format=ArnFormat.NO_RESOURCE_NAME)
        self.dlq = sqs.Queue(
            self,
            "Dlq",
            queue_name=dlq_name,
            **_in_order(lane),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=duration(sizing.dlq_retention),
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                source_queues=[sqs.Queue.from_queue_arn(self, "Source", own_arn)],
            ),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            **_in_order(lane),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=duration(sizing.retention),
            visibility_timeout=duration(sizing.visibility_timeout),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dlq, max_receive_count=sizing.max_receives),
        )
        keep_name(self.queue, f"Queue{pascal(lane.name)}")
        keep_name(self.dlq, f"Dlq{pascal(lane.name)}")
        waive(self.dlq, IS_A_DLQ, "Serverless::Serverless-SQSRedrivePolicy")


def _in_order(lane: Lane) -> dict[str, Any]:
    """What makes a queue FIFO."""
    if not lane.fifo:
        return {}
    # API Reference, CreateQueue: only together do these two lift the limit of 300 messages a second for a queue.
    return {
        "fifo": True,
        "deduplication_scope": sqs.DeduplicationScope.MESSAGE_GROUP,
        "fifo_throughput_limit": sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    }


def _queue_names(stack: Stack, lane: Lane) -> tuple[str, str]:
    if Token.is_unresolved(stack.stack_name):
        raise DeployError("a pipeline's stack needs a name of its own. Fix: don't put it into a nested stack")
    suffix = FIFO_SUFFIX if lane.fifo else ""
    name, dlq_name = (f"{stack.stack_name}-{lane.name}{part}{suffix}" for part in ("", "-dlq"))
    if len(dlq_name) > MAX_QUEUE_NAME_CHARS:
        raise DeployError(f"{dlq_name} is longer than {MAX_QUEUE_NAME_CHARS} characters. Fix: shorten the stack name")
    return name, dlq_name
