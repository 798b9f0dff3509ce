"""The one place where an error becomes a message and an exit code."""

from __future__ import annotations

import json
import sys
from enum import IntEnum
from typing import Any

import typer

from tidemill.domain.errors import (
    DefinitionError,
    InputError,
    SettingsError,
    TidemillError,
    UnavailableError,
    Violation,
)


class ExitCode(IntEnum):
    """How a command ends."""

    OK = 0
    # The job or the stack said no: not found, wrong state, conflict.
    REFUSED = 1
    BAD_INPUT = 2
    # Nothing is known to be wrong with the request: no connection, no permission, AWS throttles.
    UNAVAILABLE = 3


class CliError(TidemillError):
    """An error that knows how the command ends; for those that the service layer has no word for."""

    def __init__(
        self,
        code: str,
        message: str,
        exit_code: ExitCode = ExitCode.REFUSED,
        violations: tuple[Violation, ...] = (),
    ) -> None:
        super().__init__(message)
        self.own_code = code
        self.exit_code = exit_code
        self.violations = violations


def known(error: Exception) -> TidemillError | None:
    """The error in our own words; None for a bug, which deserves its traceback."""
    if isinstance(error, TidemillError):
        return error
    if "botocore" not in sys.modules:
        return None
    from tidemill.aws.errors import AwsError
    from tidemill.connect import explained

    return explained(error) if isinstance(error, AwsError) else None


def exit_code(error: TidemillError) -> ExitCode:
    """How a command that failed with `error` ends."""
    from tidemill.connect import ConnectError

    match error:
        case CliError():
            return error.exit_code
        case InputError() | DefinitionError():
            return ExitCode.BAD_INPUT
        case UnavailableError() | ConnectError() | SettingsError():
            return ExitCode.UNAVAILABLE
        case _:
            return ExitCode.REFUSED


def violations_of(error: TidemillError) -> tuple[Violation, ...]:
    """The fields that the error names."""
    return error.violations if isinstance(error, InputError | CliError) else ()


def as_document(error: TidemillError) -> dict[str, Any]:
    """The error as `--json` prints it."""
    violations = [
        {"field": violation.field, "problem": violation.problem, "code": violation.code}
        for violation in violations_of(error)
    ]
    return {
        "code": error.own_code if isinstance(error, CliError) else error.code,
        "message": str(error),
        "retryable": exit_code(error) is ExitCode.UNAVAILABLE and error.retryable,
        "violations": violations,
    }


def report(error: TidemillError, *, as_json: bool) -> ExitCode:
    """Print the error to standard error and answer the exit code."""
    if as_json:
        typer.echo(json.dumps(as_document(error)), err=True)
    else:
        from tidemill.cli.render import printable

        lines = [str(violation) for violation in violations_of(error)] or [str(error)]
        for line in lines:
            typer.echo(f"error: {printable(line)}", err=True)
    return exit_code(error)
