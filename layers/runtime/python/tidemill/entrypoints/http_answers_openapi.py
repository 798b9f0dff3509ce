"""The paths of answers in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.answer_token import MAX_TOKEN_CHARS
from tidemill.entrypoints.http_openapi_parts import JOB_ID, answer, body, problems
from tidemill.entrypoints.http_request import FORM_TYPE

_NAME: Final = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "what the job's kind declares in `answers`",
    "schema": {"type": "string", "minLength": 1, "maxLength": limits.MAX_WAIT_NAME_CHARS},
}
_TOKEN: Final = {
    "name": "token",
    "in": "path",
    "required": True,
    "description": "made by the job (`ctx.answer_token`)",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_TOKEN_CHARS},
}
_PAGE: Final = {"schema": {"type": "string", "description": "for people: with `Accept: text/html`"}}
_FILLED_IN: Final = {
    "schema": {
        "type": "object",
        "description": "the form of the page: `answer`, or `answer.<field>` for each field of the answer",
        "additionalProperties": {"type": "string"},
    }
}


def answer_paths() -> dict[str, Any]:
    """Each path with its operations."""
    return {
        "/jobs/{id}/answers/{name}": {"post": _answer()},
        "/answers/{token}": {"get": _show(), "post": _redeem()},
    }


def _answer() -> dict[str, Any]:
    return {
        "operationId": "answerJob",
        "summary": "Answer what a job waits for, or will",
        "parameters": [JOB_ID, _NAME],
        "requestBody": body("AnswerRequest"),
        "responses": {
            "200": answer("The job has this answer, and uses it unless it is over before", "Answered"),
            **problems(400, 401, 403, 404, 409, 410, 413, 415, 422, 500, 503),
        },
    }


def _show() -> dict[str, Any]:
    return {
        "operationId": "showQuestion",
        "summary": "See what a token lets you answer; decides nothing",
        "security": [],
        "parameters": [_TOKEN],
        "responses": _or_pages(
            {"200": answer("What is asked", "Question"), **problems(400, 403, 404, 409, 410, 500, 503)}
        ),
    }


def _redeem() -> dict[str, Any]:
    return {
        "operationId": "answerWithToken",
        "summary": "Answer once, with a token instead of credentials",
        "security": [],
        "parameters": [_TOKEN],
        "requestBody": {"required": True, "content": {**body("TokenAnswerRequest")["content"], FORM_TYPE: _FILLED_IN}},
        "responses": _or_pages(
            {
                "200": answer("The job has this answer, and uses it unless it is over before", "Answered"),
                **problems(400, 403, 404, 409, 410, 413, 415, 422, 500, 503),
            }
        ),
    }


def _or_pages(responses: dict[str, Any]) -> dict[str, Any]:
    """The same for a caller who asks for HTML, as a page for people."""
    return {
        status: {**response, "content": {**response["content"], "text/html": _PAGE}}
        for status, response in responses.items()
    }
