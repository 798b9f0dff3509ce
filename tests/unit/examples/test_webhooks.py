"""The guide's webhook: sent by the harness, received by the guide's receiver."""

from dataclasses import replace

from examples.guide import webhook_receiver, webhooks
from tidemill.domain.duration import hours
from tidemill.testing import Harness


def test_the_receiver_believes_what_the_program_sends(capsys):
    webhook_receiver.SEEN.clear()
    webhook_receiver.WORK.clear()
    with Harness(webhooks.registry) as tide:
        old = tide.client.webhooks.create("orders", "https://shop.example.com/tidemill").secret
        new = tide.client.webhooks.rotate("orders", overlap=hours(1)).secret
        receipt = tide.client.submit(webhooks.Deliver(order=7))
        tide.drain()
        (sent,) = tide.receiver.sent

    statuses = [
        webhook_receiver.receive(sent.headers, sent.body, secrets, sent.at_s) for secrets in ([old], [old, new], [new])
    ]

    assert statuses == [204] * 3
    assert [f"job.succeeded {receipt.job_id}"] == webhook_receiver.WORK
    forged = replace(sent, body=sent.body.replace(b"succeeded", b"dead"))
    assert webhook_receiver.receive(forged.headers, forged.body, [new], forged.at_s) == 401
    assert webhook_receiver.receive({}, b"{}", [new], 0.0) == 401
    assert "refused: wrong" in capsys.readouterr().out
