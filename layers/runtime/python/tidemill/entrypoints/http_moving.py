"""Moving a job over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.due import due_at, parse_moment
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, Violation
from tidemill.entrypoints.http_request import Caller, answering_query
from tidemill.entrypoints.http_response import job_link
from tidemill.service.client import JobClient
from tidemill.service.operating import Operator
from tidemill.service.request import parse_span
from tidemill.service.view import job_view

_FIELDS: Final = ("run_at", "delay_seconds", "tenant")


@dataclass(frozen=True, slots=True)
class MoveDesk:
    """Moves jobs for one caller."""

    client: JobClient
    event: APIGatewayProxyEventV2
    caller: Caller

    def move(self, job_id: str, document: object) -> dict[str, Any]:
        """Let the job start at `{"run_at": ...}`, or after `{"delay_seconds": ...}`; answers it as it is then.

        Raises:
            InvalidQueryError: the id is ill-formed.
            InputError: the document says no time at which the job could start.
            JobNotFoundError: the tenant has no such job.
            JobStateError: its state does not allow it.
            UnavailableError: AWS did not answer.
        """
        wanted = _checked(document)
        due_ms, field = self._due(wanted)
        tenant = self.caller.tenant_for(wanted.get("tenant"))
        with answering_query():
            job = self.client.get(job_id, tenant)
        moved = Operator(self.client, lambda: self.caller.name).move(job, due_ms, field)
        return {**job_view(moved), "link": job_link(self.event, self.caller, moved.ref)}

    def _due(self, wanted: dict[str, Any]) -> tuple[int, str]:
        now_ms = self.client.clock.now_ms()
        delay = parse_span(wanted, "delay_seconds")
        if (delay is None) == (wanted.get("run_at") is None):
            raise InputError.at("run_at", "or delay_seconds says the new time; give one of the two", "missing")
        if delay is not None:
            return now_ms + milliseconds(delay), "delay_seconds"
        return due_at(parse_moment(wanted["run_at"], "run_at"), now_ms, "run_at"), "run_at"


def _checked(document: object) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
    if unknown := sorted(set(document) - set(_FIELDS)):
        known = ", ".join(_FIELDS)
        raise InputError(*(Violation(name, f"is no field of a move; known: {known}", "extra") for name in unknown))
    return document
