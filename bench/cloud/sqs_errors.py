"""SQS's errors: the modelled name, and the code of the older query protocol that botocore shows."""

from __future__ import annotations

from typing import Any

from bench.cloud.refused import Refused

_PREFIX = "AWS.SimpleQueueService."
# Those of which the code is not `AWS.SimpleQueueService.<name>`.
_CODES = {
    "InvalidMessageContents": "InvalidMessageContents",
    "InvalidParameterValueException": "InvalidParameterValue",
    "MissingParameterException": "MissingParameter",
    "OverLimit": "OverLimit",
    "QueueDoesNotExist": _PREFIX + "NonExistentQueue",
    "ReceiptHandleIsInvalid": "ReceiptHandleIsInvalid",
    "ResourceNotFoundException": "ResourceNotFoundException",
}


def sqs_error(name: str, message: str) -> Refused:
    """SQS's answer to a request that it refuses."""
    code = _CODES.get(name, _PREFIX + name)
    # botocore reads the members of an error that it finds in its model, by the code: the text is one of them.
    members = {"message": message} if code == name else None
    return Refused(code, message, query_code=name, members=members)


def bad_value(parameter: str, value: Any, reason: str) -> Refused:
    """SQS's answer to a value that it does not take."""
    return sqs_error(
        "InvalidParameterValueException", f"Value {value} for parameter {parameter} is invalid. Reason: {reason}"
    )


def no_such_queue() -> Refused:
    """SQS's answer to an address that it does not know."""
    return sqs_error("QueueDoesNotExist", "The specified queue does not exist.")
