"""A schedule as its readers see it: the one JSON form that the HTTP API and the command line share."""

from __future__ import annotations

import json
from typing import Any

from tidemill.domain.cron import Cron
from tidemill.domain.schedule_row import Plan, ScheduleRow, ScheduleVersion, TickJob
from tidemill.service.schedule_runs import Backfill
from tidemill.service.view import timestamp


def schedule_view(row: ScheduleRow, version: ScheduleVersion | None = None) -> dict[str, Any]:
    """The schedule as a JSON object. Times are RFC 3339 in UTC; what does not apply is None.

    Arguments:
        version: the version that it is in; without it the member `args` is left out.
    """
    last = row.made[-1] if row.made else None
    view: dict[str, Any] = {
        "name": row.ref.name,
        "tenant": row.ref.tenant,
        "version": row.version,
        "paused": row.paused,
        **_plan_view(row.plan),
        "created_at": timestamp(row.created_at),
        "changed_at": timestamp(row.changed_at),
        "next_at": _time(row.next_at),
        "waiting": row.waiting,
        "problem": row.problem or None,
        "last_tick": None if last is None else _tick_view(row, last),
        "last_missed_at": _time(row.last_missed),
        "counts": {"ticks": row.ticks, "late": row.late, "skipped": row.skipped, "missed": row.missed},
    }
    if version is not None:
        view["args"] = json.loads(version.args)
    return view


def version_view(version: ScheduleVersion) -> dict[str, Any]:
    """One version as a JSON object."""
    return {
        "version": version.number,
        "change": version.change.value,
        "at": timestamp(version.at),
        "actor": version.actor,
        "paused": version.paused,
        "reverted_to": version.reverted_to,
        **_plan_view(version.plan),
        "args": json.loads(version.args),
    }


def backfill_view(done: Backfill) -> dict[str, Any]:
    """What a backfill did, or would do, as a JSON object."""
    return {
        "dry_run": done.dry_run,
        "ticks": len(done.ticks),
        "created": done.created,
        "failed": done.failed,
        "jobs": [
            {
                "at": timestamp(tick.at),
                "id": tick.job_id,
                "created": tick.created,
                "error": None if tick.error is None else tick.error.code,
            }
            for tick in done.ticks
        ],
    }


def _plan_view(plan: Plan) -> dict[str, Any]:
    is_cron = isinstance(plan.timing, Cron)
    return {
        "kind": plan.kind,
        "lane": plan.lane,
        "entity": plan.entity,
        "cron": str(plan.timing) if is_cron else None,
        "tz": plan.timing.tz if is_cron else None,
        "every_seconds": None if isinstance(plan.timing, Cron) else int(plan.timing.span.total_seconds()),
        "overlap": plan.overlap.value,
        "missed": plan.missed.value,
        "missed_limit": plan.missed_limit,
        "jitter_seconds": None if plan.jitter is None else int(plan.jitter.total_seconds()),
        "declared": plan.declared,
    }


def _tick_view(row: ScheduleRow, tick: TickJob) -> dict[str, Any]:
    return {"at": timestamp(tick.at), "job_id": row.job_id(tick)}


def _time(at: int | None) -> str | None:
    return None if at is None else timestamp(at)
