"""Signatures of webhooks as Standard Webhooks 1.0.0 has them ("Signature scheme", "Webhook headers"). Pure.

What is signed is `{id}.{timestamp}.{body}`, with HMAC-SHA256, under every secret that is valid: while one is exchanged
for another there are two, and a receiver that knows either of them believes the webhook.
"""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tidemill.domain import webhook_limits
from tidemill.domain.errors import InputError
from tidemill.domain.webhook_errors import Doubt, WebhookSignatureError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what a secret begins with
ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
_SCHEME: Final = "v1"
_WHOLE: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
# Senders that exchange secrets sign with two; nobody has reason to make a receiver look at many.
_MOST_SIGNATURES: Final = 16
_MOST_CHARS: Final = 256


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of a webhook whose signature is right: its id, which all repeats share, and when it was sent."""

    id: str
    sent_at: int


def secret_of(key: bytes) -> str:
    """A key as it is written down."""
    return SECRET_PREFIX + b64encode(key).decode()


def key_of(secret: object, field: str = "secret") -> bytes:
    """The key in a secret.

    Raises:
        InputError: it is not `whsec_` and 24 to 64 bytes in base64. It names `field` and quotes nothing of it.
    """
    problem = "must be whsec_ and then 24 to 64 bytes in base64"
    if not isinstance(secret, str) or not secret.startswith(SECRET_PREFIX):
        raise InputError.at(field, problem, "secret")
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise InputError.at(field, problem, "secret") from None
    if not webhook_limits.MIN_WEBHOOK_KEY <= len(key) <= webhook_limits.MAX_WEBHOOK_KEY:
        raise InputError.at(field, problem, "secret")
    return key


def tag_of(secret: str) -> str:
    """The first eight hex digits of a secret's hash: tells secrets apart, and nothing of them."""
    return sha256(secret.encode()).hexdigest()[:8]


def headers_of(webhook_id: str, sent_at: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers of one attempt.

    Arguments:
        sent_at: of this attempt, Unix seconds. `secrets`: all that are valid now, the newest first.
    """
    signatures = (_signature(key_of(secret), webhook_id, str(sent_at), body) for secret in secrets)
    return {
        ID: webhook_id,
        TIMESTAMP: str(sent_at),
        SIGNATURE: " ".join(f"{_SCHEME},{b64encode(one).decode()}" for one in signatures),
    }


def verified(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now_s: float) -> Signed:
    """What the headers of a received webhook say, if one of the secrets signed them and this body.

    Arguments:
        headers: in any case. `body`: the bytes as they came, not parsed and written again.
        now_s: the receiver's time, Unix seconds: one that was sent five minutes earlier or later is refused.

    Raises:
        InputError: there is no secret, or one is ill-formed.
        WebhookSignatureError: it can't be believed; `doubt` says why.
    """
    keys = [key_of(secret, f"secrets[{place}]") for place, secret in enumerate(secrets)]
    if not keys:
        raise InputError.at("secrets", "is empty. Fix: give the secrets that the webhook may be signed with", "missing")
    lowered = {str(name).lower(): value for name, value in headers.items()}
    webhook_id, sent, given = (_header(lowered, name) for name in (ID, TIMESTAMP, SIGNATURE))
    if not _WHOLE.fullmatch(sent):
        raise WebhookSignatureError(Doubt.MALFORMED, f"header {TIMESTAMP} is no whole number of seconds")
    expected = [_signature(key, webhook_id, sent, body) for key in keys]
    # Every pair is compared, so that the time tells nothing of which one was right.
    matches = [hmac.compare_digest(want, found) for found in _signatures(given) for want in expected]
    if not any(matches):
        raise WebhookSignatureError(
            Doubt.WRONG, "no signature is right: another secret signed it, or its id, time or body was changed"
        )
    tolerance = webhook_limits.WEBHOOK_TOLERANCE.total_seconds()
    if abs(now_s - int(sent)) > tolerance:
        late = now_s > int(sent)
        raise WebhookSignatureError(
            Doubt.OLD if late else Doubt.EARLY,
            f"it was sent {abs(now_s - int(sent)):.0f} s {'ago' if late else 'in the future'}, and {tolerance:.0f} s "
            "is the most: it is a replay, or a clock is wrong",
        )
    return Signed(webhook_id, int(sent))


def _header(lowered: Mapping[str, str], name: str) -> str:
    value = lowered.get(name)
    if value is None:
        raise WebhookSignatureError(Doubt.MISSING, f"there is no header {name}")
    if not isinstance(value, str) or not value or (name != SIGNATURE and len(value) > _MOST_CHARS):
        raise WebhookSignatureError(Doubt.MALFORMED, f"header {name} is empty or too long")
    if name == ID and not (value.isascii() and value.isprintable()):
        raise WebhookSignatureError(Doubt.MALFORMED, f"header {name} holds what no id holds")
    return value


def _signatures(given: str) -> Iterable[bytes]:
    """Those of the one scheme that there is; what is of another, or can't be read, is passed over."""
    for one in given.split(" ")[:_MOST_SIGNATURES]:
        scheme, _, text = one[:_MOST_CHARS].partition(",")
        if scheme == _SCHEME:
            try:
                yield b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                continue


def _signature(key: bytes, webhook_id: str, sent_at: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{webhook_id}.{sent_at}.".encode() + body, "sha256")
