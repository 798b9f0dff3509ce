"""Receiving webhooks: whether one is Tidemill's, and what it says.

    from tidemill.webhooks import verify

    message = verify(request.headers, body, secrets=["whsec_..."], now=time.time())

Any library of Standard Webhooks does the same; this one needs nothing of AWS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tidemill.domain.errors import InputError
from tidemill.domain.strict_json import load_strict
from tidemill.domain.webhook.signing import verified
from tidemill.domain.webhook_errors import Doubt, WebhookSignatureError

__all__ = ("Doubt", "WebhookMessage", "WebhookSignatureError", "verify")


@dataclass(frozen=True, slots=True)
class WebhookMessage:
    """A webhook that can be believed.

    Attributes:
        id: the same in every attempt. Webhooks come at least once: do nothing for an id that you have seen.
        sent_at: when this attempt was made, UTC.
        type: `job.succeeded`, `job.dead`, `job.cancelled`, `job.expired` or `webhook.test`; there may be more one day.
        data: what it tells; `data["job_id"]` is the job that ended.
    """

    id: str
    sent_at: datetime
    type: str
    data: Mapping[str, Any]


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str] | str, now: float) -> WebhookMessage:
    """The webhook in a request, if one of the secrets signed it within five minutes of `now`.

    Arguments:
        headers: of the request, in any case.
        body: the very bytes that came. Parsed and written again they are others.
        secrets: each `whsec_...`. While a secret is exchanged, give the old and the new one: there is no gap.
        now: the time, Unix seconds.

    Raises:
        WebhookSignatureError: it can't be believed; `doubt` says why. Answer 400 or 401.
        InputError: a secret is ill-formed, or there is none; a fault of the receiver's own.
    """
    listed = (secrets,) if isinstance(secrets, str) else tuple(secrets)
    signed = verified(headers, body, listed, now)
    try:
        document = load_strict(body.decode(), "body")
    except (InputError, UnicodeDecodeError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise WebhookSignatureError(Doubt.MALFORMED, "it is signed, and its body is no webhook of Tidemill")
    data = document.get("data")
    sent_at = datetime.fromtimestamp(signed.sent_at, UTC)
    return WebhookMessage(signed.id, sent_at, document["type"], data if isinstance(data, dict) else {})
