"""What the error codes of AWS mean: the one list, for jobs that met them and for Tidemill's own calls."""

from __future__ import annotations

import re
from typing import Final

# As botocore's own retry handlers list them (botocore/retries/standard.py, ThrottledRetryableChecker); the statements
# of a batch drop "Exception" (DynamoDB API Reference, BatchStatementError); SQS has OverLimit.
THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "OverLimit",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# Another transaction was at the same item. It says nothing of a limit.
CONFLICTS: Final = frozenset({"TransactionConflict", "TransactionConflictException"})
# Credentials that are renewed behind our back, and a clock that is set.
EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed"})
# AWS says with these that the request itself is wrong or refused; the same request fails again ("Common Errors" of the
# API references, and what no pattern below finds).
PERMANENT: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "NotAuthorized",
        "OptInRequired",
        "RequestEntityTooLargeException",
        "SerializationException",
        "SignatureDoesNotMatch",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationError",
        "ValidationException",
    }
)
# The service itself fails ("Common Errors" of the API references). Unlike some HTTP 500 of a program that chokes on
# one request, these concern every caller, and end. Codes of digits are S3's answers without a body.
DOWN: Final = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerErrorException",
        "InternalServiceError",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "500",
        "502",
        "503",
        "504",
    }
)
# With these statuses a code that is in no list says the same. 509 is botocore's `limit_exceeded` (data/_retry.json).
DOWN_STATUSES: Final = frozenset({500, 502, 503, 504})
THROTTLED_STATUSES: Final = frozenset({429, 509})
PERMANENT_STATUSES: Final = frozenset({401, 403, 404})

# Each service has names of its own for these.
_THROTTLED: Final = re.compile(r"thrott", re.IGNORECASE)
_EXPIRED: Final = re.compile(r"^Expired")
_PERMANENT: Final = re.compile(
    r"^(BadRequest|Invalid|Malformed|Missing|NoSuch)"
    r"|AccessDenied|DoesNotExist|Forbidden|NonExistent|NotAuthorized|NotFound|Unauthorized"
)
# A state that does not allow the call yet, such as InvalidDBInstanceState, may pass.
_STATE: Final = re.compile(r"^Invalid\w*State")


def is_throttled(code: str) -> bool:
    """Whether `code` says that the caller asks too often."""
    return code in THROTTLED or _THROTTLED.search(code) is not None


def is_expired(code: str) -> bool:
    """Whether `code` says that something of the call was too old, which the next call has anew."""
    return code in EXPIRED or _EXPIRED.search(code) is not None


def is_permanent(code: str) -> bool:
    """Whether `code` says that the request is wrong or refused, by the way such codes are named."""
    return _PERMANENT.search(code) is not None and _STATE.search(code) is None
