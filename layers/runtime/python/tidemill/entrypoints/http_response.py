"""Writing a response."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from tidemill.domain.job import JobRef
from tidemill.entrypoints.http_problems import RETRY_AFTER_S, CanaryPendingError, MethodError, problem_document
from tidemill.entrypoints.http_request import Caller
from tidemill.service.submission import DEFAULT_TENANT

JSON_TYPE: Final = "application/json"
PROBLEM_JSON_TYPE: Final = "application/problem+json"
# Lambda returns 6 MB (Lambda Developer Guide, "Lambda quotas"); the rest is for the record and its failures.
_MAX_ANSWER_BYTES: Final = 6 * 1024 * 1024 - 512 * 1024
# No character becomes more than twelve bytes.
_SURE_CHARS: Final = _MAX_ANSWER_BYTES // 12


def json_response(
    status: int, document: object, headers: Mapping[str, str] | None = None, *, media_type: str = JSON_TYPE
) -> Response[str]:
    """A response with `document` as its body. What jobs return is nobody's to cache."""
    return Response(status, media_type, encode(document), {"Cache-Control": "no-store", **(headers or {})})


def problem_response(error: Exception, request_id: str, more: Mapping[str, object] | None = None) -> Response[str]:
    """The problem document of `error`, with the headers that its status asks for."""
    document = {**problem_document(error), "request_id": request_id, **(more or {})}
    headers: dict[str, str] = {}
    if document["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if document["status"] == 503 or isinstance(error, CanaryPendingError):
        headers["Retry-After"] = str(RETRY_AFTER_S)
    if isinstance(error, MethodError):
        headers["Allow"] = error.allowed
    return json_response(document["status"], document, headers, media_type=PROBLEM_JSON_TYPE)


def encode(document: object) -> str:
    """JSON text that any reader takes."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Lambda encodes the response as UTF-8 and would fail, as a 5xx, on half a character out of a query string.
    return text.encode("utf-8", "replace").decode("utf-8")


def fits_answer(text: str) -> bool:
    """Whether a document with this JSON text in it can be returned by a function.

    Its runtime writes the body as a JSON string once more: with escaped quotes, and before Python 3.12 with nothing
    but ASCII.
    """
    if len(text) <= _SURE_CHARS:
        return True
    return len(json.dumps(text, ensure_ascii=sys.version_info < (3, 12)).encode()) <= _MAX_ANSWER_BYTES


def job_link(event: APIGatewayProxyEventV2, caller: Caller, ref: JobRef) -> str:
    """Where the job is found, as a path on this API."""
    return link_to(event, caller, f"/jobs/{ref.id}", ref.tenant)


def link_to(event: APIGatewayProxyEventV2, caller: Caller, path: str, tenant: str) -> str:
    """Where the caller finds what is at this path and is the tenant's, as a path on this API."""
    # A stage with a name is the first part of every path.
    stage = event.raw_path[: len(event.raw_path) - len(event.path)]
    named = caller.tenant is None and tenant != DEFAULT_TENANT
    return f"{stage}{path}{f'?tenant={quote(tenant)}' if named else ''}"
