"""AWS's JSON protocols: from an HTTP request to an operation's arguments, and back from its answer."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from bench.cloud.refused import Refused
from bench.cloud.wire import Request, Response

Document = dict[str, Any]
Perform = Callable[[str, str, Document], Document]

_NAMESPACES = {"dynamodb": "com.amazonaws.dynamodb.v20120810#", "sqs": "com.amazonaws.sqs#", "events": ""}
_BINARY = ("B", "BS")


def answer_over(perform: Perform, new_id: Callable[[], str]) -> Callable[[Request], Response]:
    """What answers HTTP requests of DynamoDB, SQS and EventBridge through `perform`."""

    def answer(request: Request) -> Response:
        service = next((one for one in ("sqs", "events") if request.host.startswith(f"{one}.")), "dynamodb")
        operation = request.headers["x-amz-target"].partition(".")[2]
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        status = HTTPStatus.OK
        try:
            document = perform(service, operation, _decoded(service, request.body))
        except Refused as refused:
            status = HTTPStatus(refused.status)
            document = {"__type": _NAMESPACES[service] + _name(refused), "message": refused.message, **refused.members}
            if refused.query_code is not None:
                headers["x-amzn-query-error"] = f"{refused.code};Sender"
        headers["x-amzn-RequestId"] = new_id()
        body = json.dumps(document, separators=(",", ":"), default=_text).encode()
        if service == "dynamodb":
            headers["x-amz-crc32"] = str(zlib.crc32(body))
        return Response(body, headers, status)

    return answer


def _name(refused: Refused) -> str:
    return refused.query_code or refused.code


def _decoded(service: str, body: bytes) -> Document:
    # Binary values travel as base64. Few requests hold any, and looking for them takes long.
    if service == "dynamodb" and (b'"B"' in body or b'"BS"' in body):
        document: Document = json.loads(body, object_hook=_with_bytes)
    else:
        document = json.loads(body)
    return document


def _with_bytes(found: Document) -> Document:
    if len(found) != 1:
        return found
    ((kind, content),) = found.items()
    if kind == "B" and isinstance(content, str):
        return {"B": base64.b64decode(content)}
    if kind == "BS" and isinstance(content, list):
        return {"BS": [base64.b64decode(one) for one in content]}
    return found


def _text(content: Any) -> str:
    if isinstance(content, bytes):
        return base64.b64encode(content).decode()
    raise TypeError(f"no JSON for {type(content)}")
