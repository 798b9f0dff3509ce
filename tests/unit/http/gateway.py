"""Requests as API Gateway hands them over, and responses as it takes them back."""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

REQUEST_ID = "Zx9QkgY8liAEPlw="
IAM = {"iam": {"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/op"}}

# Those that another route's template would take for an id.
LITERAL = {
    ("POST", "/jobs/batch"),
    ("GET", "/dlq/groups"),
    ("GET", "/dlq/audit"),
    ("POST", "/dlq/redrive"),
    ("POST", "/dlq/purge"),
}


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str
    raw: dict[str, Any]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def is_page(self) -> bool:
        return self.headers["Content-Type"] == "text/html; charset=utf-8"

    @property
    def fields(self) -> set[str]:
        return {violation["field"] for violation in self.json["violations"]}


def template_of(method: str, target: str) -> str:
    """The route that the gateway would choose."""
    path = target.partition("?")[0]
    if (method, path) in LITERAL:
        return path
    match path.split("/")[1:]:
        case ["jobs", _, "answers", _]:
            return "/jobs/{id}/answers/{name}"
        case ["schedules", _, *rest]:
            return "/".join(["", "schedules", "{name}", *rest])
        case [("jobs" | "dlq" | "batches") as what, _, *rest]:
            return "/".join(["", what, "{id}", *rest])
        case ["answers", _]:
            return "/answers/{token}"
        case _:
            return path


def make_event(
    method: str,
    target: str,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    authorizer: dict[str, Any] | None = IAM,
    encoded: bool = False,
    stage: str = "$default",
) -> dict[str, Any]:
    """An event as API Gateway sends it. A `body` that is no text is written as JSON."""
    path, _, query = target.partition("?")
    prefix = "" if stage == "$default" else f"/{stage}"
    if body is not None and not isinstance(body, str | bytes):
        body = json.dumps(body)
    if encoded or isinstance(body, bytes):
        body = base64.b64encode(body if isinstance(body, bytes) else body.encode()).decode()
        encoded = True
    context = {"http": {"method": method, "path": prefix + path}, "requestId": REQUEST_ID, "stage": stage}
    route = template_of(method, target)
    event = {
        "version": "2.0",
        "routeKey": f"{method} {route}",
        "rawPath": unquote(prefix + path),
        "rawQueryString": query,
        "headers": {"content-type": "application/json", **(headers or {})},
        "requestContext": context if authorizer is None else {**context, "authorizer": authorizer},
        "isBase64Encoded": encoded,
    }
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    return event if body is None else {**event, "body": body}
