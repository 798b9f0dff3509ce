"""Dollars from what was counted: us-east-1, on demand, no free tier, as read in 2026 at the pages named below.

Not in it: logs, the API in front, an idle queue's empty receives, data transfer, storage.
"""

from __future__ import annotations

from dataclasses import dataclass

# factualminds.com/blog/amazon-sqs-pricing-64kb-rule-fifo-vs-standard, standard queues.
SQS_REQUEST = 0.40 / 1e6
# cloudburn.io/blog/amazon-sqs-pricing: on top for a standard queue whose messages carry a MessageGroupId.
SQS_FAIR_QUEUE_REQUEST = 0.10 / 1e6
# aws.amazon.com/lambda/pricing, arm64.
LAMBDA_INVOCATION = 0.20 / 1e6
LAMBDA_GB_SECOND = 0.0000133334
# aws.amazon.com/dynamodb/pricing/on-demand since November 2024.
WRITE_UNIT = 0.625 / 1e6
# aws.amazon.com/step-functions/pricing, Standard workflows: entering a state, retries included.
STATE_TRANSITION = 25 / 1e6

# Lambda Developer Guide, "Configure Lambda function memory": 1,769 MB have one vCPU.
VCPU_MB = 1_769
# A lane's default.
MEMORY_MB = 512
# Assumed: what DynamoDB and SQS take to answer one call from Lambda.
LATENCY_S = 0.005


@dataclass(frozen=True, slots=True)
class Bill:
    """Dollars for a million jobs."""

    dynamodb: float
    sqs: float
    fair_queue: float
    lambda_requests: float
    lambda_compute: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.dynamodb + self.sqs + self.fair_queue + self.lambda_requests + self.lambda_compute


def bill(
    *, write_units: float, sqs_requests: float, invocations: float, cpu_s_per_job: float, calls_per_batch: float
) -> Bill:
    """What a million jobs cost. An invocation lasts as long as its calls, made one after the other, and its CPU
    at the function's share of a vCPU.
    """
    million = 1e6
    cpu_s = cpu_s_per_job / (MEMORY_MB / VCPU_MB)
    seconds = cpu_s + invocations * calls_per_batch * LATENCY_S
    return Bill(
        dynamodb=million * write_units * WRITE_UNIT,
        sqs=million * sqs_requests * SQS_REQUEST,
        fair_queue=million * sqs_requests * SQS_FAIR_QUEUE_REQUEST,
        lambda_requests=million * invocations * LAMBDA_INVOCATION,
        lambda_compute=million * seconds * MEMORY_MB / 1_024 * LAMBDA_GB_SECOND,
    )
