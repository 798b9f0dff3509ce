"""The place of the socket: botocore's connections end here instead of at AWS.

Everything above the socket is real: serialising, signing, urllib3's pool, `http.client`, parsing, checksums.
TLS is the one part that is missing, for every handler alike.
"""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSHTTPConnection, AWSHTTPSConnection

_BLANK_LINE = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request: where to, its headers in lower case, and its body."""

    host: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response."""

    body: bytes
    headers: dict[str, str]
    status: HTTPStatus = HTTPStatus.OK

    def encode(self) -> bytes:
        """The response as it is on the wire."""
        head = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        head += ["Server: Server", f"Date: {formatdate(usegmt=True)}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        head += [f"Content-Length: {len(self.body)}", "Connection: keep-alive"]
        return "\r\n".join(head).encode() + _BLANK_LINE + self.body


Answer = Callable[[Request], Response]


class Wire:
    """Carries requests to `answer`, and keeps the CPU that answering took, so that it can be left out."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        # Never written to, so that urllib3 finds every idle connection quiet.
        self._quiet, self._unused = os.pipe()
        self.cpu_ns = 0

    def carry(self, host: str, sent: bytes) -> bytes | None:
        """What answers the bytes that a connection has sent so far; None while the request is not whole."""
        with self._lock:
            started = time.thread_time_ns()
            request = _parsed(host, sent)
            answer = None if request is None else self._answer(request).encode()
            self.cpu_ns += time.thread_time_ns() - started
            return answer

    @contextmanager
    def connected(self) -> Iterator[Wire]:
        """Let every connection that botocore opens end here."""

        def connect(connection: Any) -> None:
            connection.sock = _Socket(self, connection.host, self._quiet)
            connection.is_verified = True

        secure = patch.object(AWSHTTPSConnection, "connect", connect)
        try:
            with secure, patch.object(AWSHTTPConnection, "connect", connect):
                yield self
        finally:
            os.close(self._quiet)
            os.close(self._unused)


class _Socket:
    """As much of a socket as `http.client` and urllib3 use."""

    def __init__(self, wire: Wire, host: str, quiet: int) -> None:
        self._wire = wire
        self._host = host
        self._quiet = quiet
        self._sent = b""
        self._received = b""

    def sendall(self, data: bytes, flags: int = 0) -> None:
        self._sent += data
        answer = self._wire.carry(self._host, self._sent)
        if answer is not None:
            self._sent, self._received = b"", answer

    def makefile(self, mode: str, *_: object, **__: object) -> io.BytesIO:
        return io.BytesIO(self._received)

    def fileno(self) -> int:
        return self._quiet

    def settimeout(self, seconds: float | None) -> None:
        """There is nothing to wait for."""

    def close(self) -> None:
        """The pipe is shared."""


def _parsed(host: str, sent: bytes) -> Request | None:
    head, blank, body = sent.partition(_BLANK_LINE)
    lines = head.decode("latin-1").split("\r\n")[1:]
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if not blank or len(body) < int(headers.get("content-length", "0")):
        return None
    return Request(host, headers, body)
