"""What the error codes of AWS mean for a job that met them."""

from __future__ import annotations

from typing import Final

# As botocore's own retry handlers list them (botocore/retries/standard.py, ThrottledRetryableChecker).
THROTTLED: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
# AWS says with these that the request itself is wrong or refused; the same request fails again.
PERMANENT: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidParameterException",
        "InvalidParameterValue",
        "InvalidRequest",
        "NoSuchBucket",
        "NoSuchKey",
        "NotFound",
        "ResourceNotFoundException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "ValidationError",
        "ValidationException",
        "404",
        "403",
        "400",
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
# With these statuses a code that is in no list says the same.
DOWN_STATUSES: Final = frozenset({500, 502, 503, 504})
