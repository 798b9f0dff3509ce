"""A saga as its readers see it: the one JSON form that the HTTP API and the command line share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidemill.domain.ports import HistoryEvent
from tidemill.domain.saga.declaring import Branches
from tidemill.domain.saga.picture import mermaid
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga_state import Part
from tidemill.service.sagas import SagaReceipt, SagaView
from tidemill.service.view import timestamp


def saga_view(view: SagaView) -> dict[str, Any]:
    """The saga as a JSON object, without its arguments. Times are RFC 3339 in UTC."""
    execution = view.execution
    return {
        "id": view.saga_id,
        "name": view.name,
        "tenant": view.tenant,
        "state": view.state.value,
        "cancelled": view.cancelled,
        "generation": view.generation,
        "started_at": timestamp(execution.started_at),
        "finished_at": None if execution.stopped_at is None else timestamp(execution.stopped_at),
        "reason": view.reason,
        "steps": [_part(part) for part in view.parts if part.job is not None],
    }


def receipt_view(receipt: SagaReceipt) -> dict[str, Any]:
    """What the starter of a saga gets back."""
    return {"id": receipt.saga_id, "name": receipt.name, "tenant": receipt.tenant, "created": receipt.created}


def history_view(events: Sequence[HistoryEvent]) -> list[dict[str, Any]]:
    """What happened in a saga's machine."""
    return [
        {"at": timestamp(event.at), "what": event.what, "state": event.state or None, "error": event.error or None}
        for event in events
    ]


def declared_view(saga: Saga) -> dict[str, Any]:
    """What a saga is made of, and its picture."""
    return {
        "name": saga.name,
        "parts": [
            {"name": part.name, "branches": [[one.name for one in branch] for branch in part.branches]}
            if isinstance(part, Branches)
            else {"name": part.name}
            for part in saga.steps
        ],
        "steps": [
            {
                "name": one.name,
                "kind": one.job.kind,
                "compensation": one.compensate.job.kind if one.compensate else None,
                "pivot": one.pivot,
                "timeout_seconds": None if one.timeout is None else one.timeout.total_seconds(),
                "has_condition": one.when is not None,
            }
            for one in saga
        ],
        "mermaid": mermaid(saga),
    }


def _part(part: Part) -> dict[str, Any]:
    job = part.job
    assert job is not None  # noqa: S101 - the caller chose so
    return {
        "step": part.step,
        "role": part.role.value,
        "job_id": job.ref.id,
        "kind": part.kind,
        "state": job.state.value,
        "attempt": job.attempt,
        "reason": job.reason,
        "finished_at": None if job.finished_at is None else timestamp(job.finished_at),
    }
