"""A lane's queue and its DLQ."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from aws_cdk import ArnFormat, Duration, Stack, Token
from aws_cdk import aws_sqs as sqs
from constructs import Construct

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
    """One standard queue whose messages, received too often, move to a DLQ of its own.

    Guarantees TLS, encryption by SQS, and that no other queue can use this DLQ.

    Arguments:
        lane: the lane's name.
        sizing: visibility, receives and retentions, derived from the lane's jobs.

    Raises:
        DeployError: the stack's name and the lane's don't fit into a queue's name.
    """

    def __init__(self, scope: Construct, id_: str, *, lane: str, sizing: LaneSizing) -> None:
        super().__init__(scope, id_)
        # Queue and DLQ each name the other. CloudFormation can't create such a pair unless one ARN is
        # known before its queue exists, so the names are ours.
        name = _queue_name(Stack.of(self), lane)
        own_arn = Stack.of(self).format_arn(service="sqs", resource=name, arn_format=ArnFormat.NO_RESOURCE_NAME)
        self.dlq = sqs.Queue(
            self,
            "Dlq",
            queue_name=f"{name}-dlq",
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
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=duration(sizing.retention),
            visibility_timeout=duration(sizing.visibility_timeout),
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dlq, max_receive_count=sizing.max_receives),
        )
        keep_name(self.queue, f"Queue{pascal(lane)}")
        keep_name(self.dlq, f"Dlq{pascal(lane)}")
        waive(self.dlq, IS_A_DLQ, "Serverless::Serverless-SQSRedrivePolicy")


def _queue_name(stack: Stack, lane: str) -> str:
    if Token.is_unresolved(stack.stack_name):
        raise DeployError("a pipeline's stack needs a name of its own. Fix: don't put it into a nested stack")
    name = f"{stack.stack_name}-{lane}"
    if len(f"{name}-dlq") > MAX_QUEUE_NAME_CHARS:
        raise DeployError(f"{name}-dlq is longer than {MAX_QUEUE_NAME_CHARS} characters. Fix: shorten the stack name")
    return name
