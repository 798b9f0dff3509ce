"""Looking after jobs over HTTP: list, read, cancel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.errors import Violation
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.entrypoints.http_problems import InvalidQueryError
from tidemill.entrypoints.http_request import Caller, answering_query, read_query
from tidemill.entrypoints.http_response import job_link
from tidemill.service.client import JobClient
from tidemill.service.listing import Listing, Query
from tidemill.service.view import job_view

DEFAULT_PAGE: Final = 50
# Evidence of a job's latest failures; one that was redriven for years has more than Lambda can return.
MAX_FAILURES: Final = 100
_SWITCH: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class LookupDesk:
    """Answers one caller with documents.

    Every method raises InvalidQueryError for a bad path or query, ForbiddenTenantError for another's tenant,
    and UnavailableError when AWS does not answer.
    """

    client: JobClient
    listing: Listing
    event: APIGatewayProxyEventV2
    caller: Caller

    def page(self) -> dict[str, Any]:
        """The jobs that the query asks for, without results."""
        asked = read_query(self.event, {"tenant", "state", "kind", "day", "limit", "cursor"})
        if "day" in asked and "state" in asked:
            raise InvalidQueryError(Violation("day", "is only for listing by kind; leave it or the state out", "extra"))
        query = Query(
            tenant=self.caller.tenant_for(asked.get("tenant")),
            state=asked.get("state"),
            kind=asked.get("kind"),
            day=asked.get("day"),
            limit=_whole(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE,
            cursor=asked.get("cursor"),
        )
        with answering_query():
            page = self.listing.jobs(query)
        return {"jobs": [self._linked(job, job_view(job)) for job in page.jobs], "cursor": page.cursor}

    def job(self, job_id: str) -> dict[str, Any]:
        """One job with its result, and with its failures if it is dead or the query asks for them.

        Raises:
            JobNotFoundError: the tenant has no such job.
        """
        asked = read_query(self.event, {"tenant", "failures"})
        wants_failures = _switch(asked.get("failures", "false"), "failures")
        with answering_query():
            job = self.client.get(job_id, self.caller.tenant_for(asked.get("tenant")))
        reader = self.client.reader
        # A function that returned None has no result stored.
        result = (reader.result_of(job) or "null") if job.state is State.SUCCEEDED else None
        if not wants_failures and job.state is not State.DEAD:
            return self._linked(job, job_view(job, result))
        return self._linked(job, job_view(job, result, reader.failures_of(job.ref)[-MAX_FAILURES:]))

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job that waits.

        Raises:
            JobNotFoundError: the tenant has no such job.
            JobStateError: it runs or is over.
        """
        asked = read_query(self.event, {"tenant"})
        with answering_query():
            job = self.client.cancel(job_id, self.caller.tenant_for(asked.get("tenant")))
        return self._linked(job, job_view(job))

    def _linked(self, job: Job, view: dict[str, Any]) -> dict[str, Any]:
        return {**view, "link": job_link(self.event, self.caller, job.ref)}


def _whole(value: str, field: str) -> int:
    # int() also takes signs, white space, underscores and other scripts' digits.
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise InvalidQueryError(Violation(field, "must be a whole number", "type"))
    return int(value)


def _switch(value: str, field: str) -> bool:
    if value not in _SWITCH:
        raise InvalidQueryError(Violation(field, "must be true or false", "type"))
    return _SWITCH[value]
