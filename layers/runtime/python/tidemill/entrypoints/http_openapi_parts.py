"""What every operation of the OpenAPI document is made of."""

from __future__ import annotations

from typing import Any, Final

from tidemill.entrypoints.http_problems import REFUSALS
from tidemill.entrypoints.http_schemas import REF

JOB_ID: Final = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_RETRY_AFTER: Final = {"description": "seconds to wait", "required": True, "schema": {"type": "integer"}}


def body(schema: str) -> dict[str, Any]:
    """A request body of this schema."""
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"{REF}{schema}"}}}}


def answer(description: str, schema: str, media_type: str = "application/json") -> dict[str, Any]:
    """A response of this schema."""
    return {"description": description, "content": {media_type: {"schema": {"$ref": f"{REF}{schema}"}}}}


def one_of(description: str, *schemas: str) -> dict[str, Any]:
    """A response of one of these schemas."""
    choices = [{"$ref": f"{REF}{schema}"} for schema in schemas]
    return {"description": description, "content": {"application/json": {"schema": {"oneOf": choices}}}}


def problems(*statuses: int, schema: str = "Problem") -> dict[str, Any]:
    """The refusals of these statuses, described as the table of refusals does."""
    answers = {}
    for status in statuses:
        titles = dict.fromkeys(refusal.title for refusal in REFUSALS.values() if refusal.status == status)
        answers[str(status)] = answer("; or: ".join(titles), schema, "application/problem+json")
    if "503" in answers:
        answers["503"]["headers"] = {"Retry-After": _RETRY_AFTER}
    return answers


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """A query parameter."""
    return {"name": name, "in": "query", "description": description, "schema": schema}
