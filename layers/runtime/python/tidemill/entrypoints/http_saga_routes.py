"""The routes of sagas."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from tidemill.domain.errors import InputError
from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_request import MAX_BODY_BYTES, Caller, answering_query, read_document, read_query
from tidemill.entrypoints.http_response import json_response, link_to
from tidemill.service.saga_view import declared_view, history_view, receipt_view, saga_view
from tidemill.service.sagas import SagaDesk

# For the header Allow, as those of the other routes.
SAGA_METHODS: Final = (
    (re.compile(r"/sagas/[^/]+"), ("GET", "POST")),
    (re.compile(r"/sagas/[^/]+/[^/]+"), ("DELETE", "GET")),
    (re.compile(r"/sagas/[^/]+/[^/]+/history"), ("GET",)),
    (re.compile(r"/sagas/[^/]+/[^/]+/resume"), ("POST",)),
)
_FIELDS: Final = frozenset({"args", "key", "tenant"})


class SagaRoutes:
    """Adds sagas to an API.

    Arguments:
        desk: makes the desk when the first request needs it.
        caller: tells who calls, of the request that is answered now.
    """

    def __init__(
        self,
        app: APIGatewayHttpResolver,
        registry: JobRegistry,
        desk: Callable[[], SagaDesk],
        telemetry: Telemetry,
        caller: Callable[[], Caller],
    ) -> None:
        self._app = app
        self._registry = registry
        self._desk = desk
        self._telemetry = telemetry
        self._caller = caller
        app.get("/sagas/<name>")(self._declared)
        app.post("/sagas/<name>")(self._start)
        app.get("/sagas/<name>/<saga_id>")(self._show)
        app.delete("/sagas/<name>/<saga_id>")(self._cancel)
        app.get("/sagas/<name>/<saga_id>/history")(self._history)
        app.post("/sagas/<name>/<saga_id>/resume")(self._resume)

    def _declared(self, name: str) -> Response[str]:
        self._caller()
        read_query(self._app.current_event, set())
        with answering_query():
            saga = self._registry.saga(name)
        return json_response(200, declared_view(saga))

    def _start(self, name: str) -> Response[str]:
        caller = self._caller()
        read_query(self._app.current_event, set())
        with answering_query():
            saga = self._registry.saga(name)
        document = _checked(read_document(self._app.current_event, MAX_BODY_BYTES))
        tenant = caller.tenant_for(document.get("tenant"))
        receipt = self._desk().start(saga, document["args"], key=document.get("key"), tenant=tenant)
        self._count("SagasStarted", int(receipt.created))
        self._telemetry.note("saga_started", saga=name, saga_id=receipt.saga_id, is_new=receipt.created)
        link = link_to(self._app.current_event, caller, f"/sagas/{name}/{receipt.saga_id}", tenant)
        answer = {**receipt_view(receipt), "link": link}
        return json_response(202 if receipt.created else 200, answer, {"Location": link})

    def _show(self, name: str, saga_id: str) -> Response[str]:
        with answering_query():
            return json_response(200, saga_view(self._desk().get(name, saga_id, self._tenant())))

    def _history(self, name: str, saga_id: str) -> Response[str]:
        with answering_query():
            events = self._desk().history(name, saga_id, self._tenant())
        return json_response(200, {"events": history_view(events)})

    def _cancel(self, name: str, saga_id: str) -> Response[str]:
        with answering_query():
            tenant = self._tenant()
            view = self._desk().acting_as(self._caller().name).cancel(name, saga_id, tenant)
        self._telemetry.note("saga_cancelled", saga=name, saga_id=saga_id)
        return json_response(200 if view.state.is_final else 202, saga_view(view))

    def _resume(self, name: str, saga_id: str) -> Response[str]:
        with answering_query():
            tenant = self._tenant()
            view = self._desk().acting_as(self._caller().name).resume(name, saga_id, tenant)
        self._telemetry.note("saga_resumed", saga=name, saga_id=saga_id)
        return json_response(202, saga_view(view))

    def _tenant(self) -> str:
        asked = read_query(self._app.current_event, {"tenant"})
        tenant: str = self._caller().tenant_for(asked.get("tenant"))
        return tenant

    def _count(self, name: str, value: int) -> None:
        if value:
            self._telemetry.count(name, value)


def _checked(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
    for name in sorted(set(document) - _FIELDS):
        raise InputError.at(str(name)[:64], f"is no field here; known: {', '.join(sorted(_FIELDS))}", "extra")
    if not isinstance(document.get("args"), dict):
        raise InputError.at("args", "must be a JSON object", "type" if "args" in document else "missing")
    return document
