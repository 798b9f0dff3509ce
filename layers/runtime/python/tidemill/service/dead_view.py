"""The DLQ desk's findings as JSON objects: the one form that the HTTP API and the command line share."""

from __future__ import annotations

import json
from typing import Any

from tidemill.domain.audit import AuditEntry
from tidemill.domain.job import JobRef
from tidemill.service.grouping import Group
from tidemill.service.inspection import DeadJob
from tidemill.service.manner import RESUME, Effects, Manner, Mode
from tidemill.service.view import job_view, timestamp


def group_view(group: Group) -> dict[str, Any]:
    """A group of dead jobs."""
    return {
        "error": group.error,
        "count": group.count,
        "reasons": list(group.reasons),
        "kinds": list(group.kinds),
        "lanes": list(group.lanes),
        "first_died_at": timestamp(group.first),
        "last_died_at": timestamp(group.last),
        "sample": group.sample.id,
        "sample_tenant": group.sample.tenant,
        "message": group.message,
    }


def effects_view(effects: Effects) -> dict[str, Any]:
    """Which finished steps would happen again."""
    return {"kept": list(effects.kept), "again": list(effects.again)}


def redrive_view(ref: JobRef, manner: Manner, effects: Effects) -> dict[str, Any]:
    """What one redrive means: of which job, how, and which finished steps happen again."""
    where = {"id": ref.id, "tenant": ref.tenant, "mode": manner.mode.value, "from_step": manner.step}
    return {**where, **effects_view(effects)}


def dead_view(dead: DeadJob, failures: int | None = None) -> dict[str, Any]:
    """A dead job with its arguments, its steps and what each mode would do with them.

    Arguments:
        failures: how many of the latest are shown; all without it.
    """
    shown = dead.failures if failures is None else dead.failures[-failures:]
    done = [] if dead.memory is None else sorted(dead.memory.steps.values(), key=lambda step: step.number)
    return {
        **job_view(dead.job, None, shown),
        "args": None if dead.args is None else json.loads(dead.args),
        "args_version": dead.version,
        "steps": [{"name": step.name, "at": timestamp(step.at), "generation": step.generation} for step in done],
        "effects": {
            "resume": effects_view(dead.effects(RESUME)),
            "restart": effects_view(dead.effects(Manner(Mode.RESTART))),
        },
    }


def audit_view(entry: AuditEntry) -> dict[str, Any]:
    """An entry of the audit trail."""
    return {
        "id": entry.id,
        "at": timestamp(entry.at),
        "ended_at": None if entry.ended_at is None else timestamp(entry.ended_at),
        "actor": entry.actor,
        "action": entry.action,
        "tenant": entry.tenant,
        "chosen": dict(entry.chosen),
        "manner": entry.manner or None,
        "outcome": entry.outcome.value,
        "error": entry.error,
        "counts": dict(entry.counts),
        "jobs": list(entry.jobs),
    }
