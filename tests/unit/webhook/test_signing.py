"""Signatures: the published vector, two secrets at once, and every way in which a webhook is not believed."""

import base64

import pytest

from tidemill.domain.errors import InputError
from tidemill.domain.webhook import signing
from tidemill.webhooks import Doubt, WebhookSignatureError, verify

# Standard Webhooks, reference implementations: the vector of their tests.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()
TOLD = b'{"type":"job.succeeded","timestamp":"2027-01-15T08:00:00.000Z","data":{"job_id":"j"}}'


def signed(body=TOLD, secrets=(SECRET,), at=AT, webhook_id=ID):
    return signing.headers_of(webhook_id, at, body, secrets)


def doubt(headers, body=TOLD, secrets=(SECRET,), now=AT):
    with pytest.raises(WebhookSignatureError) as refused:
        verify(headers, body, secrets, now)
    assert "Fix: " in str(refused.value)
    return refused.value.doubt


def test_the_published_vector():
    assert signed(BODY) == {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
    assert signing.verified(signed(BODY), BODY, [SECRET], AT) == signing.Signed(ID, AT)


def test_what_is_signed_can_be_believed():
    message = verify({name.title(): value for name, value in signed().items()}, TOLD, SECRET, AT)

    assert (message.id, message.type, message.data) == (ID, "job.succeeded", {"job_id": "j"})
    assert message.sent_at.timestamp() == AT


@pytest.mark.parametrize("known", [SECRET, OTHER])
def test_while_a_secret_is_exchanged_a_receiver_may_know_either(known):
    both = signed(secrets=(OTHER, SECRET))

    assert len(both["webhook-signature"].split(" ")) == 2
    assert verify(both, TOLD, known, AT).id == ID


def test_a_receiver_may_know_both_while_one_signs():
    assert verify(signed(secrets=(SECRET,)), TOLD, [OTHER, SECRET], AT).id == ID


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header(name):
    headers = signed()
    del headers[name]

    assert doubt(headers) is Doubt.MISSING
    assert doubt({**headers, name: ""}) is Doubt.MALFORMED


@pytest.mark.parametrize("at", ["x", "-1", "1.5", " 1", "\uff11", "1" * 13, "1e9"])
def test_a_time_that_is_none(at):
    assert doubt({**signed(), "webhook-timestamp": at}) is Doubt.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_2"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": "v1a," + SIGNATURE[3:]},
        {"webhook-signature": "v2," + SIGNATURE[3:]},
        {"webhook-signature": SIGNATURE[3:]},
        {"webhook-signature": "v1,not base64!"},
        {"webhook-signature": "v1,"},
        {"webhook-signature": " " * 100},
        {"webhook-signature": " ".join(["v1,AAAA"] * 20)},
    ],
)
def test_what_was_changed_is_not_believed(change):
    assert doubt({**signed(), **change}) is Doubt.WRONG


def test_another_body_or_secret_is_not_believed():
    assert doubt(signed(), TOLD + b" ") is Doubt.WRONG
    assert doubt(signed(), secrets=[OTHER]) is Doubt.WRONG


@pytest.mark.parametrize(("now", "expected"), [(AT + 301, Doubt.OLD), (AT - 301, Doubt.EARLY)])
def test_a_replay_is_not_believed(now, expected):
    assert doubt(signed(), now=now) is expected


@pytest.mark.parametrize("now", [AT - 300, AT, AT + 300])
def test_clocks_may_differ_by_five_minutes(now):
    assert verify(signed(), TOLD, SECRET, now).id == ID


@pytest.mark.parametrize("body", [b"{}", b"[]", b"\xff", b"x", b'{"type": 1}'])
def test_a_signed_body_that_is_no_webhook(body):
    assert doubt(signed(body), body) is Doubt.MALFORMED


@pytest.mark.parametrize(
    "secret",
    [None, 5, "", "whsec_", "whsec_!!!", "whsec_" + base64.b64encode(b"k" * 23).decode(), SECRET[6:],
     "whsec_" + base64.b64encode(b"k" * 65).decode()],
)  # fmt: skip
def test_an_ill_formed_secret_is_a_fault_of_the_receivers_own_and_is_not_quoted(secret):
    with pytest.raises(InputError, match=r"secrets\[1\]") as refused:
        verify(signed(), TOLD, [SECRET, secret], AT)

    assert secret in (None, "", 5, "whsec_") or secret not in str(refused.value)


def test_no_secret_is_no_permission():
    with pytest.raises(InputError, match="secrets"):
        verify(signed(), TOLD, [], AT)


def test_every_pair_is_compared_in_constant_time(monkeypatch):
    compared = []
    compare = signing.hmac.compare_digest
    monkeypatch.setattr(signing.hmac, "compare_digest", lambda a, b: compared.append(1) or compare(a, b))

    verify(signed(secrets=(SECRET, OTHER)), TOLD, [SECRET, OTHER], AT)

    assert len(compared) == 4
