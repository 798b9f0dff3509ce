"""What one caller reaches at the DLQ desk over HTTP: the jobs of one tenant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.job import JobRef
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.entrypoints.http_dlq_models import DeadFilter
from tidemill.entrypoints.http_request import Caller
from tidemill.entrypoints.http_response import job_link
from tidemill.service.dead_filter import Filter, moment_of
from tidemill.service.deadletters import DeadLetterDesk


@dataclass(frozen=True, slots=True)
class Reach:
    """Binds filters, ids and links to the tenant that the caller is verified for.

    Every method raises ForbiddenTenantError for another's tenant, and InputError for what can't be one.
    """

    desk: DeadLetterDesk
    event: APIGatewayProxyEventV2
    caller: Caller

    def tenant(self, named: object) -> str:
        """The tenant to work for, given the one that the request names."""
        return check_tenant(self.caller.tenant_for(named))

    def filter(self, asked: dict[str, Any]) -> Filter:
        """The filter that these parts make."""
        parts: dict[str, Any] = {name: asked.get(name) for name in ("lane", "kind", "error", "reason")}
        parts |= {name: moment_of(asked[name], name) for name in ("since", "until") if asked.get(name)}
        return Filter(self.tenant(asked.get("tenant")), **parts).checked(self.desk.lanes)

    def filter_in(self, chosen: DeadFilter, tenant: str | None) -> Filter:
        """The filter of a document."""
        return self.filter({**chosen.model_dump(exclude_none=True), "tenant": tenant})

    def ref(self, tenant: object, job_id: str, field: str = "id") -> JobRef:
        """A job of the tenant."""
        return JobRef(self.tenant(tenant), check_job_id(job_id, field))

    def link(self, ref: JobRef) -> str:
        """Where the job is found."""
        return job_link(self.event, self.caller, ref)
