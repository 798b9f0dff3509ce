"""The table of errors: what may be repeated, and what may have happened all the same."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)

from tidemill.aws.errors import code_of, is_ambiguous, is_passing, raise_for, unavailable
from tidemill.domain import aws_codes
from tidemill.domain.errors import UnavailableError


def client_error(code, status=400):
    response = {"Error": {"Code": code, "Message": "secret"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "UpdateItem")


# error, may succeed later, may have been written
TABLE = [
    (client_error("ProvisionedThroughputExceededException"), True, False),
    (client_error("ThrottlingException"), True, False),
    (client_error("RequestLimitExceeded"), True, False),
    (client_error("RequestThrottled"), True, False),
    (client_error("OverLimit", 403), True, False),
    (client_error("SlowDown", 503), True, False),
    (client_error("TransactionConflictException"), True, False),
    (client_error("InternalServerError", 500), True, True),
    (client_error("InternalFailure", 500), True, True),
    (client_error("ServiceUnavailable", 503), True, True),
    (client_error("SomethingNew", 502), True, True),
    (client_error("ExpiredTokenException"), True, False),
    (client_error("AccessDeniedException"), False, False),
    (client_error("ResourceNotFoundException"), False, False),
    (client_error("ValidationException"), False, False),
    (client_error("AWS.SimpleQueueService.NonExistentQueue"), False, False),
    (ReadTimeoutError(endpoint_url="x"), True, True),
    (ConnectionClosedError(endpoint_url="x"), True, True),
    (SSLError(endpoint_url="x", error="e"), True, True),
    (ConnectTimeoutError(endpoint_url="x"), True, False),
    (EndpointConnectionError(endpoint_url="x"), True, False),
    (NoCredentialsError(), False, False),
]


@pytest.mark.parametrize(("error", "passing", "ambiguous"), TABLE, ids=lambda value: getattr(value, "args", [value])[0])
def test_table(error, passing, ambiguous):
    assert (is_passing(error), is_ambiguous(error)) == (passing, ambiguous)


@pytest.mark.parametrize(("error", "passing"), [row[:2] for row in TABLE])
def test_a_read_fails_with_the_domains_error_or_as_the_mistake_it_is(error, passing):
    with pytest.raises(UnavailableError if passing else type(error)) as raised:
        raise_for("find", error)

    if passing:
        assert (raised.value.operation, raised.value.cause) == ("find", code_of(error))
        assert raised.value.__cause__ is error


def test_the_text_of_aws_which_may_quote_the_request_is_dropped():
    failure = unavailable("claim", client_error("ValidationException"))

    assert failure.cause == "ValidationException"
    assert "secret" not in str(failure)
    assert unavailable("send", ReadTimeoutError(endpoint_url="x")).cause == "ReadTimeoutError"


def test_a_job_and_tidemill_itself_read_one_list():
    passing = aws_codes.THROTTLED | aws_codes.DOWN | aws_codes.EXPIRED | aws_codes.CONFLICTS

    assert all(is_passing(client_error(code)) for code in passing)
    assert not any(is_passing(client_error(code)) for code in aws_codes.PERMANENT)
    assert not aws_codes.PERMANENT & passing
    assert not any(aws_codes.is_permanent(code) for code in passing)
    assert {code for code in aws_codes.THROTTLED if is_ambiguous(client_error(code))} == set()
