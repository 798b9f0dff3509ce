"""The OpenAPI 3.1 document of the HTTP API, generated from the models, the registry and the table of refusals."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_problems import REFUSALS
from tidemill.entrypoints.http_schemas import REF, component_schemas
from tidemill.service.listing import LISTED_STATES

# The version of these paths and documents, not of the package.
API_VERSION: Final = "1"
_DESCRIPTION: Final = (
    "Submit, read, list and cancel jobs. Every refusal is a problem document (RFC 9457). What API Gateway itself "
    "refuses before a request gets here (429 over the rate limit, 413 over its own size limit, 401 or 403 without "
    "valid credentials) is an object with `message`."
)
_SIGNATURE: Final = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4, service execute-api",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
_TOKEN: Final = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
_RETRY_AFTER: Final = {"description": "seconds to wait", "required": True, "schema": {"type": "integer"}}
_LOCATION: Final = {"description": "the job's link", "required": True, "schema": {"type": "string"}}
_JOB_ID: Final = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the job's key, instead of `key` in the body",
    "schema": {"type": "string", "minLength": 1, "maxLength": limits.MAX_KEY_CHARS},
}


def openapi_document(registry: JobRegistry, *, has_tokens: bool) -> dict[str, Any]:
    """The document for the jobs of `registry`; `has_tokens` tells how callers of this deployment sign in."""
    scheme = {"token": _TOKEN} if has_tokens else {"signature": _SIGNATURE}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tidemill", "version": API_VERSION, "description": _DESCRIPTION},
        "paths": {
            "/jobs": {"post": _submit(), "get": _list()},
            "/jobs/batch": {"post": _submit_batch()},
            "/jobs/{id}": {"get": _get(), "delete": _cancel()},
            "/openapi.json": {"get": _openapi()},
        },
        "components": {"schemas": component_schemas(registry), "securitySchemes": scheme},
        "security": [{name: []} for name in scheme],
    }


def _submit() -> dict[str, Any]:
    return {
        "operationId": "submitJob",
        "summary": "Submit a job",
        "parameters": [_KEY_HEADER],
        "requestBody": _body("JobRequest"),
        "responses": {
            "202": {
                **_answer("Accepted: it will run, whatever crashes", "Receipt"),
                "headers": {"Location": _LOCATION},
            },
            "200": {
                **_answer("The key was seen before: the job that it belongs to", "Receipt"),
                "headers": {"Location": _LOCATION},
            },
            **_problems(400, 401, 403, 409, 413, 415, 422, 500, 503),
        },
    }


def _submit_batch() -> dict[str, Any]:
    return {
        "operationId": "submitJobs",
        "summary": f"Submit up to {limits.MAX_BULK_JOBS:,} jobs; one that is refused does not stop the others",
        "requestBody": _body("BatchRequest"),
        "responses": {
            "202": _answer("At least one job was accepted; a result for each", "BatchResult"),
            **_problems(400, 401, 413, 415, 500),
            **_problems(403, 409, 422, 503, schema="BatchProblem"),
        },
    }


def _list() -> dict[str, Any]:
    states = ", ".join(LISTED_STATES)
    return {
        "operationId": "listJobs",
        "summary": f"List jobs by state ({states}), or by kind and day",
        "parameters": [
            _query("tenant", {"type": "string"}, "whose jobs; with a token: that of the token, or left out"),
            _query("state", {"enum": [state.value for state in LISTED_STATES]}, "a state that an index holds"),
            _query("kind", {"type": "string"}, "a kind; without a state, those submitted on `day`"),
            _query("day", {"type": "string", "format": "date"}, "UTC; today if left out. Not with a state"),
            _query("limit", {"type": "integer", "minimum": 1, "maximum": limits.MAX_PAGE}, "jobs a page"),
            _query("cursor", {"type": "string"}, "of the page before"),
        ],
        "responses": {"200": _answer("A page of jobs", "JobPage"), **_problems(400, 401, 403, 500, 503)},
    }


def _get() -> dict[str, Any]:
    return {
        "operationId": "getJob",
        "summary": "Read a job with its result",
        "parameters": [
            _JOB_ID,
            _query("tenant", {"type": "string"}, "whose job"),
            _query("failures", {"type": "boolean"}, "with its failed attempts; a dead job always comes with them"),
        ],
        "responses": {"200": _answer("The job", "Job"), **_problems(400, 401, 403, 404, 500, 503)},
    }


def _cancel() -> dict[str, Any]:
    return {
        "operationId": "cancelJob",
        "summary": "Cancel a job that waits; it never runs then",
        "parameters": [_JOB_ID, _query("tenant", {"type": "string"}, "whose job")],
        "responses": {"200": _answer("It is cancelled", "JobSummary"), **_problems(400, 401, 403, 404, 409, 500, 503)},
    }


def _openapi() -> dict[str, Any]:
    answer = {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "operationId": "getOpenApi",
        "summary": "Read this document",
        "responses": {"200": answer, **_problems(400, 401, 403, 500)},
    }


def _body(schema: str) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"{REF}{schema}"}}}}


def _answer(description: str, schema: str, media_type: str = "application/json") -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"$ref": f"{REF}{schema}"}}}}


def _problems(*statuses: int, schema: str = "Problem") -> dict[str, Any]:
    """The refusals of these statuses, described as the table of refusals does."""
    answers = {}
    for status in statuses:
        titles = dict.fromkeys(refusal.title for refusal in REFUSALS.values() if refusal.status == status)
        answers[str(status)] = _answer("; or: ".join(titles), schema, "application/problem+json")
    if "503" in answers:
        answers["503"]["headers"] = {"Retry-After": _RETRY_AFTER}
    return answers


def _query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema}
