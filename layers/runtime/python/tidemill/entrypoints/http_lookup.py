"""Looking after jobs over HTTP: list, read, cancel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.errors import IntegrityError, PayloadGoneError, Violation
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.entrypoints.http_problems import InvalidQueryError
from tidemill.entrypoints.http_request import Caller, answering_query, read_query
from tidemill.entrypoints.http_response import fits_answer, job_link
from tidemill.service.cancelling import CancelDesk
from tidemill.service.client import JobClient
from tidemill.service.listing import Listing, Query
from tidemill.service.operating import Operator
from tidemill.service.view import job_view, seen_by_tenant, wait_view

DEFAULT_PAGE: Final = 50
# Evidence of a job's latest failures; one that was redriven for years has more than Lambda can return.
MAX_FAILURES: Final = 100
_SWITCH: Final = {"true": True, "false": False}
_OMITTED: Final = (
    "it has {} bytes, more than this API can answer with. Fix: read it with the Python client or `tidemill get`"
)


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
        query = self._query(asked)
        with answering_query():
            page = self.listing.jobs(query)
        return {"jobs": [self._linked(job, job_view(job)) for job in page.jobs], "cursor": page.cursor}

    def job(self, job_id: str) -> dict[str, Any]:
        """One job with its result, and with its failures if it is dead or the query asks for them.

        Raises:
            JobNotFoundError: the tenant has no such job.
        """
        asked = read_query(self.event, {"tenant", "failures"})
        wants_failures = switch(asked.get("failures", "false"), "failures")
        with answering_query():
            job = self.client.get(job_id, self.caller.tenant_for(asked.get("tenant")))
        return self.document(job, with_failures=wants_failures)

    def document(self, job: Job, *, with_failures: bool = False) -> dict[str, Any]:
        """The job with its result, and with its failures if it is dead or they are asked for."""
        failures = None
        if with_failures or job.state is State.DEAD:
            failures = self.client.reader.failures_of(job.ref)[-MAX_FAILURES:]
        return self._linked(job, {**job_view(job, failures=failures), **self._waits(job), **self._result(job)})

    def _waits(self, job: Job) -> dict[str, Any]:
        """The member that says what it asks or was answered, for kinds that ask."""
        answerer = self.client.answerer
        if not answerer.takes(job):
            return {}
        views = [wait_view(wait.name, wait) for wait in answerer.waits_of(job)]
        if self.caller.tenant is not None:
            views = [{**view, "by": seen_by_tenant(view["by"]) if view["by"] else None} for view in views]
        return {"waits": views}

    def _result(self, job: Job) -> dict[str, Any]:
        """The member that says what a succeeded job returned, or why it is not said."""
        if job.state is not State.SUCCEEDED:
            return {}
        try:
            text = self.client.result_text(job)
        except (PayloadGoneError, IntegrityError) as error:
            return {"result_omitted": str(error)}
        if text is None:
            # A function that returned None has no result stored.
            return {"result": None}
        return {"result": json.loads(text)} if fits_answer(text) else {"result_omitted": _OMITTED.format(len(text))}

    def cancel(self, job_id: str) -> dict[str, Any]:
        """Cancel a job that waits, ask one that runs to stop, or with `kill` end it without asking.

        Raises:
            JobNotFoundError: the tenant has no such job.
            JobStateError: it is over.
        """
        asked = read_query(self.event, {"tenant", "kill"})
        kill = switch(asked.get("kill", "false"), "kill")
        with answering_query():
            job = self._operator.end(job_id, self.caller.tenant_for(asked.get("tenant")), kill=kill)
        return self._linked(job, job_view(job))

    def cancel_page(self) -> dict[str, Any]:
        """Cancel the jobs of one page of a listing, or say with `dry_run` which they would be."""
        asked = read_query(self.event, {"tenant", "state", "kind", "day", "limit", "cursor", "kill", "dry_run"})
        with answering_query():
            page = CancelDesk(self._operator, self.listing).cancel(
                self._query(asked),
                dry_run=switch(asked.get("dry_run", "false"), "dry_run"),
                kill=switch(asked.get("kill", "false"), "kill"),
            )
        return {
            "cancelled": [job.ref.id for job in page.cancelled],
            "asked": [job.ref.id for job in page.asked],
            "over": [job.ref.id for job in page.over],
            "unanswered": [job.ref.id for job in page.unanswered],
            "cursor": page.cursor,
        }

    @property
    def _operator(self) -> Operator:
        return Operator(self.client, lambda: self.caller.name)

    def _query(self, asked: Mapping[str, str]) -> Query:
        if "day" in asked and "state" in asked:
            raise InvalidQueryError(Violation("day", "is only for listing by kind; leave it or the state out", "extra"))
        return Query(
            tenant=self.caller.tenant_for(asked.get("tenant")),
            state=asked.get("state"),
            kind=asked.get("kind"),
            day=asked.get("day"),
            limit=whole_number(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE,
            cursor=asked.get("cursor"),
        )

    def _linked(self, job: Job, view: dict[str, Any]) -> dict[str, Any]:
        return {**view, "link": job_link(self.event, self.caller, job.ref)}


def whole_number(value: str, field: str) -> int:
    """The number that a query parameter names.

    Raises:
        InvalidQueryError: it names none.
    """
    # int() also takes signs, white space, underscores and other scripts' digits.
    if not (value.isascii() and value.isdigit() and len(value) <= 9):
        raise InvalidQueryError(Violation(field, "must be a whole number", "type"))
    return int(value)


def switch(value: str, field: str) -> bool:
    """The truth that a query parameter names.

    Raises:
        InvalidQueryError: it names none.
    """
    if value not in _SWITCH:
        raise InvalidQueryError(Violation(field, "must be true or false", "type"))
    return _SWITCH[value]
