"""The DLQ desk over HTTP: list, group, show, redrive, edit, purge, audit. One caller, one tenant, bounded time.

Whatever is shown or done is one tenant's: the filter and every job are bound to the tenant that the caller is
verified for, and of a DLQ only messages of that tenant's jobs are put back or deleted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef
from tidemill.entrypoints.http_dlq_many import HTTP_SEARCH, ManyRedrives
from tidemill.entrypoints.http_dlq_models import PurgeRequest, RedriveRequest, read_request
from tidemill.entrypoints.http_dlq_reach import Reach
from tidemill.entrypoints.http_lookup import DEFAULT_PAGE, MAX_FAILURES, whole_number
from tidemill.entrypoints.http_request import answering_query, read_query
from tidemill.service.dead_view import audit_view, dead_view, group_view, redrive_view
from tidemill.service.deadletters import DeadLetterDesk
from tidemill.service.editing import Edit
from tidemill.service.manner import Manner, manner_of
from tidemill.service.purging import Purgeable
from tidemill.service.view import job_view

_MOST_GROUPED: Final = 1_000
_PARTS: Final = frozenset({"lane", "kind", "error", "reason", "since", "until"})


@dataclass(frozen=True, slots=True)
class DlqDesk:
    """Answers one caller with documents.

    Every method raises ForbiddenTenantError for another's tenant, UnavailableError when AWS does not answer, and
    InvalidQueryError or InputError for what is wrong with the query or the body.
    """

    reach: Reach

    @property
    def desk(self) -> DeadLetterDesk:
        """The desk that it asks."""
        return self.reach.desk

    def page(self) -> dict[str, Any]:
        """Dead jobs that the query asks for."""
        asked = read_query(self.reach.event, _PARTS | {"tenant", "limit", "cursor"})
        limit = whole_number(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE
        with answering_query():
            page = self.desk.inspection.page(self.reach.filter(asked), limit, asked.get("cursor"))
        jobs = [{**job_view(job), "link": self.reach.link(job.ref)} for job in page.jobs]
        return {"jobs": jobs, "cursor": page.cursor}

    def groups(self) -> dict[str, Any]:
        """Dead jobs that the query asks for, by what killed them."""
        asked = read_query(self.reach.event, _PARTS | {"tenant"})
        with answering_query():
            groups, is_all = self.desk.inspection.groups(self.reach.filter(asked), _MOST_GROUPED)
        views = [{**group_view(group), "link": self.reach.link(group.sample)} for group in groups]
        return {"groups": views, "complete": is_all}

    def job(self, job_id: str) -> dict[str, Any]:
        """All about one dead job.

        Raises:
            JobNotFoundError: the tenant has no such job.
            JobStateError: it is not dead.
        """
        asked = read_query(self.reach.event, {"tenant"})
        with answering_query():
            ref = self.reach.ref(asked.get("tenant"), job_id)
        return {**dead_view(self.desk.inspection.show(ref), MAX_FAILURES), "link": self.reach.link(ref)}

    def redrive(self, job_id: str, document: object) -> dict[str, Any]:
        """Let one dead job run again, with other arguments if there are any in the document.

        Raises:
            JobNotFoundError: the tenant has no such job.
            JobStateError: it is not dead.
            InvalidArgsError: its kind does not take the arguments.
        """
        asked = read_request(RedriveRequest, document)
        with answering_query():
            ref = self.reach.ref(asked.tenant, job_id)
        manner = manner_of(asked.mode, asked.from_step)
        if asked.replace_args and asked.args is None:
            raise InputError.at("args", "is missing: give the arguments that replace the job's own", "missing")
        edit = None if asked.args is None else Edit(asked.args, asked.replace_args)
        return self._redrive(ref, manner, edit, dry_run=asked.dry_run)

    def redrive_many(self, document: object) -> dict[str, Any]:
        """Let many dead jobs run again; see ManyRedrives."""
        return ManyRedrives(self.reach).answer(document)

    def trail(self) -> dict[str, Any]:
        """Who did what with the tenant's dead jobs on one day.

        A caller who is trusted with the whole stack and names no tenant gets what was done with anybody's.
        """
        asked = read_query(self.reach.event, {"tenant", "day", "limit", "cursor"})
        limit = whole_number(asked["limit"], "limit") if "limit" in asked else DEFAULT_PAGE
        is_trusted = self.reach.caller.tenant is None
        with answering_query():
            tenant = None if is_trusted and "tenant" not in asked else self.reach.tenant(asked.get("tenant"))
            page = self.desk.trail(asked.get("day"), limit, asked.get("cursor"), tenant)
        entries = [audit_view(entry) for entry in page.entries]
        if not is_trusted:
            # An operator's ARN names the account and its roles, which a tenant has no business with.
            entries = [{**entry, "actor": _seen_by_tenant(entry["actor"])} for entry in entries]
        return {"entries": entries, "cursor": page.cursor}

    def purge(self, document: object) -> dict[str, Any]:
        """Delete messages of the tenant's jobs from one lane's DLQ.

        Raises:
            NothingMatchedError: there are none.
            InputError: it is not confirmed; nothing was deleted.
        """
        asked = read_request(PurgeRequest, document)
        if asked.filter.lane is None:
            raise InputError.at("filter.lane", "is missing: one lane is purged at a time", "missing")
        wanted = self.reach.filter_in(asked.filter, asked.tenant)
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
            **redrive_view(ref, manner, effects),
            "dry_run": dry_run,
            "via": via,
            **({} if args is None else {"args": json.loads(args)}),
            "link": self.reach.link(ref),
        }


def _seen_by_tenant(actor: str) -> str:
    return actor if actor.startswith("token:") else "operator"


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
