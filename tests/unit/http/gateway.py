"""Requests as API Gateway hands them over, and responses as it takes them back."""

import base64
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

REQUEST_ID = "Zx9QkgY8liAEPlw="
IAM = {"iam": {"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/op"}}

DLQ_ROUTES = {("GET", "groups"), ("GET", "audit"), ("POST", "redrive"), ("POST", "purge")}


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
    def fields(self) -> set[str]:
        return {violation["field"] for violation in self.json["violations"]}


def template_of(method: str, target: str) -> str:
    """The route that the gateway would choose."""
    path = target.partition("?")[0]
    parts = path.split("/")
    if len(parts) == 4 and parts[1] == "jobs" and parts[3] in ("redrive", "move"):
        return f"/jobs/{{id}}/{parts[3]}"
    if len(parts) in (3, 4) and parts[1] == "schedules":
        return "/".join(["", "schedules", "{name}", *parts[3:]])
    if len(parts) == 3 and parts[1] == "dlq" and (method, parts[2]) not in DLQ_ROUTES:
        return "/dlq/{id}"
    if len(parts) == 3 and parts[1] == "batches":
        return "/batches/{id}"
    is_job = path.startswith("/jobs/") and path.count("/") == 2 and (method, path) != ("POST", "/jobs/batch")
    return "/jobs/{id}" if is_job else path


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
