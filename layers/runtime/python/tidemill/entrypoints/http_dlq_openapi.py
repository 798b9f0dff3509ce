"""The paths of the DLQ desk in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain import limits
from tidemill.entrypoints.http_openapi_parts import JOB_ID, answer, body, problems, query

_WORD: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_TENANT: Final = query("tenant", _WORD, "whose jobs; with a token: that of the token, or left out")
_FILTER: Final = [
    _TENANT,
    query("lane", _WORD, "only this lane's"),
    query("kind", _WORD, "only of this kind"),
    query("error", _WORD, "only with this fingerprint of the last failure"),
    query("reason", _WORD, "only dead for this reason"),
    query("since", _TIME, "died then or later"),
    query("until", _TIME, "died before"),
]


def dlq_paths() -> dict[str, Any]:
    """The operations by path."""
    return {
        "/dlq": {"get": _page()},
        "/dlq/groups": {"get": _groups()},
        "/dlq/audit": {"get": _audit()},
        "/dlq/{id}": {"get": _show()},
        "/dlq/redrive": {"post": _redrive_many()},
        "/dlq/purge": {"post": _purge()},
        "/jobs/{id}/redrive": {"post": _redrive()},
    }


def _page() -> dict[str, Any]:
    return {
        "operationId": "listDeadJobs",
        "summary": "List dead jobs",
        "parameters": [
            *_FILTER,
            query("limit", {"type": "integer", "minimum": 1, "maximum": limits.MAX_PAGE}, "jobs a page"),
            query("cursor", _WORD, "of the page before"),
        ],
        "responses": {"200": answer("A page of dead jobs", "JobPage"), **problems(400, 401, 403, 500, 503)},
    }


def _groups() -> dict[str, Any]:
    return {
        "operationId": "groupDeadJobs",
        "summary": "Group dead jobs by what killed them",
        "parameters": _FILTER,
        "responses": {"200": answer("The groups", "DeadGroups"), **problems(400, 401, 403, 500, 503)},
    }


def _audit() -> dict[str, Any]:
    return {
        "operationId": "listDeskActions",
        "summary": "Read who redrove, edited and purged what on one day, newest first",
        "parameters": [
            query("tenant", _WORD, "whose jobs; with AWS credentials, left out: everybody's"),
            query("day", {"type": "string", "format": "date"}, "a day in UTC; today if left out"),
            query("limit", {"type": "integer", "minimum": 1, "maximum": limits.MAX_PAGE}, "entries a page"),
            query("cursor", _WORD, "of the page before"),
        ],
        "responses": {"200": answer("A page of the trail", "Trail"), **problems(400, 401, 403, 500, 503)},
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "showDeadJob",
        "summary": "Read a dead job with its failures, its arguments and its finished steps",
        "parameters": [JOB_ID, _TENANT],
        "responses": {"200": answer("The job", "DeadJob"), **problems(400, 401, 403, 404, 409, 500, 503)},
    }


def _redrive() -> dict[str, Any]:
    return {
        "operationId": "redriveJob",
        "summary": "Let a dead job run again, if you like with other arguments",
        "parameters": [JOB_ID],
        "requestBody": body("RedriveRequest"),
        "responses": {
            "202": answer("It runs again", "Redrive"),
            "200": answer("What would happen, of a dry run", "Redrive"),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
    }


def _redrive_many() -> dict[str, Any]:
    return {
        "operationId": "redriveJobs",
        "summary": "Let dead jobs run again: some ids, or the next that a filter means; one that can't stops no other",
        "requestBody": body("RedrivesRequest"),
        "responses": {
            "200": answer("What was done, or of a dry run what would be", "Redrives"),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
    }


def _purge() -> dict[str, Any]:
    return {
        "operationId": "purgeDeadLetters",
        "summary": "Delete messages of dead jobs from a DLQ for good; the jobs' records stay",
        "requestBody": body("PurgeRequest"),
        "responses": {
            "200": answer("What was deleted, or of a dry run what would be", "Purge"),
            **problems(400, 401, 403, 404, 413, 415, 422, 500, 503),
        },
    }
