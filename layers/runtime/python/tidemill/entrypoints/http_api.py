"""The routes of the HTTP API on Powertools' resolver.

Powertools routes and writes the response. Its own validation stays off: it takes repeated keys, NaN and
lone surrogates that we refuse, and answers in another form than a problem document.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain import limits
from tidemill.domain.errors import TidemillError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.http_answer_page import refusal_page
from tidemill.entrypoints.http_answers import AnswerRoutes, FormRefusedError
from tidemill.entrypoints.http_batches import BatchRoutes
from tidemill.entrypoints.http_dlq_routes import DLQ_METHODS, DlqRoutes
from tidemill.entrypoints.http_lookup import LookupDesk
from tidemill.entrypoints.http_moving import MoveDesk
from tidemill.entrypoints.http_openapi import openapi_document
from tidemill.entrypoints.http_page import page_response, wants_page
from tidemill.entrypoints.http_problems import MethodError, NoRouteError, problem_document
from tidemill.entrypoints.http_replying import FailedReplyError, ReplyDesk, wait_of
from tidemill.entrypoints.http_request import (
    MAX_BODY_BYTES,
    Caller,
    caller_of,
    read_document,
    read_query,
)
from tidemill.entrypoints.http_response import json_response, problem_response
from tidemill.entrypoints.http_saga_routes import SAGA_METHODS, SagaRoutes
from tidemill.entrypoints.http_schedule_routes import SCHEDULE_METHODS, ScheduleRoutes
from tidemill.entrypoints.http_submit import BatchRefusedError, SubmitDesk, is_refusal
from tidemill.service.client import JobClient
from tidemill.service.deadletters import DeadLetterDesk
from tidemill.service.listing import Listing
from tidemill.service.polling import Polling
from tidemill.service.sagas import SagaDesk
from tidemill.service.submitter import Receipt

# For the header Allow: Powertools answers 404 to a known path's unknown method.
_METHODS: Final = (
    (re.compile(r"/jobs"), ("DELETE", "GET", "POST")),
    (re.compile(r"/jobs/batch"), ("POST",)),
    (re.compile(r"/jobs/[^/]+"), ("DELETE", "GET")),
    (re.compile(r"/jobs/[^/]+/move"), ("POST",)),
    (re.compile(r"/jobs/[^/]+/answers/[^/]+"), ("POST",)),
    (re.compile(r"/answers/[^/]+"), ("GET", "POST")),
    (re.compile(r"/batches"), ("POST",)),
    (re.compile(r"/batches/[^/]+"), ("DELETE", "GET")),
    *DLQ_METHODS,
    *SCHEDULE_METHODS,
    *SAGA_METHODS,
    (re.compile(r"/openapi\.json"), ("GET",)),
)


# Of a problem document's headers, those that a page has as well.
_ON_PAGES: Final = ("Retry-After", "Allow")


class HttpApi:
    """Answers API Gateway's HTTP requests (payload format 2.0).

    Arguments:
        tenant_claim: the claim of a token that holds the tenant; empty for `tenant`.
        sleep: lets so many seconds go by, for requests that wait.
    """

    def __init__(
        self,
        registry: JobRegistry,
        client: JobClient,
        listing: Listing,
        desk: DeadLetterDesk,
        telemetry: Telemetry,
        tenant_claim: str = "",
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._registry = registry
        self._client = client
        self._listing = listing
        self._telemetry = telemetry
        self._tenant_claim = tenant_claim
        self._sleep = sleep
        # Debug mode, which an environment variable can switch on, would print bodies.
        self._app = APIGatewayHttpResolver(debug=False)
        self._app.post("/jobs")(self._submit)
        self._app.post("/jobs/batch")(self._submit_batch)
        self._app.get("/jobs")(self._list)
        self._app.get("/jobs/<job_id>")(self._get)
        self._app.delete("/jobs/<job_id>")(self._cancel)
        self._app.delete("/jobs")(self._cancel_page)
        self._app.post("/jobs/<job_id>/move")(self._move)
        AnswerRoutes(self._app, client.answerer, client.answerer.tokens, telemetry, self._caller).add()
        self._app.post("/batches")(self._start_batch)
        self._app.get("/batches/<batch_id>")(self._get_batch)
        self._app.delete("/batches/<batch_id>")(self._cancel_batch)
        DlqRoutes(self._app, desk, telemetry, self._caller)
        ScheduleRoutes(self._app, registry, client.schedules, telemetry, self._caller)
        self._app.get("/openapi.json")(self._openapi)
        self._app.exception_handler(Exception)(self._refuse)

    def serve_sagas(self, desk: Callable[[], SagaDesk]) -> None:
        """Add the routes of sagas. The desk is made when one is first asked for."""
        SagaRoutes(self._app, self._registry, desk, self._telemetry, self._caller)

    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one request. Nothing that a caller sends makes this raise."""
        self._telemetry.count("ApiRequests")
        return self._app.resolve(event, context)

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document of this registry."""
        return openapi_document(self._registry, has_tokens=bool(self._tenant_claim))

    @property
    def _event(self) -> APIGatewayProxyEventV2:
        return self._app.current_event

    def _submit(self) -> Response[str]:
        desk, wait = self._submit_desk({"wait"}), self._wait()
        try:
            receipt = desk.one(read_document(self._event, MAX_BODY_BYTES))
        except TidemillError as error:
            self._count("JobsRefused", int(is_refusal(error)))
            raise
        self._count_receipts([receipt])
        self._telemetry.note("job_submitted", job_id=receipt.job_id, kind=receipt.job.kind, is_new=receipt.created)
        document = desk.accepted(receipt)
        link = {"Location": document["link"]}
        if wait is None:
            return json_response(202 if receipt.created else 200, document, link)
        reply = self._reply_desk().reply(receipt, wait)
        return json_response(202, document, link) if reply is None else json_response(200, reply, link)

    def _submit_batch(self) -> Response[str]:
        desk = self._submit_desk()
        results = desk.many(read_document(self._event, MAX_BODY_BYTES))
        receipts = [result for result in results if isinstance(result, Receipt)]
        refused = sum(is_refusal(result) for result in results if not isinstance(result, Receipt))
        self._count_receipts(receipts)
        self._count("JobsRefused", refused)
        self._telemetry.note("batch_submitted", jobs=len(results), accepted=len(receipts), refused=refused)
        return json_response(202, {"results": desk.report(results)})

    def _list(self) -> Response[str]:
        return json_response(200, self._lookup_desk().page())

    def _get(self, job_id: str) -> Response[str]:
        return json_response(200, self._lookup_desk().job(job_id))

    def _cancel(self, job_id: str) -> Response[str]:
        document = self._lookup_desk().cancel(job_id)
        is_over = document["state"] == State.CANCELLED
        self._count("JobsCancelled", int(is_over))
        self._telemetry.note("job_cancelled", job_id=document["id"], kind=document["kind"], is_over=is_over)
        return json_response(200 if is_over else 202, document)

    def _move(self, job_id: str) -> Response[str]:
        caller = self._caller()
        read_query(self._event, set())
        body = read_document(self._event, MAX_BODY_BYTES)
        document = MoveDesk(self._client, self._event, caller).move(job_id, body)
        self._count("JobsMoved", 1)
        self._telemetry.note("job_moved", job_id=document["id"], kind=document["kind"], due_at=document["due_at"])
        return json_response(200, document)

    def _cancel_page(self) -> Response[str]:
        document = self._lookup_desk().cancel_page()
        self._count("JobsCancelled", len(document["cancelled"]))
        self._telemetry.note("jobs_cancelled", cancelled=len(document["cancelled"]), asked=len(document["asked"]))
        return json_response(200, document)

    def _start_batch(self) -> Response[str]:
        routes = self._batch_routes()
        read_query(self._event, set())
        started, document = routes.start(read_document(self._event, MAX_BODY_BYTES))
        size, is_new = started.batch.size, started.created
        self._telemetry.note("batch_started", batch_id=started.batch_id, children=size, is_new=is_new)
        if is_new and started.is_near_limit:
            near = {"limit": "batch_children", "count": started.jobs, "most": limits.MAX_BATCH_CHILDREN}
            self._telemetry.alert("limit_near", batch_id=started.batch_id, **near)
        return json_response(202 if started.created else 200, document, {"Location": document["link"]})

    def _get_batch(self, batch_id: str) -> Response[str]:
        return json_response(200, self._batch_routes().batch(batch_id))

    def _cancel_batch(self, batch_id: str) -> Response[str]:
        document = self._batch_routes().cancel(batch_id)
        self._telemetry.note("batch_cancelled", batch_id=document["id"], is_over=document["ended_at"] is not None)
        return json_response(202 if document["ended_at"] is None else 200, document)

    def _openapi(self) -> Response[str]:
        self._caller()
        read_query(self._event, set())
        return json_response(200, self.openapi)

    def _refuse(self, error: Exception) -> Response[str]:
        """Every exception ends here, Powertools' own as well."""
        more: dict[str, object] = {}
        page = None
        if isinstance(error, FormRefusedError):
            page, error = error.page, error.cause
        if isinstance(error, NotFoundError):
            error = self._missing()
        elif isinstance(error, BatchRefusedError):
            more, error = {"results": error.results}, error.cause
        elif isinstance(error, FailedReplyError):
            more, error = {"job": error.job}, error.cause
        self._note(error)
        problem = problem_response(error, self._event.request_context.request_id, more)
        if self._event.path.startswith("/answers/") and wants_page(self._event):
            return page_response(problem.status_code, page or refusal_page(error), _said_with(problem))
        return problem

    def _note(self, error: Exception) -> None:
        problem = problem_document(error)
        fields = {"route": self._event.get("routeKey"), "status": problem["status"], "code": problem["code"]}
        if problem["status"] < 500:
            self._telemetry.note("request_refused", **fields)
            return
        # Frames only: the text of an unforeseen exception may quote what was sent.
        frames = "".join(traceback.format_tb(error.__traceback__))
        self._telemetry.count("ApiErrors")
        self._telemetry.alert("request_failed", **fields, error=type(error).__name__, trace=frames)

    def _missing(self) -> Exception:
        path, method = self._event.path, self._event.http_method
        allowed = next((methods for pattern, methods in _METHODS if pattern.fullmatch(path)), ())
        # An id may hold what Powertools' routes don't match; then the method is not at fault.
        return NoRouteError() if not allowed or method in allowed else MethodError(", ".join(allowed))

    def _caller(self) -> Caller:
        return caller_of(self._event, self._tenant_claim)

    def _wait(self) -> timedelta | None:
        context = self._app.lambda_context
        left_ms = context.get_remaining_time_in_millis() if context is not None else None
        return wait_of(read_query(self._event, {"wait"}), left_ms)

    def _reply_desk(self) -> ReplyDesk:
        client = self._client
        return ReplyDesk(
            self._lookup_desk(), Polling(client.reader, client.clock, client.submitter.random, self._sleep)
        )

    def _submit_desk(self, known: AbstractSet[str] = frozenset()) -> SubmitDesk:
        caller = self._caller()
        read_query(self._event, known)
        return SubmitDesk(self._registry, self._client, self._event, caller)

    def _batch_routes(self) -> BatchRoutes:
        return BatchRoutes(self._registry, self._client, self._event, self._caller())

    def _lookup_desk(self) -> LookupDesk:
        return LookupDesk(self._client, self._listing, self._event, self._caller())

    def _count_receipts(self, receipts: list[Receipt]) -> None:
        created = sum(receipt.created for receipt in receipts)
        self._count("JobsSubmitted", created)
        self._count("JobsRepeated", len(receipts) - created)

    def _count(self, name: str, value: int) -> None:
        if value:
            self._telemetry.count(name, value)


def _said_with(problem: Response[str]) -> dict[str, str]:
    return {name: str(problem.headers[name]) for name in _ON_PAGES if name in problem.headers}
