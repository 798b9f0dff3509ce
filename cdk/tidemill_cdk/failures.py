"""A queue for what could not be handed on, kept for people to look at."""

from __future__ import annotations

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tidemill.domain import limits
from tidemill_cdk.naming import keep_name
from tidemill_cdk.queue import duration
from tidemill_cdk.waivers import IS_A_DLQ, waive


def failure_queue(scope: Construct, id_: str, name: str) -> sqs.Queue:
    """A queue that keeps failures for two weeks, with TLS and encryption by SQS. `name`: its logical id."""
    queue = sqs.Queue(
        scope,
        id_,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=duration(limits.DLQ_RETENTION),
    )
    keep_name(queue, name)
    waive(queue, IS_A_DLQ, "AwsSolutions::AwsSolutions-SQS3", "Serverless::Serverless-SQSRedrivePolicy")
    return queue
