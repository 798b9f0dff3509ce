"""Written exceptions: a finding that stays, where it stays, and why. One line each, or it is no reason."""

from __future__ import annotations

from typing import Final

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct

# X-Ray takes segments for an account, not for a resource: its actions know no ARN
# (Service Authorization Reference, "Actions, resources, and condition keys for AWS X-Ray").
XRAY_HAS_NO_RESOURCES: Final = "X-Ray's write actions accept no resource but *"
DELIVERY_HAS_NO_RESOURCES: Final = "the actions of CloudWatch's vended log delivery accept no resource but *"
EXECUTIONS_OF_ONE_MACHINE: Final = "a saga's execution is named after its id, so the right is on all of one machine"
RUNTIME_IS_CHOSEN: Final = "the Python version is a setting, raised when the tests ran on it, not when Lambda adds one"
NEVER_ASYNC: Final = "a Lambda DLQ is for asynchronous calls; this function is called by SQS or by the API, which wait"
RECORDS_ARE_KEPT: Final = "the mapping's on-failure queue keeps what a Lambda DLQ would"
STREAMS_ARE_LISTED: Final = "dynamodb:ListStreams accepts no resource but *, and Lambda's poller asks for it"
TICKS_ARE_KEPT: Final = "the on-failure destination keeps what a Lambda DLQ would, with the error beside it"
IS_A_DLQ: Final = "this queue is where failures end; a DLQ of its own would be one more queue nobody reads"
SQS_KEEPS_FAILURES: Final = "an SQS source takes no failure destination: its queue's redrive policy moves what fails"
BUCKET_LOGS: Final = "object reads are CloudTrail data events of the account; a log bucket is one more to keep"
OBJECTS_OF_ONE_BUCKET: Final = "object keys are chosen by the jobs, so the grant is on all objects of this one bucket"
ANSWER_TOKENS: Final = "people answer without credentials; the function believes only a token that a job has made"


def waive(scope: IConstruct, reason: str, *findings: str) -> None:
    """Accept the findings below `scope`, for a written reason.

    Arguments:
        scope: the construct they are about; the smaller, the better.
        reason: why this is right here, for the reader of an audit.
        findings: as the report names them, for example `Tidemill::dlq` or `AwsSolutions::AwsSolutions-S1`.
    """
    if not reason.strip():
        raise ValueError("a waiver without a reason hides a finding. Fix: say why it is right here")
    Validations.of(scope).acknowledge(*(Acknowledgment(id=finding, reason=reason) for finding in findings))
