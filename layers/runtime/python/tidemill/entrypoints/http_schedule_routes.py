"""The routes of schedules."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_request import MAX_BODY_BYTES, Caller, read_document
from tidemill.entrypoints.http_response import json_response
from tidemill.entrypoints.http_schedules import ScheduleDesk
from tidemill.service.schedules import Schedules

# For the header Allow, as those of the other routes.
SCHEDULE_METHODS: Final = (
    (re.compile(r"/schedules"), ("GET", "POST")),
    (re.compile(r"/schedules/[^/]+"), ("DELETE", "GET", "PATCH")),
    (re.compile(r"/schedules/[^/]+/(?:next|versions)"), ("GET",)),
    (re.compile(r"/schedules/[^/]+/(?:pause|resume|revert|trigger|backfill)"), ("POST",)),
)


class ScheduleRoutes:
    """Adds schedules to an API.

    Arguments:
        caller: tells who calls, of the request that is answered now.
    """

    def __init__(
        self,
        app: APIGatewayHttpResolver,
        registry: JobRegistry,
        schedules: Schedules,
        telemetry: Telemetry,
        caller: Callable[[], Caller],
    ) -> None:
        self._app = app
        self._registry = registry
        self._schedules = schedules
        self._telemetry = telemetry
        self._caller = caller
        app.get("/schedules")(self._page)
        app.post("/schedules")(self._create)
        app.get("/schedules/<name>")(self._show)
        app.patch("/schedules/<name>")(self._change)
        app.delete("/schedules/<name>")(self._delete)
        app.get("/schedules/<name>/next")(self._next)
        app.get("/schedules/<name>/versions")(self._versions)
        app.post("/schedules/<name>/pause")(self._pause)
        app.post("/schedules/<name>/resume")(self._resume)
        app.post("/schedules/<name>/revert")(self._revert)
        app.post("/schedules/<name>/trigger")(self._trigger)
        app.post("/schedules/<name>/backfill")(self._backfill)

    def _page(self) -> Response[str]:
        return json_response(200, self._desk().page())

    def _create(self) -> Response[str]:
        document = self._desk().create(self._body())
        return self._changed("schedule_created", document, 201, {"Location": document["link"]})

    def _show(self, name: str) -> Response[str]:
        return _answer(200, self._desk().show(name))

    def _next(self, name: str) -> Response[str]:
        return json_response(200, self._desk().next_fires(name))

    def _versions(self, name: str) -> Response[str]:
        return json_response(200, self._desk().versions(name))

    def _change(self, name: str) -> Response[str]:
        return self._changed("schedule_changed", self._desk().change(name, self._body()))

    def _pause(self, name: str) -> Response[str]:
        return self._changed("schedule_paused", self._desk().act("pause", name, self._body()))

    def _resume(self, name: str) -> Response[str]:
        return self._changed("schedule_resumed", self._desk().act("resume", name, self._body()))

    def _revert(self, name: str) -> Response[str]:
        return self._changed("schedule_reverted", self._desk().revert(name, self._body()))

    def _delete(self, name: str) -> Response[str]:
        return self._changed("schedule_deleted", self._desk().delete(name))

    def _trigger(self, name: str) -> Response[str]:
        document = self._desk().trigger(name, self._body())
        self._telemetry.note("schedule_triggered", job_id=document["id"], is_new=document["created"])
        return json_response(202 if document["created"] else 200, document, {"Location": document["link"]})

    def _backfill(self, name: str) -> Response[str]:
        document = self._desk().backfill(name, self._body())
        if not document["dry_run"]:
            self._telemetry.note("schedule_backfilled", created=document["created"], failed=document["failed"])
        return json_response(200, document)

    def _changed(
        self, event: str, document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
    ) -> Response[str]:
        fields = {"tenant": document["tenant"], "schedule": document["name"], "version": document["version"]}
        self._telemetry.note(event, **fields)
        return _answer(status, document, headers)

    def _desk(self) -> ScheduleDesk:
        caller = self._caller()
        return ScheduleDesk(self._registry, self._schedules.acting_as(caller.name), self._app.current_event, caller)

    def _body(self) -> Any:
        return read_document(self._app.current_event, MAX_BODY_BYTES)


def _answer(status: int, document: dict[str, Any], headers: dict[str, str] | None = None) -> Response[str]:
    """A schedule, with its version as the tag that If-Match takes."""
    return json_response(status, document, {"ETag": f'"{document["version"]}"', **(headers or {})})
