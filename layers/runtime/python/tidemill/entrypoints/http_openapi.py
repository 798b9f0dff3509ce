"""The OpenAPI 3.1 document of the HTTP API, generated from the models, the registry and the table of refusals."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_answers_openapi import answer_paths
from tidemill.entrypoints.http_dlq_openapi import dlq_paths
from tidemill.entrypoints.http_openapi_parts import JOB_ID, answer, body, one_of, problems, query
from tidemill.entrypoints.http_saga_openapi import saga_paths
from tidemill.entrypoints.http_schedule_openapi import schedule_paths
from tidemill.entrypoints.http_schemas import component_schemas
from tidemill.service.listing import LISTED_STATES

# The version of these paths and documents, not of the package.
API_VERSION: Final = "1"
_DESCRIPTION: Final = (
    "Submit, read, list and cancel jobs; make and look after schedules. Every refusal is a problem document (RFC "
    "9457). What API Gateway itself "
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
_LOCATION: Final = {"description": "the job's link", "required": True, "schema": {"type": "string"}}
_KEY_HEADER: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the job's key, instead of `key` in the body",
    "schema": {"type": "string", "minLength": 1, "maxLength": limits.MAX_KEY_CHARS},
}


_WAIT: Final = query(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": limits.MAX_REPLY_WAIT.seconds},
    "wait so many seconds for the job to end, and answer with its result; else 202 as without it",
)
_KILL: Final = {
    "name": "kill",
    "in": "query",
    "description": "end what runs without asking it; what it did since its last step is left as it is",
    "schema": {"type": "boolean"},
}


def openapi_document(registry: JobRegistry, *, has_tokens: bool) -> dict[str, Any]:
    """The document for the jobs of `registry`; `has_tokens` tells how callers of this deployment sign in."""
    scheme = {"token": _TOKEN} if has_tokens else {"signature": _SIGNATURE}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tidemill", "version": API_VERSION, "description": _DESCRIPTION},
        "paths": {
            "/jobs": {"post": _submit(), "get": _list(), "delete": _cancel_page()},
            "/jobs/batch": {"post": _submit_batch()},
            "/jobs/{id}": {"get": _get(), "delete": _cancel()},
            "/jobs/{id}/move": {"post": _move()},
            **answer_paths(),
            "/batches": {"post": _start_batch()},
            "/batches/{id}": {"get": _get_batch(), "delete": _cancel_batch()},
            **dlq_paths(),
            **schedule_paths(),
            **saga_paths(registry),
            "/openapi.json": {"get": _openapi()},
        },
        "components": {"schemas": component_schemas(registry), "securitySchemes": scheme},
        "security": [{name: []} for name in scheme],
    }


def _submit() -> dict[str, Any]:
    return {
        "operationId": "submitJob",
        "summary": "Submit a job",
        "parameters": [_KEY_HEADER, _WAIT],
        "requestBody": body("JobRequest"),
        "responses": {
            "202": {
                **answer("Accepted: it will run, whatever crashes", "Receipt"),
                "headers": {"Location": _LOCATION},
            },
            "200": {
                **one_of(
                    "The key was seen before: the job that it belongs to. With `wait`: the job, which has succeeded",
                    "Receipt",
                    "Job",
                ),
                "headers": {"Location": _LOCATION},
            },
            **problems(400, 401, 403, 409, 413, 415, 422, 500, 503),
        },
    }


def _submit_batch() -> dict[str, Any]:
    return {
        "operationId": "submitJobs",
        "summary": f"Submit up to {limits.MAX_BULK_JOBS:,} jobs; one that is refused does not stop the others",
        "requestBody": body("BatchRequest"),
        "responses": {
            "202": answer("At least one job was accepted; a result for each", "BatchResult"),
            **problems(400, 401, 413, 415, 500),
            **problems(403, 409, 422, 503, schema="BatchProblem"),
        },
    }


def _list() -> dict[str, Any]:
    states = ", ".join(LISTED_STATES)
    return {
        "operationId": "listJobs",
        "summary": f"List jobs by state ({states}), or by kind and day",
        "parameters": _listing(),
        "responses": {"200": answer("A page of jobs", "JobPage"), **problems(400, 401, 403, 500, 503)},
    }


def _listing() -> list[dict[str, Any]]:
    return [
        query("tenant", {"type": "string"}, "whose jobs; with a token: that of the token, or left out"),
        query("state", {"enum": [state.value for state in LISTED_STATES]}, "a state that an index holds"),
        query("kind", {"type": "string"}, "a kind; without a state, those submitted on `day`"),
        query("day", {"type": "string", "format": "date"}, "UTC; today if left out. Not with a state"),
        query("limit", {"type": "integer", "minimum": 1, "maximum": limits.MAX_PAGE}, "jobs a page"),
        query("cursor", {"type": "string"}, "of the page before"),
    ]


def _get() -> dict[str, Any]:
    return {
        "operationId": "getJob",
        "summary": "Read a job with its result",
        "parameters": [
            JOB_ID,
            query("tenant", {"type": "string"}, "whose job"),
            query("failures", {"type": "boolean"}, "with its failed attempts; a dead job always comes with them"),
        ],
        "responses": {"200": answer("The job", "Job"), **problems(400, 401, 403, 404, 500, 503)},
    }


def _cancel() -> dict[str, Any]:
    return {
        "operationId": "cancelJob",
        "summary": "Cancel a job that waits; ask one that runs to stop",
        "parameters": [JOB_ID, query("tenant", {"type": "string"}, "whose job"), _KILL],
        "responses": {
            "200": answer("It is cancelled", "JobSummary"),
            "202": answer("It runs, and was asked to stop", "JobSummary"),
            **problems(400, 401, 403, 404, 409, 500, 503),
        },
    }


def _move() -> dict[str, Any]:
    return {
        "operationId": "moveJob",
        "summary": "Let a job that waits start at another time",
        "parameters": [JOB_ID],
        "requestBody": body("MoveRequest"),
        "responses": {
            "200": answer("It starts then, and at no other time", "JobSummary"),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
    }


def _cancel_page() -> dict[str, Any]:
    return {
        "operationId": "cancelJobs",
        "summary": "Cancel the jobs of one page of a listing",
        "parameters": [*_listing(), _KILL, query("dry_run", {"type": "boolean"}, "only say which they would be")],
        "responses": {"200": answer("What became of them", "CancelledPage"), **problems(400, 401, 403, 500, 503)},
    }


def _start_batch() -> dict[str, Any]:
    found = {"headers": {"Location": {**_LOCATION, "description": "the batch's link"}}}
    return {
        "operationId": "startBatch",
        "summary": f"Start a batch, chain or graph of up to {limits.MAX_BATCH_CHILDREN:,} jobs",
        "parameters": [{**_KEY_HEADER, "description": "the batch's key, instead of `key` in the body"}],
        "requestBody": body("FlowRequest"),
        "responses": {
            "202": {**answer("Accepted: its jobs will run, and its callback", "StartedBatch"), **found},
            "200": {**answer("The key was seen before: the batch that it belongs to", "StartedBatch"), **found},
            **problems(400, 401, 403, 413, 415, 422, 500, 503),
        },
    }


def _get_batch() -> dict[str, Any]:
    return {
        "operationId": "getBatch",
        "summary": "Read a batch with its counts",
        "parameters": [
            {**JOB_ID, "description": "the batch's id"},
            query("tenant", {"type": "string"}, "whose batch"),
            query("failures", {"type": "boolean"}, "with its children that did not succeed"),
        ],
        "responses": {"200": answer("The batch", "Batch"), **problems(400, 401, 403, 404, 500, 503)},
    }


def _cancel_batch() -> dict[str, Any]:
    return {
        "operationId": "cancelBatch",
        "summary": "Cancel the children that wait; ask those that run to stop; let no other start",
        "parameters": [{**JOB_ID, "description": "the batch's id"}, query("tenant", {"type": "string"}, "whose batch")],
        "responses": {
            "200": answer("It is over, by now or before", "Batch"),
            "202": answer("Some of its children still run", "Batch"),
            **problems(400, 401, 403, 404, 500, 503),
        },
    }


def _openapi() -> dict[str, Any]:
    answer = {"description": "This document", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "operationId": "getOpenApi",
        "summary": "Read this document",
        "responses": {"200": answer, **problems(400, 401, 403, 500)},
    }
