"""botocore without a network: every request is recorded and answered from a list."""

import json
from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from tidemill.aws.clients import Clients

Reply = dict[str, Any] | Exception | Callable[[dict[str, Any]], dict[str, Any]]
Serve = Callable[[str, dict[str, Any]], dict[str, Any]]


# Made once: making a client takes longer than a test.
_CLIENTS = Clients("eu-central-1")


class Wire:
    """Stands where the network would be, for one test. `requests` are (operation, body) as they would go out.

    Arguments:
        replies: the answers in order. An exception is raised, a function is given the body.
        repeat: the answer to whatever comes after them.
        serve: answers every request instead, given its operation and its body.
    """

    def __init__(self, *replies: Reply, repeat: Reply | None = None, serve: Serve | None = None) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self._replies = list(replies)
        self._repeat = repeat
        self._serve = serve

    @property
    def dynamodb(self) -> Any:
        return self._wired(_CLIENTS.dynamodb)

    @property
    def sqs(self) -> Any:
        return self._wired(_CLIENTS.sqs)

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _ in self.requests]

    def _wired(self, client: Any) -> Any:
        client.meta.events.unregister("before-send", unique_id="stub")
        client.meta.events.register("before-send", self._answer, unique_id="stub")
        return client

    def _answer(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        operation = request.headers["X-Amz-Target"].decode().rpartition(".")[2]
        body = json.loads(request.body)
        self.requests.append((operation, body))
        self.headers.append({name: str(value) for name, value in request.headers.items()})
        if self._serve is not None:
            return answer(self._serve(operation, body))
        reply = self._replies.pop(0) if self._replies else self._repeat
        if reply is None:
            raise AssertionError(f"no reply left for {operation}")
        if isinstance(reply, Exception):
            raise reply
        return answer(reply(body) if callable(reply) else reply)


def answer(document: dict[str, Any]) -> AWSResponse:
    """The HTTP response that carries `document`; one with a `__type` is an error."""
    document = dict(document)
    # An execution of Step Functions has a status too, which is a word.
    is_ours = isinstance(document.get("status"), int)
    status = document.pop("status") if is_ours else 400 if "__type" in document else 200
    return AWSResponse("https://stub", status, {"Content-Type": "application/x-amz-json-1.0"}, _Raw(document))


def error(code: str, status: int = 400, **fields: Any) -> dict[str, Any]:
    """An error of AWS as it answers it."""
    return {"__type": f"com.amazonaws#{code}", "message": "said by the stub", "status": status, **fields}


class _Raw:
    def __init__(self, document: dict[str, Any]) -> None:
        self._content = json.dumps(document).encode()

    def stream(self, **_: object) -> Any:
        yield self._content

    def read(self, *_: object) -> bytes:
        return self._content
