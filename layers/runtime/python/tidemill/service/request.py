"""A job asked for in JSON: the one document that the HTTP API, plain SQS messages and the CLI share."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.due import parse_moment
from tidemill.domain.errors import InputError, Violation
from tidemill.domain.names import (
    check_entity,
    check_key,
    check_lane,
    check_sequence,
    check_tenant,
    check_version,
)
from tidemill.domain.registry import JobRegistry
from tidemill.service.placing import check_submitted
from tidemill.service.submission import DEFAULT_TENANT, Submission, check_expiry, check_undelayed

FIELDS: Final = frozenset(
    {
        "kind",
        "args",
        "version",
        "key",
        "tenant",
        "lane",
        "entity",
        "sequence",
        "delay_seconds",
        "run_at",
        "durable_args",
        "expires_in_seconds",
        "job_id",
        "correlation_id",
        "webhook",
    }
)


def parse_request(document: object, registry: JobRegistry) -> Submission:
    """Turn `{"kind": ..., "args": {...}, ...}` into a submission.

    Arguments of an earlier version, which is 1 unless `version` says otherwise, are made current ones here: the job
    travels in the version of this code.

    Raises:
        InputError: a field is unknown, missing or bad; each is named.
        NewerVersionError: the arguments are of a version that this code does not know yet.
    """
    if not isinstance(document, dict):
        raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
    unknown = sorted(set(document) - FIELDS)
    if unknown:
        known = ", ".join(sorted(FIELDS))
        raise InputError(
            *(Violation(str(name)[:64], f"is no field of a job; known: {known}", "extra") for name in unknown)
        )
    for field in ("kind", "args"):
        if field not in document:
            raise InputError.at(field, "is missing", "missing")
    definition = registry.resolve(check_submitted(document["kind"], registry))
    if not isinstance(document["args"], dict):
        raise InputError.at("args", f"must be a JSON object, not {type(document['args']).__name__}", "type")
    delay, run_at = _start(document)
    expires_in = parse_span(document, "expires_in_seconds")
    if expires_in is not None:
        # Here and not only with the submission, so that the field has the name that the sender wrote.
        check_expiry(expires_in, delay, "expires_in_seconds")
    lane = _optional(document, "lane", check_lane)
    if (chosen := registry.lanes.get(lane or definition.lane)) is not None:
        check_undelayed(delay, chosen, "delay_seconds")
    return Submission(
        args=definition.args_type.from_input(document["args"], _optional(document, "version", check_version) or 1),
        key=_optional(document, "key", check_key),
        tenant=_optional(document, "tenant", check_tenant) or DEFAULT_TENANT,
        lane=lane,
        delay=delay,
        expires_in=expires_in,
        job_id=document.get("job_id"),
        correlation_id=document.get("correlation_id"),
        entity=_optional(document, "entity", check_entity),
        sequence=_optional(document, "sequence", check_sequence),
        run_at=run_at,
        durable_args=_switch(document, "durable_args"),
        webhook=document.get("webhook"),
    )


def _start(document: dict[str, Any]) -> tuple[timedelta, datetime | None]:
    """After which span, or from which moment on, it may start."""
    delay = parse_span(document, "delay_seconds") or timedelta(0)
    if document.get("run_at") is None:
        return delay, None
    if delay:
        raise InputError.at("run_at", "stands beside delay_seconds; give one of the two", "extra")
    return delay, parse_moment(document["run_at"], "run_at")


def _optional(document: dict[str, Any], field: str, check: Any) -> Any:
    return None if document.get(field) is None else check(document[field])


def _switch(document: dict[str, Any], field: str) -> bool:
    value = document.get(field)
    if value is not None and not isinstance(value, bool):
        raise InputError.at(field, f"must be true or false, not {type(value).__name__}", "type")
    return bool(value)


def parse_span(document: dict[str, Any], field: str) -> timedelta | None:
    """The span that a number of seconds in a document names; None if it has none.

    Raises:
        InputError: it is no number from 0 to 365 days.
    """
    value = document.get(field)
    if value is None:
        return None
    most = int(limits.MAX_DELAY.total_seconds())
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise InputError.at(field, f"must be a number of seconds from 0 to {most}", "range")
    return timedelta(seconds=value)
