"""A job as its readers see it: the one JSON form that the HTTP API and the command line share."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import AttemptFailure
from tidemill.domain.waiting import Wait

# While a job waits, claimable_at is when it may start; while it runs, it is the end of a lease, which is no due time.
_WAITING: Final = frozenset({State.SCHEDULED, State.QUEUED, State.RETRYING})


def job_view(job: Job, result: str | None = None, failures: Sequence[AttemptFailure] | None = None) -> dict[str, Any]:
    """The job as a JSON object. Times are RFC 3339 in UTC with milliseconds; what does not apply is None.

    Arguments:
        result: the JSON text of what it returned; without it the member `result` is left out.
        failures: its failed attempts; without them the member `failures` is left out.
    """
    view: dict[str, Any] = {
        "id": job.ref.id,
        "tenant": job.ref.tenant,
        "kind": job.kind,
        "lane": job.lane,
        "state": job.state.value,
        "key": job.key,
        "generation": job.generation,
        "attempt": job.attempt,
        "deferrals": job.deferrals,
        "crashes": job.crashes,
        "created_at": timestamp(job.created_at),
        "started_at": _timestamp_or_none(job.started_at),
        "finished_at": _timestamp_or_none(job.finished_at),
        "due_at": _timestamp_or_none(job.claimable_at or None) if job.state in _WAITING else None,
        "expires_at": _timestamp_or_none(job.expires_at),
        "reason": job.reason,
        "error": job.error,
        "correlation_id": job.correlation_id,
        "cancel_asked": job.cancel_asked,
        "progress": None if job.progress is None else _progress_view(job.progress),
    }
    if result is not None:
        view["result"] = json.loads(result)
    if failures is not None:
        view["failures"] = [failure_view(failure) for failure in failures]
    return view


def _progress_view(progress: str) -> dict[str, Any]:
    said = json.loads(progress)
    return {"done": said["n"], "total": said.get("of"), "note": said.get("note")}


def seen_by_tenant(name: str) -> str:
    """Who acted, as others than operators see it: an ARN names the account and its roles."""
    return "operator" if name.startswith("arn:") else name


def wait_view(name: str, wait: Wait | None, *, with_value: bool = True) -> dict[str, Any]:
    """One wait as a JSON object: `unasked`, `open`, `answered` or `timed_out`.

    Arguments:
        with_value: show what was answered, and not only by whom.
    """
    wait = wait or Wait(name, 0)
    given = wait.given
    status = "answered" if given else "timed_out" if wait.timed_out_at else "open" if wait.asked_at else "unasked"
    view = {
        "name": name,
        "status": status,
        "asks": wait.asks or None,
        "asked_at": _timestamp_or_none(wait.asked_at),
        "ends_at": _timestamp_or_none(wait.ends_at),
        "timed_out_at": _timestamp_or_none(wait.timed_out_at),
        "by": given.by if given else None,
        "means": given.means if given else None,
        "at": timestamp(given.at) if given else None,
    }
    return {**view, "answer": json.loads(given.value) if given else None} if with_value else view


def failure_view(attempt: AttemptFailure) -> dict[str, Any]:
    """One failed attempt as a JSON object."""
    return {
        "generation": attempt.generation,
        "attempt": attempt.attempt,
        "at": timestamp(attempt.at),
        "type": attempt.failure.type,
        "message": attempt.failure.message,
        "trace": attempt.failure.trace,
        "fingerprint": attempt.failure.fingerprint,
    }


def timestamp(at_ms: int) -> str:
    """A time in Unix milliseconds as `2026-11-22T08:30:00.250Z`."""
    # Seconds and milliseconds apart: a float of both would round.
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"


def _timestamp_or_none(at_ms: int | None) -> str | None:
    return None if at_ms is None else timestamp(at_ms)
