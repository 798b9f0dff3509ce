"""What the HTTP API may answer, its gateway included, and what the command line makes of it."""

import json

import pytest

from tidemill.cli.exits import ExitCode, exit_code, violations_of
from tidemill.cli.problem import error_of
from tidemill.connect import ConnectError
from tidemill.domain.errors import (
    InvalidArgsError,
    JobFinalError,
    KeyConflictError,
    UnavailableError,
    UnknownKindError,
    Violation,
)
from tidemill.entrypoints.http_problems import ForbiddenTenantError, problem_document


def answered(error):
    document = problem_document(error)
    return error_of(document["status"], json.dumps(document).encode(), "abc.execute-api")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidArgsError(Violation("args.width", "is too small", "range")), ExitCode.BAD_INPUT),
        (UnknownKindError(Violation("kind", "no job of kind 'x'", "unknown_kind")), ExitCode.BAD_INPUT),
        (KeyConflictError("k", "id"), ExitCode.REFUSED),
        (JobFinalError("k", "id", "dead"), ExitCode.REFUSED),
        (ForbiddenTenantError(Violation("tenant", "is another's")), ExitCode.REFUSED),
    ],
)
def test_our_own_refusals_keep_their_code_and_fields(error, code):
    found = answered(error)

    assert exit_code(found) is code
    assert found.own_code == error.code
    assert violations_of(found) == getattr(error, "violations", ())


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_may_pass_is_unavailable(status):
    found = error_of(status, b"<html>", "abc.execute-api")

    assert isinstance(found, UnavailableError)
    assert str(status) in str(found)


@pytest.mark.parametrize(("status", "fix"), [(401, "with a token"), (403, "execute-api:Invoke")])
def test_the_gateways_refusals_name_the_fix(status, fix):
    found = error_of(status, b'{"message":"Forbidden"}', "abc.execute-api")

    assert isinstance(found, ConnectError)
    assert fix in str(found)
    assert "Forbidden" in str(found)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"violations":7}', b'{"violations":[7]}'])
def test_an_answer_that_is_no_problem_document_is_survived(body):
    assert "HTTP status 404" in str(error_of(404, body, "abc.execute-api"))
