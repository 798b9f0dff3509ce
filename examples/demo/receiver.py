"""A receiver of webhooks on this machine: it believes nothing that is not signed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tidemill.webhooks import WebhookMessage, WebhookSignatureError, verify


@dataclass
class Receiver:
    """What came in.

    Attributes:
        url: where it listens. `secret`: of the endpoint, known once that was made.
        believed: what was signed with it.
    """

    url: str
    secret: str = ""
    believed: list[WebhookMessage] = field(default_factory=list)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Verify; the status to answer with."""
        try:
            self.believed.append(verify(headers, body, self.secret, time.time()))
        except WebhookSignatureError:
            return 401
        return 204


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port of 127.0.0.1 until the block ends."""

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.take(dict(self.headers), body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing: the screen is the demo's."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        receiver = Receiver(f"http://127.0.0.1:{server.server_port}/discs")
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
