"""The paths of sagas in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain.errors import DefinitionError
from tidemill.domain.registry import JobRegistry
from tidemill.domain.saga_state import SagaState
from tidemill.entrypoints.http_openapi_parts import JOB_ID, problems, query

_TENANT: Final = query("tenant", {"type": "string"}, "whose saga; with a token: that of the token, or left out")
_TEXT: Final = {"type": "string"}
_MAYBE: Final = {"type": ["string", "null"]}
_SAGA: Final = {
    "type": "object",
    "required": ["id", "name", "tenant", "state", "cancelled", "generation", "started_at", "steps"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "name": _TEXT,
        "tenant": _TEXT,
        "state": {"enum": [state.value for state in SagaState]},
        "cancelled": {"type": "boolean"},
        "generation": {"type": "integer"},
        "started_at": _TEXT,
        "finished_at": _MAYBE,
        "reason": _MAYBE,
        "steps": {"type": "array", "items": {"type": "object"}},
    },
}
_RECEIPT: Final = {
    "type": "object",
    "required": ["id", "name", "tenant", "created", "link"],
    "properties": {"id": _TEXT, "name": _TEXT, "tenant": _TEXT, "created": {"type": "boolean"}, "link": _TEXT},
}
_LOCATION: Final = {"description": "the saga's link", "required": True, "schema": _TEXT}


def saga_paths(registry: JobRegistry) -> dict[str, Any]:
    """The paths; none where there are no sagas."""
    if not registry.sagas:
        return {}
    name = {"name": "name", "in": "path", "required": True, "schema": {"enum": list(registry.sagas)}}
    return {
        "/sagas/{name}": {"get": _declared(name), "post": _start(name, registry)},
        "/sagas/{name}/{id}": {"get": _look(name), "delete": _cancel(name)},
        "/sagas/{name}/{id}/history": {"get": _history(name)},
        "/sagas/{name}/{id}/resume": {"post": _resume(name)},
    }


def _answer(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _declared(name: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "getSagaDeclaration",
        "summary": "Read what a saga is made of, and its picture (Mermaid)",
        "parameters": [name],
        "responses": {"200": _answer("Its steps", {"type": "object"}), **problems(400, 401, 403, 500)},
    }


def _start(name: dict[str, Any], registry: JobRegistry) -> dict[str, Any]:
    args = [schema for saga in registry.sagas.values() if (schema := _schema(saga.args)) is not None]
    body = {
        "type": "object",
        "required": ["args"],
        "additionalProperties": False,
        "properties": {"args": {"type": "object", "examples": args[:1]}, "key": _TEXT, "tenant": _TEXT},
    }
    located = {"headers": {"Location": _LOCATION}}
    return {
        "operationId": "startSaga",
        "summary": "Start a saga: all of its steps happen, or are undone",
        "parameters": [name],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "202": {**_answer("Started", _RECEIPT), **located},
            "200": {**_answer("The key was seen before: the saga that it belongs to", _RECEIPT), **located},
            **problems(400, 401, 403, 413, 415, 422, 500, 503),
        },
    }


def _schema(model: Any) -> Any:
    try:
        return model.model_json_schema()
    except (DefinitionError, ValueError, TypeError):
        return None


def _look(name: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "getSaga",
        "summary": "Read where a saga stands, and the jobs of its steps",
        "parameters": [name, JOB_ID, _TENANT],
        "responses": {"200": _answer("The saga", _SAGA), **problems(400, 401, 403, 404, 500, 503)},
    }


def _cancel(name: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "cancelSaga",
        "summary": "Undo a saga that has not begun its pivot",
        "parameters": [name, JOB_ID, _TENANT],
        "responses": {
            "200": _answer("It is undone", _SAGA),
            "202": _answer("It will be undone", _SAGA),
            **problems(400, 401, 403, 404, 409, 500, 503),
        },
    }


def _history(name: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"events": {"type": "array", "items": {"type": "object"}}}}
    return {
        "operationId": "getSagaHistory",
        "summary": "Read what happened in a saga's state machine",
        "parameters": [name, JOB_ID, _TENANT],
        "responses": {"200": _answer("Its events, oldest first", schema), **problems(400, 401, 403, 404, 500, 503)},
    }


def _resume(name: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": "resumeSaga",
        "summary": "Let a saga that needs attention go on",
        "parameters": [name, JOB_ID, _TENANT],
        "responses": {"202": _answer("It goes on", _SAGA), **problems(400, 401, 403, 404, 409, 500, 503)},
    }
