"""What each function may do: every action that a role of this package allows is in this file.

A change of what the runtime calls is a change here, and the matrix in
`tests/infrastructure/test_permissions.py` shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_iam as iam

from tidemill.domain.webhook.endpoint import ENDPOINT_PREFIX

# The calls of the table adapter, which workers, API and janitor share: one job by item, many by PartiQL or in
# batches. IAM can't tell a batch's puts from its deletes; nobody may delete, query or scan by itself.
JOBS_TABLE: Final = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
# Of an index: a page of a list. Of the table: the failed attempts of one job.
TABLE_QUERY: Final = ("dynamodb:Query",)
# An answer is written only while the job's record is as it was read.
TABLE_ANSWER: Final = ("dynamodb:ConditionCheckItem",)
# Who appends also loads. Nobody may update or delete: what is written stays.
EVENTS_APPEND: Final = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")
EVENTS_READ: Final = ("dynamodb:Query",)
# Of read models: a line by its key, or the lines of a group.
LINES_READ: Final = ("dynamodb:BatchGetItem", "dynamodb:GetItem")
LINES_WRITE: Final = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem")
# What Lambda's poller of a table's stream needs, acting as the function's role; the last knows no resource but *
# (Service Authorization Reference, "Actions, resources, and condition keys for Amazon DynamoDB").
STREAM_READ: Final = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")
STREAM_LIST: Final = ("dynamodb:ListStreams",)
# What Powertools' idempotency decorator calls on its own table.
IDEMPOTENCY_TABLE: Final = (
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
)
# The first three are what Lambda's poller needs, acting as the worker's role; the worker itself sets visibility.
QUEUE_CONSUME: Final = (
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
)
QUEUE_SEND: Final = ("sqs:SendMessage",)
BUS_PUBLISH: Final = ("events:PutEvents",)
# The census counts a DLQ and looks at its messages, hiding them for a moment; it deletes copies of jobs that are over
# and not dead.
DLQ_CENSUS: Final = (
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
)
# The desk over HTTP puts messages of one tenant's jobs back and deletes them. Whole DLQs, of all tenants, are
# moved by people with rights of their own: nobody here may sqs:StartMessageMoveTask.
DLQ_DESK: Final = ("sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:ReceiveMessage")
OBJECT_READ: Final = ("s3:GetObject",)
OBJECT_WRITE: Final = ("s3:PutObject",)
OBJECT_TAG: Final = ("s3:PutObjectTagging",)
OBJECT_DELETE: Final = ("s3:DeleteObject",)
LOG_WRITE: Final = ("logs:CreateLogStream", "logs:PutLogEvents")

# How the jobs of a saga report their end. What nobody waits for any more is reported too, and refused.
SAGA_REPORT: Final = ("states:SendTaskFailure", "states:SendTaskSuccess")
SAGA_START: Final = ("states:StartExecution",)
SAGA_LOOK: Final = ("states:DescribeExecution", "states:GetExecutionHistory")
# A cancel ends a job that waits in the table, whose message nobody meets: its saga is told at once.
SAGA_CANCEL: Final = ("states:SendTaskFailure",)
# What a state machine needs for its own log (Step Functions Developer Guide, "Logging in CloudWatch Logs") and traces.
LOG_DELIVERY: Final = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
XRAY_OF_MACHINES: Final = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


# The secrets of webhooks are in the jobs table: no function reads or writes them but the worker that signs with them.
TABLE_SECRETS: Final = (*JOBS_TABLE, *TABLE_QUERY, *TABLE_ANSWER)


def deny_secrets(grantee: iam.IGrantable, table_arn: str) -> None:
    """Keep the grantee from the items of endpoints, whatever else of the table it may read and write.

    Developer Guide, "Using IAM policy conditions for fine-grained access control": `dynamodb:LeadingKeys` are the
    partition keys of a call, of one item, a batch, a transaction or PartiQL.
    """
    statement = iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=list(TABLE_SECRETS),
        resources=[table_arn],
        conditions={"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": [f"{ENDPOINT_PREFIX}*"]}},
    )
    grantee.grant_principal.add_to_principal_policy(statement)


def allow(grantee: iam.IGrantable, actions: Sequence[str], *resources: str) -> None:
    """Add one statement to the grantee's own role."""
    statement = iam.PolicyStatement(actions=list(actions), resources=list(resources))
    grantee.grant_principal.add_to_principal_policy(statement)
