"""From what botocore raises, and what DynamoDB and SQS answer for one entry, to the one domain error."""

from __future__ import annotations

from typing import Final, NoReturn

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from tidemill.domain import aws_codes
from tidemill.domain.errors import UnavailableError

# The same request may succeed later, and was not carried out (DynamoDB Developer Guide, "Error handling with DynamoDB";
# SQS API Reference, "Common Errors").
THROTTLED: Final = aws_codes.THROTTLED | aws_codes.CONFLICTS
# AWS itself failed, and does not say whether it wrote ("Error handling with DynamoDB", HTTP status code 5xx).
FAILED: Final = aws_codes.DOWN
EXPIRED: Final = aws_codes.EXPIRED

# No connection was made, so that nothing was sent.
_UNSENT: Final = (ConnectTimeoutError, EndpointConnectionError)
_CONNECTION: Final = (BotoConnectionError, ConnectionClosedError, HTTPClientError, ReadTimeoutError)

AwsError = (BotoCoreError, ClientError)


def code_of(error: Exception) -> str:
    """AWS's code for the error, or the class of the connection's failure."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


def is_passing(error: Exception) -> bool:
    """Whether the same call may succeed later, without a change to code, table, queue or role."""
    if not isinstance(error, ClientError):
        return isinstance(error, _CONNECTION)
    return code_of(error) in THROTTLED | FAILED | EXPIRED or _status(error) >= 500


def is_ambiguous(error: Exception) -> bool:
    """Whether the call may have taken effect although it failed: the answer was lost, or AWS broke in the middle."""
    if isinstance(error, ClientError):
        return code_of(error) in FAILED or (_status(error) >= 500 and code_of(error) not in THROTTLED)
    return isinstance(error, _CONNECTION) and not isinstance(error, _UNSENT)


def unavailable(operation: str, error: Exception) -> UnavailableError:
    """`error` as one record's failure. Its code is kept; its text may quote the request, and is not."""
    return UnavailableError(operation, code_of(error))


def raise_for(operation: str, error: Exception) -> NoReturn:
    """Turn the passing failure of a read into the domain's error.

    A lasting one (no such table, no right to read) is a mistake of the deployment, and goes up as it is.

    Raises:
        UnavailableError: the call may be repeated.
    """
    if is_passing(error):
        raise unavailable(operation, error) from error
    raise error


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
