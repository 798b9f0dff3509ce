"""A receiver of webhooks on the standard library: verify, remember the id, answer, and work afterwards."""

import os
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tidemill.webhooks import WebhookSignatureError, verify

MOST_BYTES = 65_536
SEEN: set[str] = set()  # in earnest: a table, whose key is the id
WORK: list[str] = []  # in earnest: a queue


def receive(headers: Mapping[str, str], body: bytes, secrets: list[str], now: float) -> int:
    """The status to answer with. While a secret is exchanged, `secrets` has the old and the new one."""
    try:
        message = verify(headers, body, secrets, now)
    except WebhookSignatureError as error:
        print(f"refused: {error.doubt}")
        return 401
    if message.id not in SEEN:  # each comes at least once
        SEEN.add(message.id)
        WORK.append(f"{message.type} {message.data.get('job_id')}")
    return 204


class Receiver(BaseHTTPRequestHandler):
    """Answers POST on any path."""

    def do_POST(self) -> None:
        """Answer at once: the sender waits for ten seconds, and tries again after that."""
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MOST_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)  # the bytes as they came: parsed and written again they are others
        secrets = os.environ["WEBHOOK_SECRETS"].split()
        self.send_response(receive(dict(self.headers), body, secrets, time.time()))
        self.end_headers()


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", 8000), Receiver).serve_forever()
