"""What the HTTP API says when it says no: a problem document (RFC 9457), as an error of the command line."""

from __future__ import annotations

import json
from typing import Any

from tidemill.cli.exits import CliError, ExitCode
from tidemill.connect import ConnectError
from tidemill.domain.errors import TidemillError, UnavailableError, Violation

_BAD_INPUT = frozenset({"invalid_input", "unknown_kind", "invalid_args", "malformed_message"})


def error_of(status: int, body: bytes, host: str) -> TidemillError:
    """The error in an answer that is no success."""
    problem = _parsed(body)
    detail = str(problem.get("detail") or problem.get("title") or problem.get("message") or f"HTTP status {status}")
    if status == 401:
        return ConnectError(
            f"the API {host} takes tokens, not AWS signatures: {detail}. Fix: submit through the API with a token"
        )
    # With a code it is our own refusal of the tenant; without one, API Gateway's of the caller.
    if status == 403 and "code" not in problem:
        return ConnectError(
            f"the API {host} refuses these credentials: {detail}. Fix: allow them execute-api:Invoke on it"
        )
    if status == 429 or status >= 500:
        return UnavailableError("the HTTP API", f"{status} {detail}")
    code = str(problem.get("code") or "refused")
    bad_input = code in _BAD_INPUT or status in {400, 413, 415}
    violations = _violations(problem)
    # With violations the detail only points to them; without, the key's job is the one to look at.
    whose = f" (job {problem['job_id']})" if "job_id" in problem else ""
    message = "; ".join(map(str, violations)) or detail + whose
    return CliError(code, message, ExitCode.BAD_INPUT if bad_input else ExitCode.REFUSED, violations)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _violations(problem: dict[str, Any]) -> tuple[Violation, ...]:
    found = problem.get("violations")
    return tuple(
        Violation(str(entry.get("field")), str(entry.get("problem")), str(entry.get("code", "invalid")))
        for entry in (found if isinstance(found, list) else ())
        if isinstance(entry, dict)
    )
