"""Batches over HTTP: start, look, cancel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_lookup import switch
from tidemill.entrypoints.http_request import Caller, answering_query, read_query
from tidemill.entrypoints.http_response import link_to
from tidemill.entrypoints.http_submit import header_key, with_key
from tidemill.service.batch_view import BatchView, batch_document
from tidemill.service.client import JobClient
from tidemill.service.flow_request import parse_flow_request
from tidemill.service.starting import Started

# The gateway gives up after 29 seconds; a hundred children that were begun last take a few.
CANCEL_TIME_MS: Final = 15_000
# Children that did not succeed, of which one answer tells.
MAX_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class BatchRoutes:
    """Answers one caller with documents about batches."""

    registry: JobRegistry
    client: JobClient
    event: APIGatewayProxyEventV2
    caller: Caller

    def start(self, document: object) -> tuple[Started, dict[str, Any]]:
        """Start the flow that `document` asks for, under the key of the body or of the header.

        Raises:
            TidemillError: see JobClient.start.
        """
        document = with_key(document, header_key(self.event))
        if isinstance(document, dict):
            document = {**document, "tenant": self.caller.tenant_for(document.get("tenant"))}
        asked = parse_flow_request(document, self.registry)
        started = self.client.start(asked.flow, key=asked.key, tenant=asked.tenant)
        return started, {
            "id": started.batch_id,
            "state": started.batch.state.value,
            "total": started.batch.size,
            "submitted": started.batch.submitted,
            "created": started.created,
            "jobs": started.jobs,
            "link": self._link(started.batch_id, started.batch.ref.tenant),
        }

    def batch(self, batch_id: str) -> dict[str, Any]:
        """One batch with its counts, and with its first children that did not succeed if the query asks for them.

        Raises:
            BatchNotFoundError: the tenant has no such batch.
        """
        asked = read_query(self.event, {"tenant", "failures"})
        wants_failures = switch(asked.get("failures", "false"), "failures")
        with answering_query():
            tenant = self.caller.tenant_for(asked.get("tenant"))
            view = self.client.batches.get(batch_id, tenant)
            lost = islice(self.client.batches.not_succeeded(batch_id, tenant), MAX_LISTED) if wants_failures else ()
            failures = [{"index": one.index, "id": one.job_id, "state": one.fate.value} for one in lost]
        return {**self._document(view), **({"failures": failures} if wants_failures else {})}

    def cancel(self, batch_id: str) -> dict[str, Any]:
        """Cancel a batch. What does not fit into the request's time the janitor cancels.

        Raises:
            BatchNotFoundError: the tenant has no such batch.
        """
        asked = read_query(self.event, {"tenant"})
        with answering_query():
            tenant = self.caller.tenant_for(asked.get("tenant"))
            until_ms = self.client.clock.now_ms() + CANCEL_TIME_MS
            view = self.client.batches.cancel(batch_id, tenant, until_ms=until_ms)
        return self._document(view)

    def _document(self, view: BatchView) -> dict[str, Any]:
        return {**batch_document(view), "link": self._link(view.batch_id, view.batch.ref.tenant)}

    def _link(self, batch_id: str, tenant: str) -> str:
        return link_to(self.event, self.caller, f"/batches/{batch_id}", tenant)
