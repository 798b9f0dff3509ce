"""The routes of the DLQ desk."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from tidemill.domain.ports import Telemetry
from tidemill.entrypoints.http_dlq import DlqDesk
from tidemill.entrypoints.http_dlq_reach import Reach
from tidemill.entrypoints.http_request import MAX_BODY_BYTES, Caller, read_document, read_query
from tidemill.entrypoints.http_response import json_response
from tidemill.service.deadletters import DeadLetterDesk

# For the header Allow, as those of the other routes.
DLQ_METHODS: Final = (
    (re.compile(r"/jobs/[^/]+/redrive"), ("POST",)),
    (re.compile(r"/dlq"), ("GET",)),
    (re.compile(r"/dlq/groups"), ("GET",)),
    (re.compile(r"/dlq/audit"), ("GET",)),
    (re.compile(r"/dlq/redrive"), ("POST",)),
    (re.compile(r"/dlq/purge"), ("POST",)),
    (re.compile(r"/dlq/[^/]+"), ("GET",)),
)


class DlqRoutes:
    """Adds the desk to an API.

    Arguments:
        caller: tells who calls, of the request that is answered now.
    """

    def __init__(
        self,
        app: APIGatewayHttpResolver,
        desk: DeadLetterDesk,
        telemetry: Telemetry,
        caller: Callable[[], Caller],
    ) -> None:
        self._app = app
        self._desk = desk
        self._telemetry = telemetry
        self._caller = caller
        app.get("/dlq")(self._page)
        app.get("/dlq/groups")(self._groups)
        app.get("/dlq/audit")(self._audit)
        app.post("/dlq/redrive")(self._redrive_many)
        app.post("/dlq/purge")(self._purge)
        app.get("/dlq/<job_id>")(self._show)
        app.post("/jobs/<job_id>/redrive")(self._redrive)

    def _page(self) -> Response[str]:
        return json_response(200, self._answering().page())

    def _groups(self) -> Response[str]:
        return json_response(200, self._answering().groups())

    def _audit(self) -> Response[str]:
        return json_response(200, self._answering().trail())

    def _show(self, job_id: str) -> Response[str]:
        return json_response(200, self._answering().job(job_id))

    def _redrive(self, job_id: str) -> Response[str]:
        desk = self._answering()
        document = desk.redrive(job_id, self._body())
        if document["dry_run"]:
            return json_response(200, document)
        self._telemetry.count("JobsRedriven")
        self._telemetry.note("job_redriven", job_id=document["id"], mode=document["mode"], via=document["via"])
        return json_response(202, document)

    def _redrive_many(self) -> Response[str]:
        desk = self._answering()
        document = desk.redrive_many(self._body())
        if redriven := len(document["redriven"]):
            self._telemetry.count("JobsRedriven", redriven)
        self._telemetry.note("jobs_redriven", redriven=redriven, failed=len(document["failed"]))
        return json_response(200, document)

    def _purge(self) -> Response[str]:
        desk = self._answering()
        document = desk.purge(self._body())
        if not document["dry_run"]:
            self._telemetry.count("MessagesPurged", document["messages"])
            self._telemetry.note("dlq_purged", lane=document["lane"], messages=document["messages"])
        return json_response(200, document)

    def _answering(self) -> DlqDesk:
        caller = self._caller()
        return DlqDesk(Reach(self._desk.acting_as(caller.name), self._app.current_event, caller))

    def _body(self) -> Any:
        read_query(self._app.current_event, set())
        return read_document(self._app.current_event, MAX_BODY_BYTES)
