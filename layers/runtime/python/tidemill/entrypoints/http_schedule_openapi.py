"""The paths of schedules in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain import limits
from tidemill.entrypoints.http_openapi_parts import answer, body, problems, query

_WORD: Final = {"type": "string"}
_NAME: Final = {"name": "name", "in": "path", "required": True, "schema": _WORD}
_TENANT: Final = query("tenant", _WORD, "whose schedule; with a token: that of the token, or left out")
_PAGE: Final = [
    query("limit", {"type": "integer", "minimum": 1, "maximum": limits.MAX_PAGE}, "entries a page"),
    query("cursor", _WORD, "of the page before"),
]
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "refuse the change if the schedule is in another version than this",
    "schema": _WORD,
}
_ETAG: Final = {"ETag": {"description": "the version, for If-Match", "required": True, "schema": _WORD}}
_LOCATION: Final = {"Location": {"description": "where it is", "required": True, "schema": _WORD}}


def schedule_paths() -> dict[str, Any]:
    """The operations by path."""
    return {
        "/schedules": {"get": _page(), "post": _create()},
        "/schedules/{name}": {"get": _show(), "patch": _change(), "delete": _delete()},
        "/schedules/{name}/next": {"get": _next()},
        "/schedules/{name}/versions": {"get": _versions()},
        "/schedules/{name}/pause": {"post": _act("pauseSchedule", "Let it make no job until it is resumed")},
        "/schedules/{name}/resume": {"post": _act("resumeSchedule", "Let it make jobs again, from its next tick on")},
        "/schedules/{name}/revert": {
            "post": _act("revertSchedule", "Let it do what it did in another version", "ScheduleRevert")
        },
        "/schedules/{name}/trigger": {"post": _trigger()},
        "/schedules/{name}/backfill": {"post": _backfill()},
    }


def _page() -> dict[str, Any]:
    return {
        "operationId": "listSchedules",
        "summary": "List the schedules that were made at run time, by name",
        "parameters": [_TENANT, *_PAGE],
        "responses": {"200": answer("A page of schedules", "SchedulePage"), **problems(400, 401, 403, 500, 503)},
    }


def _create() -> dict[str, Any]:
    made = {**answer("It is there, and equal to what was asked for", "Schedule"), "headers": {**_ETAG, **_LOCATION}}
    return {
        "operationId": "createSchedule",
        "summary": "Make a schedule",
        "requestBody": body("ScheduleRequest"),
        "responses": {"201": made, **problems(400, 401, 403, 409, 413, 415, 422, 500, 503)},
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "getSchedule",
        "summary": "Read a schedule with its arguments and what became of its ticks",
        "parameters": [_NAME, _TENANT],
        "responses": {"200": _schedule("The schedule"), **problems(400, 401, 403, 404, 500, 503)},
    }


def _next() -> dict[str, Any]:
    count = query("count", {"type": "integer", "minimum": 1, "maximum": limits.MAX_FIRES_SHOWN}, "how many")
    return {
        "operationId": "getNextFires",
        "summary": "Read its next times; none while it is paused",
        "parameters": [_NAME, _TENANT, count],
        "responses": {"200": answer("The times", "Fires"), **problems(400, 401, 403, 404, 500, 503)},
    }


def _versions() -> dict[str, Any]:
    return {
        "operationId": "listScheduleVersions",
        "summary": "Read who made it what it is, newest first",
        "parameters": [_NAME, _TENANT, *_PAGE],
        "responses": {
            "200": answer("A page of versions", "ScheduleVersions"),
            **problems(400, 401, 403, 404, 500, 503),
        },
    }


def _change() -> dict[str, Any]:
    return {
        "operationId": "changeSchedule",
        "summary": "Let it do something else from now on",
        "parameters": [_NAME, _IF_MATCH],
        "requestBody": body("ScheduleChange"),
        "responses": {
            "200": _schedule("It is changed"),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
    }


def _delete() -> dict[str, Any]:
    return {
        "operationId": "deleteSchedule",
        "summary": "Let it make no job any more; its versions stay readable for 400 days",
        "parameters": [_NAME, _TENANT, _IF_MATCH],
        "responses": {"200": _schedule("It is deleted"), **problems(400, 401, 403, 404, 409, 500, 503)},
    }


def _act(operation: str, summary: str, schema: str = "ScheduleAction") -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [_NAME, _IF_MATCH],
        "requestBody": body(schema),
        "responses": {
            "200": _schedule("It is so"),
            **problems(400, 401, 403, 404, 409, 413, 415, 422, 500, 503),
        },
    }


def _trigger() -> dict[str, Any]:
    return {
        "operationId": "triggerSchedule",
        "summary": "Make a job of it now, whatever its times and policies say",
        "parameters": [_NAME],
        "requestBody": body("TriggerRequest"),
        "responses": {
            "202": {**answer("Accepted: it will run, whatever crashes", "Receipt"), "headers": _LOCATION},
            "200": {**answer("The id was seen before: the job that has it", "Receipt"), "headers": _LOCATION},
            **problems(400, 401, 403, 404, 413, 415, 422, 500, 503),
        },
    }


def _backfill() -> dict[str, Any]:
    return {
        "operationId": "backfillSchedule",
        "summary": f"Make the jobs of up to {limits.MAX_BACKFILL:,} ticks that are over, one each however often asked",
        "parameters": [_NAME],
        "requestBody": body("BackfillRequest"),
        "responses": {
            "200": answer("What was made, or of a dry run would be", "BackfillResult"),
            **problems(400, 401, 403, 404, 413, 415, 422, 500, 503),
        },
    }


def _schedule(description: str) -> dict[str, Any]:
    return {**answer(description, "Schedule"), "headers": _ETAG}
