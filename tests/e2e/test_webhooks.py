"""A webhook on a deployed stack: signed, received on this machine, and tried again under one id."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from trials.hooked import LOOPBACK, Told

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import seconds
from tidemill.domain.errors import InputError
from tidemill.domain.webhook_errors import EndpointNotFoundError
from tidemill.webhooks import verify

pytestmark = pytest.mark.slow


@contextmanager
def receiving(*statuses: int) -> Iterator[tuple[str, list]]:
    """A receiver that answers with these statuses, the last one for ever; its URL, and what it got."""
    got: list[tuple[dict, bytes]] = []
    planned = list(statuses)

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(planned.pop(0) if len(planned) > 1 else planned[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def desk(deployed_trials):
    return replace(deployed_trials.client.webhooks, reach=LOOPBACK)


def test_a_webhook_is_received_signed_and_tried_again_under_one_id(deployed_trials, desk, tenant, measured):
    with receiving(500, 204) as (url, got):
        old = desk.create("trial", url, tenant=tenant).secret
        new = desk.rotate("trial", tenant=tenant).secret
        began = time.time()
        receipt = deployed_trials.client.submit(Told(), tenant=tenant)

        assert wait_until(lambda: len(got) >= 2, PATIENCE_S), got
        measured(f"the first attempt of a webhook came {_first(got, new) - began:.0f} s after the submit")

    messages = [verify(headers, body, new, time.time()) for headers, body in got[:2]]
    assert [message.type for message in messages] == ["job.succeeded"] * 2
    assert {message.data["job_id"] for message in messages} == {receipt.job_id}
    assert len({message.id for message in messages}) == 1
    assert [verify(headers, body, old, time.time()) for headers, body in got[:2]] == messages
    delivery = deployed_trials.ended(replace(receipt.job.ref, id=messages[0].id))
    assert (delivery.state, delivery.attempt) == ("succeeded", 2)


def test_one_that_is_cancelled_before_any_worker_met_it_is_told(deployed_trials, desk, tenant):
    with receiving(204) as (url, got):
        secret = desk.create("trial", url, tenant=tenant).secret
        receipt = deployed_trials.client.submit(Told(), tenant=tenant, delay=seconds(1_800))
        deployed_trials.client.cancel(receipt.job_id, tenant)

        assert wait_until(lambda: got, PATIENCE_S)

    assert verify(*got[0], secret, time.time()).type == "job.cancelled"


def test_what_a_deployed_program_would_have_refused(deployed_trials, tenant):
    with pytest.raises(InputError, match="url: must begin with https://"):
        deployed_trials.client.webhooks.create("trial", "http://127.0.0.1/", tenant=tenant)
    with pytest.raises(EndpointNotFoundError):
        deployed_trials.client.webhooks.get("trial", tenant)


def _first(got, secret):
    headers, body = got[0]
    return verify(headers, body, secret, time.time()).sent_at.timestamp()
