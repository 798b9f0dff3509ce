"""Requests to the HTTP API, signed with AWS credentials as its IAM authorisation asks."""

import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

# A function's first request waits for its process to start.
_PATIENCE_S: Final = 30


@dataclass(frozen=True)
class Answer:
    """Status and parsed body."""

    status: int
    body: Any


@dataclass(frozen=True)
class SignedApi:
    """The HTTP API of one stack.

    Attributes:
        url: where it answers, without a slash at the end.
        credentials, region: what requests are signed with.
    """

    url: str
    credentials: Credentials
    region: str

    def post(self, path: str, document: object, *, sign: bool = True) -> Answer:
        """Send a JSON document."""
        return self._send("POST", path, json.dumps(document).encode(), sign=sign)

    def get(self, path: str) -> Answer:
        """Ask for a resource."""
        return self._send("GET", path, None, sign=True)

    def delete(self, path: str) -> Answer:
        """Ask for an end."""
        return self._send("DELETE", path, None, sign=True)

    def _send(self, method: str, path: str, body: bytes | None, *, sign: bool) -> Answer:
        headers = {"Content-Type": "application/json"} if body else {}
        request = AWSRequest(method, self.url + path, data=body, headers=headers)
        if sign:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        prepared = Request(self.url + path, body, dict(request.headers.items()), method=method)  # noqa: S310 - the stack's own address
        try:
            with urlopen(prepared, timeout=_PATIENCE_S) as answer:  # noqa: S310 - the same
                return Answer(answer.status, _parsed(answer.read()))
        except HTTPError as error:
            with error:
                return Answer(error.code, _parsed(error.read()))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body.decode("utf-8", "replace")
