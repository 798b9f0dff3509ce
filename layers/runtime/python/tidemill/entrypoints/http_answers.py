"""Answering jobs over HTTP: by signed-in callers, and by whoever has a token for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from tidemill.domain.answer_errors import AnsweredError, AnswerLateError
from tidemill.domain.errors import InputError, JobNotFoundError
from tidemill.domain.job import JobRef
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.ports import Telemetry
from tidemill.entrypoints.http_request import Caller, answering_query, read_document, read_query
from tidemill.entrypoints.http_response import json_response
from tidemill.service.answering import Answerer, Reply
from tidemill.service.tokens import AnswerTokens
from tidemill.service.view import seen_by_tenant, timestamp, wait_view

# The largest answer, escaped, and what stands beside it.
_MAX_BODY_BYTES: Final = 128 * 1024
_SIGNED_IN: Final = frozenset({"answer", "tenant", "by"})
_WITH_TOKEN: Final = frozenset({"answer"})


@dataclass(frozen=True, slots=True)
class AnswerRoutes:
    """Adds the routes of answers to an API.

    The two with a token take no other authorisation, and read nothing of any job before the token is believed. A GET
    decides nothing: whatever scans mail follows links.

    Arguments:
        caller: tells who calls, of the request that is answered now.
    """

    app: APIGatewayHttpResolver
    answerer: Answerer
    tokens: AnswerTokens
    telemetry: Telemetry
    caller: Callable[[], Caller]

    def add(self) -> None:
        """Let the API take them."""
        self.app.post("/jobs/<job_id>/answers/<name>")(self._answer)
        self.app.get("/answers/<token>")(self._show)
        self.app.post("/answers/<token>")(self._redeem)

    def _answer(self, job_id: str, name: str) -> Response[str]:
        caller = self.caller()
        read_query(self.app.current_event, set())
        document = self._document(_SIGNED_IN)
        tenant = caller.tenant_for(document.get("tenant"))
        with answering_query():
            ref = JobRef(check_tenant(tenant), check_job_id(job_id))
        if document.get("by") is not None and caller.tenant is not None:
            problem = "is the subject of your token. Fix: leave it out"
            raise InputError.at("by", problem, "extra")
        reply = Reply(ref, name, document["answer"], "api", caller.name, document.get("by"))
        return self._answered(reply, is_operator=caller.tenant is None)

    def _show(self, token: str) -> Response[str]:
        read_query(self.app.current_event, set())
        grant = self.tokens.read(token)
        job = self.answerer.find(grant.ref)
        if job is None:
            raise JobNotFoundError(grant.ref.tenant, grant.ref.id)
        if job.generation != grant.generation:
            raise AnswerLateError(job.ref.id, grant.name, "the job runs anew since this was asked")
        wait = self.answerer.wait_of(job, grant.name)
        shown = wait_view(grant.name, wait, with_value=False)
        shown["by"] = seen_by_tenant(shown["by"]) if shown["by"] else None
        beside = {"job_id": job.ref.id, "kind": job.kind, "state": job.state.value, "for": grant.to or None}
        return json_response(200, {**beside, **shown, "token_expires_at": timestamp(grant.expires_at)})

    def _redeem(self, token: str) -> Response[str]:
        read_query(self.app.current_event, set())
        grant = self.tokens.read(token)
        value = self._document(_WITH_TOKEN)["answer"]
        who = f"link:{grant.to}" if grant.to else "link"
        reply = Reply(grant.ref, grant.name, value, "link", who, grant.to or None, generation=grant.generation)
        return self._answered(reply, is_operator=False)

    def _document(self, known: frozenset[str]) -> dict[str, Any]:
        document = read_document(self.app.current_event, _MAX_BODY_BYTES)
        if not isinstance(document, dict):
            raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
        if unknown := sorted(set(document) - known):
            raise InputError.at(unknown[0][:64], f"is no field here; known: {', '.join(sorted(known))}", "extra")
        if "answer" not in document:
            raise InputError.at("answer", "is missing", "missing")
        return document

    def _answered(self, reply: Reply, *, is_operator: bool) -> Response[str]:
        try:
            answered = self.answerer.answer(reply)
        except AnsweredError as error:
            by = error.by if is_operator else seen_by_tenant(error.by)
            raise AnsweredError(error.job_id, error.name, by, error.at, error.means) from None
        given = answered.wait.given
        by = given.by if given else ""
        self.telemetry.note("job_answered", job_id=answered.job.ref.id, kind=answered.job.kind, is_new=answered.is_new)
        document = {
            "job_id": answered.job.ref.id,
            "name": answered.wait.name,
            "created": answered.is_new,
            "answer": None if given is None else json.loads(given.value),
            "by": by if is_operator else seen_by_tenant(by),
            "means": None if given is None else given.means,
            "at": None if given is None else timestamp(given.at),
        }
        return json_response(200, document)
