"""Schedules over HTTP: one caller, one tenant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.args import JobArgs
from tidemill.domain.cron import Cron, Every, Timing
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.job import JobRef
from tidemill.domain.names import check_tenant
from tidemill.domain.registry import JobRegistry
from tidemill.domain.schedule_row import ScheduleRow
from tidemill.entrypoints.http_dlq_models import read_request
from tidemill.entrypoints.http_lookup import DEFAULT_PAGE, whole_number
from tidemill.entrypoints.http_request import Caller, answering_query, read_query
from tidemill.entrypoints.http_response import job_link, link_to
from tidemill.entrypoints.http_schedule_models import (
    BackfillRequest,
    ScheduleAction,
    ScheduleChange,
    ScheduleRequest,
    ScheduleRevert,
    TriggerRequest,
)
from tidemill.service.dead_filter import moment_of
from tidemill.service.schedule_view import backfill_view, schedule_view, version_view
from tidemill.service.schedules import Schedules
from tidemill.service.view import timestamp

_DEFAULT_COUNT: Final = 5


@dataclass(frozen=True, slots=True)
class ScheduleDesk:
    """Answers one caller with documents.

    Every method raises ForbiddenTenantError for another's tenant, ScheduleNotFoundError where the tenant has no such
    schedule, UnavailableError when AWS does not answer, and InvalidQueryError or InputError for what is wrong with the
    path, the query or the body.
    """

    registry: JobRegistry
    schedules: Schedules
    event: APIGatewayProxyEventV2
    caller: Caller

    def create(self, document: object) -> dict[str, Any]:
        """Make the schedule that the document asks for.

        Raises:
            ScheduleExistsError, TooManySchedulesError: see `Schedules.create`.
        """
        read_query(self.event, set())
        asked = read_request(ScheduleRequest, document)
        args = self._args(asked.kind, asked.args or {}, asked.args_version)
        timing = timing_of(asked.cron, asked.tz, asked.every_seconds)
        tenant = self._tenant(asked.tenant)
        row = self.schedules.create(asked.name, args, timing, tenant=tenant, paused=asked.paused, **asked.options)
        return self._view(row)

    def page(self) -> dict[str, Any]:
        """The tenant's schedules."""
        asked = read_query(self.event, {"tenant", "limit", "cursor"})
        limit = whole_number(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE
        with answering_query():
            page = self.schedules.page(
                tenant=self._tenant(asked.get("tenant")), limit=limit, cursor=asked.get("cursor")
            )
        rows = [{**schedule_view(row), "link": self._link(row)} for row in page.rows]
        return {"schedules": rows, "cursor": page.cursor}

    def show(self, name: str) -> dict[str, Any]:
        """One schedule with its arguments."""
        asked = read_query(self.event, {"tenant"})
        with answering_query():
            return self._view(self.schedules.get(name, tenant=self._tenant(asked.get("tenant"))))

    def next_fires(self, name: str) -> dict[str, Any]:
        """Its next ticks."""
        asked = read_query(self.event, {"tenant", "count"})
        count = whole_number(asked["count"], "count") if "count" in asked else _DEFAULT_COUNT
        with answering_query():
            fires = self.schedules.next_fires(name, count, tenant=self._tenant(asked.get("tenant")))
        return {"next": [timestamp(int(fire.timestamp() * 1_000)) for fire in fires]}

    def versions(self, name: str) -> dict[str, Any]:
        """Who made it what it is."""
        asked = read_query(self.event, {"tenant", "limit", "cursor"})
        limit = whole_number(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE
        with answering_query():
            page = self.schedules.versions(
                name, tenant=self._tenant(asked.get("tenant")), limit=limit, cursor=asked.get("cursor")
            )
        views = [version_view(version) for version in page.versions]
        if self.caller.tenant is not None:
            # An operator's ARN names the account and its roles, which a tenant has no business with.
            views = [
                {**view, "actor": view["actor"] if view["actor"].startswith("token:") else "operator"} for view in views
            ]
        return {"versions": views, "cursor": page.cursor}

    def change(self, name: str, document: object) -> dict[str, Any]:
        """Let it do something else.

        Raises:
            StaleVersionError: it is not in the version of the header If-Match.
        """
        version = self._expected()
        asked = read_request(ScheduleChange, document)
        tenant = self._tenant(asked.tenant)
        with answering_query():
            row = self.schedules.get(name, tenant=tenant)
        changes: dict[str, Any] = dict(asked.options)
        if asked.args is not None or asked.kind is not None:
            if asked.args is None:
                raise InputError.at("args", "are missing: give those of the other kind", "missing")
            changes["args"] = self._args(asked.kind or row.plan.kind, asked.args, asked.args_version)
        if any(value is not None for value in (asked.cron, asked.tz, asked.every_seconds)):
            changes["timing"] = timing_of(asked.cron, asked.tz, asked.every_seconds, row.plan.timing)
        return self._view(self.schedules.change(name, tenant=tenant, version=version, **changes))

    def act(self, verb: str, name: str, document: object) -> dict[str, Any]:
        """Pause or resume it.

        Raises:
            StaleVersionError: it is not in the version of the header If-Match.
        """
        version = self._expected()
        asked = read_request(ScheduleAction, document)
        verbs = {"pause": self.schedules.pause, "resume": self.schedules.resume}
        with answering_query():
            return self._view(verbs[verb](name, tenant=self._tenant(asked.tenant), version=version))

    def revert(self, name: str, document: object) -> dict[str, Any]:
        """Let it do what it did in another version.

        Raises:
            StaleVersionError: it is not in the version of the header If-Match.
        """
        version = self._expected()
        asked = read_request(ScheduleRevert, document)
        return self._view(self.schedules.revert(name, asked.to, tenant=self._tenant(asked.tenant), version=version))

    def delete(self, name: str) -> dict[str, Any]:
        """Let it make no job any more.

        Raises:
            StaleVersionError: it is not in the version of the header If-Match.
        """
        asked = read_query(self.event, {"tenant"})
        with answering_query():
            tenant = self._tenant(asked.get("tenant"))
            version = self._version_expected()
            return self._view(self.schedules.delete(name, tenant=tenant, version=version))

    def trigger(self, name: str, document: object) -> dict[str, Any]:
        """Make a job of it now."""
        read_query(self.event, set())
        asked = read_request(TriggerRequest, document)
        tenant = self._tenant(asked.tenant)
        receipt = self.schedules.trigger(name, tenant=tenant, job_id=asked.job_id)
        return {
            "id": receipt.job_id,
            "state": receipt.job.state.value,
            "created": receipt.created,
            "link": job_link(self.event, self.caller, receipt.job.ref),
        }

    def backfill(self, name: str, document: object) -> dict[str, Any]:
        """Make the jobs of ticks that are over."""
        read_query(self.event, set())
        asked = read_request(BackfillRequest, document)
        tenant = self._tenant(asked.tenant)
        start, end = (_datetime(text, field) for text, field in ((asked.start, "start"), (asked.end, "end")))
        view = backfill_view(self.schedules.backfill(name, start, end, tenant=tenant, dry_run=asked.dry_run))
        for job in view["jobs"]:
            job["link"] = job_link(self.event, self.caller, JobRef(tenant, job["id"]))
        return view

    def _tenant(self, named: object) -> str:
        return check_tenant(self.caller.tenant_for(named))

    def _args(self, kind: str, document: dict[str, Any], version: int | None) -> JobArgs:
        args: JobArgs = self.registry.resolve(kind).args_type.from_input(document, version or 1)
        return args

    def _expected(self) -> int | None:
        read_query(self.event, set())
        with answering_query():
            return self._version_expected()

    def _version_expected(self) -> int | None:
        header = self.event.headers.get("if-match")
        if header in (None, "*"):
            return None
        return whole_number(str(header).strip().strip('"'), "If-Match")

    def _view(self, row: ScheduleRow) -> dict[str, Any]:
        version = self.schedules.rows.versions_of([row])[0]
        return {"args": {}, **schedule_view(row, version), "link": self._link(row)}

    def _link(self, row: ScheduleRow) -> str:
        return link_to(self.event, self.caller, f"/schedules/{row.ref.name}", row.ref.tenant)


def timing_of(cron: str | None, tz: str | None, every_seconds: int | None, old: Timing | None = None) -> Timing:
    """The times that these fields mean; those of `old` that are left out stay.

    Raises:
        InputError: one is bad, or they do not go together.
    """
    if every_seconds is not None:
        if cron is not None or tz is not None:
            raise InputError.at("every_seconds", "stands alone: leave out `cron` and `tz`, or this", "conflict")
        try:
            return Every(timedelta(seconds=every_seconds))
        except (DefinitionError, OverflowError) as error:
            raise InputError.at("every_seconds", f"{error}", "range") from None
    if cron is None and not isinstance(old, Cron):
        raise InputError.at("cron", "is missing: give it or `every_seconds`", "missing")
    known = old if isinstance(old, Cron) else None
    fields = (cron or (known.expression if known else ""), tz or (known.tz if known else "UTC"))
    try:
        return Cron(*fields)
    except DefinitionError as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from None
        raise


def _datetime(text: str, field: str) -> datetime:
    return datetime.fromtimestamp(moment_of(text, field) / 1_000, UTC)
