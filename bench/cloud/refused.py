"""A request that AWS refuses, and the error that botocore makes of it."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


class Refused(Exception):  # noqa: N818 - an answer of AWS, not a mistake of this fake
    """AWS answers an error.

    Arguments:
        code: as botocore shows it (`Error.Code`).
        query_code: the modelled name, where SQS's older query protocol named it differently.
        members: what else the error's model carries, such as `Item` or `CancellationReasons`.
        details: what else stands beside code and message, such as S3's `Key`.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 400,
        query_code: str | None = None,
        members: dict[str, Any] | None = None,
        details: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.query_code = query_code
        self.members = members or {}
        self.details = details or {}

    def error(self, operation: str, request_id: str) -> ClientError:
        """The error that a client of `operation` sees."""
        error: dict[str, Any] = {"Message": self.message, "Code": self.code, **self.details}
        if self.query_code is not None:
            error |= {"QueryErrorCode": self.query_code, "Type": "Sender"}
        metadata = {"RequestId": request_id, "HTTPStatusCode": self.status, "HTTPHeaders": {}, "RetryAttempts": 0}
        response: Any = {"Error": error, "ResponseMetadata": metadata, **self.members}
        return ClientError(response, operation)


def invalid(message: str) -> Refused:
    """DynamoDB's answer to a request that makes no sense."""
    return Refused("ValidationException", message)
