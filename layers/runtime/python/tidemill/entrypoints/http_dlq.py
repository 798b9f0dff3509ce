"""The DLQ desk over HTTP: list, group, show, redrive, edit, purge. One caller, one tenant, bounded time.

Whatever is shown or done is one tenant's: the filter and every job are bound to the tenant that the caller is
verified for, and of a DLQ only messages of that tenant's jobs are put back or deleted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.errors import InputError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.entrypoints.http_dlq_models import (
    DeadFilter,
    PurgeRequest,
    RedriveRequest,
    RedrivesRequest,
    read_request,
)
from tidemill.entrypoints.http_lookup import DEFAULT_PAGE, MAX_FAILURES, whole_number
from tidemill.entrypoints.http_problems import problem_document
from tidemill.entrypoints.http_request import Caller, answering_query, read_query
from tidemill.entrypoints.http_response import job_link
from tidemill.service.dead_filter import Filter, moment_of
from tidemill.service.dead_view import dead_view, effects_view, group_view
from tidemill.service.deadletters import DeadLetterDesk
from tidemill.service.editing import Edit
from tidemill.service.manner import Manner, manner_of
from tidemill.service.purging import Purgeable
from tidemill.service.redriving import NotRedriven, Redriven
from tidemill.service.view import job_view

# A walk through so many messages of one DLQ takes about three seconds, at 15 ms for ten.
HTTP_SEARCH: Final = 2_000
# The gateway gives up after 29 seconds; what was begun last takes its walk and a few calls.
HTTP_TIME_MS: Final = 15_000
_MOST_GROUPED: Final = 1_000
_PARTS: Final = frozenset({"lane", "kind", "error", "reason", "since", "until"})


@dataclass(frozen=True, slots=True)
class DlqDesk:
    """Answers one caller with documents.

    Every method raises ForbiddenTenantError for another's tenant, UnavailableError when AWS does not answer, and
    InvalidQueryError or InputError for what is wrong with the query or the body.
    """

    desk: DeadLetterDesk
    event: APIGatewayProxyEventV2
    caller: Caller

    def page(self) -> dict[str, Any]:
        """Dead jobs that the query asks for."""
        asked = read_query(self.event, _PARTS | {"tenant", "limit", "cursor"})
        limit = whole_number(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE
        with answering_query():
            page = self.desk.inspection.page(self._wanted(asked), limit, asked.get("cursor"))
        return {"jobs": [{**job_view(job), "link": self._link(job.ref)} for job in page.jobs], "cursor": page.cursor}

    def groups(self) -> dict[str, Any]:
        """Dead jobs that the query asks for, by what killed them."""
        asked = read_query(self.event, _PARTS | {"tenant"})
        with answering_query():
            groups, is_all = self.desk.inspection.groups(self._wanted(asked), _MOST_GROUPED)
        views = [{**group_view(group), "link": self._link(group.sample)} for group in groups]
        return {"groups": views, "complete": is_all}

    def job(self, job_id: str) -> dict[str, Any]:
        """All about one dead job.

        Raises:
            JobNotFoundError: the tenant has no such job.
            JobStateError: it is not dead.
        """
        asked = read_query(self.event, {"tenant"})
        with answering_query():
            ref = self._ref(asked.get("tenant"), job_id)
        return {**dead_view(self.desk.inspection.show(ref), MAX_FAILURES), "link": self._link(ref)}

    def redrive(self, job_id: str, document: object) -> dict[str, Any]:
        """Let one dead job run again, with other arguments if there are any in the document.

        Raises:
            JobNotFoundError: the tenant has no such job.
            JobStateError: it is not dead.
            InvalidArgsError: its kind does not take the arguments.
        """
        asked = read_request(RedriveRequest, document)
        with answering_query():
            ref = self._ref(asked.tenant, job_id)
        manner = manner_of(asked.mode, asked.from_step)
        if asked.replace_args and asked.args is None:
            raise InputError.at("args", "is missing: give the arguments that replace the job's own", "missing")
        edit = None if asked.args is None else Edit(asked.args, asked.replace_args)
        return self._redrive(ref, manner, edit, dry_run=asked.dry_run)

    def redrive_many(self, document: object) -> dict[str, Any]:
        """Let the next dead jobs that a filter means run again.

        Raises:
            NothingMatchedError: there are none.
        """
        asked = read_request(RedrivesRequest, document)
        manner = manner_of(asked.mode, asked.from_step)
        wanted = self._wanted({**_parts_of(asked.filter), "tenant": asked.tenant})
        jobs, cursor = self.desk.inspection.chosen_page(wanted, asked.limit, asked.cursor)
        if asked.dry_run:
            return self._foreseen(jobs, manner, cursor)
        until = self.desk.clock.now_ms() + HTTP_TIME_MS
        events = self.desk.redrive_all(
            jobs,
            manner,
            chosen=wanted,
            has_time=lambda: self.desk.clock.now_ms() < until,
            search=HTTP_SEARCH,
        )
        redriven, failed = [], []
        for event in events:
            if isinstance(event, Redriven):
                redriven.append({"id": event.ref.id, "via": event.via, "link": self._link(event.ref)})
            elif isinstance(event, NotRedriven):
                failed.append({"id": event.ref.id, **problem_document(event.error)})
        told = {entry["id"] for entry in (*redriven, *failed)}
        left = [job.ref.id for job in jobs if job.ref.id not in told]
        return _redrives(redriven=redriven, failed=failed, left=left, cursor=cursor)

    def purge(self, document: object) -> dict[str, Any]:
        """Delete messages of the tenant's jobs from one lane's DLQ.

        Raises:
            NothingMatchedError: there are none.
            InputError: it is not confirmed; nothing was deleted.
        """
        asked = read_request(PurgeRequest, document)
        if asked.filter.lane is None:
            raise InputError.at("filter.lane", "is missing: one lane is purged at a time", "missing")
        wanted = self._wanted({**_parts_of(asked.filter), "tenant": asked.tenant})
        (found,) = self.desk.purgeable(wanted, HTTP_SEARCH)
        if asked.dry_run:
            return _purge(found, len(found.messages), dry_run=True)
        _check_confirmed(asked.confirm, found)
        (purged,) = self.desk.purge([found], wanted, HTTP_SEARCH)
        return _purge(found, len(purged.jobs), dry_run=False)

    def _redrive(self, ref: JobRef, manner: Manner, edit: Edit | None, *, dry_run: bool) -> dict[str, Any]:
        inspection = self.desk.inspection
        args, via = None, None
        if edit is None:
            effects = inspection.foresee(inspection.dead(ref), manner)
        else:
            args, effects = inspection.foresee_edit(ref, edit, manner)
        if not dry_run:
            via = (self.desk.redrive(ref, manner) if edit is None else self.desk.edit(ref, edit, manner)).via
        return {
            "id": ref.id,
            "tenant": ref.tenant,
            "mode": manner.mode.value,
            "from_step": manner.step,
            "dry_run": dry_run,
            "via": via,
            **effects_view(effects),
            **({} if args is None else {"args": json.loads(args)}),
            "link": self._link(ref),
        }

    def _foreseen(self, jobs: list[Job], manner: Manner, cursor: str | None) -> dict[str, Any]:
        foreseen, failed = [], []
        for job in jobs:
            try:
                effects = effects_view(self.desk.inspection.foresee(job, manner))
            except InputError as error:
                failed.append({"id": job.ref.id, **problem_document(error)})
            else:
                foreseen.append({"id": job.ref.id, **effects, "link": self._link(job.ref)})
        return _redrives(dry_run=True, failed=failed, foreseen=foreseen, cursor=cursor)

    def _wanted(self, asked: dict[str, Any]) -> Filter:
        """The filter, bound to the caller's tenant."""
        tenant = check_tenant(self.caller.tenant_for(asked.get("tenant")))
        parts: dict[str, Any] = {name: asked.get(name) for name in ("lane", "kind", "error", "reason")}
        parts |= {name: moment_of(asked[name], name) for name in ("since", "until") if asked.get(name)}
        return Filter(tenant, **parts).checked(self.desk.lanes)

    def _ref(self, tenant: object, job_id: str) -> JobRef:
        return JobRef(check_tenant(self.caller.tenant_for(tenant)), check_job_id(job_id))

    def _link(self, ref: JobRef) -> str:
        return job_link(self.event, self.caller, ref)


def _parts_of(chosen: DeadFilter) -> dict[str, Any]:
    return chosen.model_dump(exclude_none=True)


def _redrives(**members: Any) -> dict[str, Any]:
    return {"dry_run": False, "redriven": [], "failed": [], "foreseen": [], "left": [], "cursor": None, **members}


def _purge(found: Purgeable, count: int, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "lane": found.lane,
        "messages": count,
        "refusals": found.refusals,
        "kept": found.kept,
    }


def _check_confirmed(confirm: int | str | None, found: Purgeable) -> None:
    if confirm in (found.lane, len(found.messages)):
        return
    what = "is missing" if confirm is None else f"is {confirm!s:.40}"
    raise InputError.at(
        "confirm",
        f"{what}, and {len(found.messages)} messages of {found.lane} would be deleted for good. "
        "Fix: give that number, or the lane's name",
        "confirm",
    )
