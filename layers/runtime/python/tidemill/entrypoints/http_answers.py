"""Answering jobs over HTTP: by signed-in callers, and by whoever has a token for it, as a program or on a page."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from tidemill.domain.answer_errors import AnsweredError, AnswerLateError
from tidemill.domain.answer_schema import form_of
from tidemill.domain.answer_token import Grant
from tidemill.domain.errors import InputError, JobNotFoundError
from tidemill.domain.job import JobRef
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.ports import Telemetry
from tidemill.entrypoints.http_answer_page import Asked, given_page, question_page
from tidemill.entrypoints.http_page import page_response, wants_page
from tidemill.entrypoints.http_problems import RequestError
from tidemill.entrypoints.http_request import Caller, answering_query, is_form, read_document, read_form, read_query
from tidemill.entrypoints.http_response import json_response
from tidemill.service.answering import Answered, Answerer, Reply
from tidemill.service.tokens import AnswerTokens
from tidemill.service.view import seen_by_tenant, timestamp, wait_view

# The largest answer, escaped, and what stands beside it.
_MAX_BODY_BYTES: Final = 128 * 1024
_SIGNED_IN: Final = frozenset({"answer", "tenant", "by"})
_WITH_TOKEN: Final = frozenset({"answer"})
_MEANS: Final = "link"
_VARIES: Final = {"Vary": "Accept"}


class FormRefusedError(RequestError):
    """A form was filled in wrongly; `page` is the form again, and says where."""

    def __init__(self, page: str, cause: InputError) -> None:
        super().__init__(*cause.violations)
        self.page = page
        self.cause = cause


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
        is_operator = caller.tenant is None
        return self._answered(self._give(reply, is_operator=is_operator), is_operator=is_operator)

    def _show(self, token: str) -> Response[str]:
        read_query(self.app.current_event, set())
        asked = self._asked(self.tokens.read(token))
        if wants_page(self.app.current_event):
            return self._page(asked)
        grant, job = asked.grant, asked.job
        shown = wait_view(grant.name, asked.wait, with_value=False)
        shown["by"] = seen_by_tenant(shown["by"]) if shown["by"] else None
        beside = {"job_id": job.ref.id, "kind": job.kind, "state": job.state.value, "for": grant.to or None}
        document = {**beside, **shown, "token_expires_at": timestamp(grant.expires_at)}
        return json_response(200, document, _VARIES)

    def _page(self, asked: Asked) -> Response[str]:
        given = asked.wait.given if asked.wait else None
        if given is None:
            asked.check_open(self.answerer.clock.now_ms())
            return page_response(200, question_page(asked, {}))
        # Whoever answered may see what; others with a link of theirs, that it was.
        is_own = bool(asked.grant.to) and (given.by, given.means) == (asked.grant.to, _MEANS)
        return page_response(200, given_page(asked, given, is_shown=is_own))

    def _redeem(self, token: str) -> Response[str]:
        event = self.app.current_event
        read_query(event, set())
        grant = self.tokens.read(token)
        if is_form(event):
            return self._filled_in(self._asked(grant), read_form(event, _MAX_BODY_BYTES))
        answered = self._give(self._reply(grant, self._document(_WITH_TOKEN)["answer"]), is_operator=False)
        if wants_page(event):
            return self._answered_page(self._asked(grant), answered)
        return self._answered(answered, is_operator=False)

    def _filled_in(self, asked: Asked, entries: dict[str, str]) -> Response[str]:
        try:
            answered = self._give(self._reply(asked.grant, asked.form.filled_in(entries)), is_operator=False)
        except InputError as error:
            if wants_page(self.app.current_event):
                raise FormRefusedError(question_page(asked, entries, error.violations), error) from None
            raise
        if wants_page(self.app.current_event):
            return self._answered_page(asked, answered)
        return self._answered(answered, is_operator=False)

    def _answered_page(self, asked: Asked, answered: Answered) -> Response[str]:
        given = answered.wait.given
        if given is None:
            return self._page(asked)
        return page_response(200, given_page(asked, given, is_shown=True))

    def _asked(self, grant: Grant) -> Asked:
        """What a token lets its holder answer.

        Raises:
            JobNotFoundError, AnswerLateError: the job is gone, or runs anew.
        """
        job = self.answerer.find(grant.ref)
        if job is None:
            raise JobNotFoundError(grant.ref.tenant, grant.ref.id)
        if job.generation != grant.generation:
            raise AnswerLateError(job.ref.id, grant.name, "the job runs anew since this was asked")
        form = form_of(self.answerer.declared(job, grant.name))
        return Asked(grant, job, self.answerer.wait_of(job, grant.name), form)

    def _reply(self, grant: Grant, value: object) -> Reply:
        who = f"{_MEANS}:{grant.to}" if grant.to else _MEANS
        return Reply(grant.ref, grant.name, value, _MEANS, who, grant.to or None, generation=grant.generation)

    def _document(self, known: frozenset[str]) -> dict[str, Any]:
        document = read_document(self.app.current_event, _MAX_BODY_BYTES)
        if not isinstance(document, dict):
            raise InputError.at("body", f"must be a JSON object, not {type(document).__name__}", "type")
        if unknown := sorted(set(document) - known):
            raise InputError.at(unknown[0][:64], f"is no field here; known: {', '.join(sorted(known))}", "extra")
        if "answer" not in document:
            raise InputError.at("answer", "is missing", "missing")
        return document

    def _give(self, reply: Reply, *, is_operator: bool) -> Answered:
        try:
            answered = self.answerer.answer(reply)
        except AnsweredError as error:
            by = error.by if is_operator else seen_by_tenant(error.by)
            raise AnsweredError(error.job_id, error.name, by, error.at, error.means) from None
        self.telemetry.note("job_answered", job_id=answered.job.ref.id, kind=answered.job.kind, is_new=answered.is_new)
        return answered

    def _answered(self, answered: Answered, *, is_operator: bool) -> Response[str]:
        given = answered.wait.given
        by = given.by if given else ""
        document = {
            "job_id": answered.job.ref.id,
            "name": answered.wait.name,
            "created": answered.is_new,
            "answer": None if given is None else json.loads(given.value),
            "by": by if is_operator else seen_by_tenant(by),
            "means": None if given is None else given.means,
            "at": None if given is None else timestamp(given.at),
        }
        return json_response(200, document, _VARIES)
