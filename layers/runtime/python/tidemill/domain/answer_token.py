"""A token that lets whoever has it answer one wait of one job, and nothing else. Pure.

It is no session and holds no secret: what it names is readable, and an HMAC (RFC 2104, SHA-256) over it says that it
was made here. Its key is one of a period, whose number it carries, so that keys change without a gap.
"""

from __future__ import annotations

import binascii
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain.answer_errors import AnswerTokenError
from tidemill.domain.duration import days, milliseconds
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef
from tidemill.domain.limits import MAX_DELAY
from tidemill.domain.names import check_answerer, check_job_id, check_tenant, check_wait

# A key is used for so long, and known until the last token that it signed has expired, and for a day more.
PERIOD: Final = days(30)
KEY_LIFE: Final = PERIOD + MAX_DELAY + days(1)
KEY_BYTES: Final = 32
# Longer than any that is made: tenant, id, name, who it is for and two numbers in base64.
MAX_TOKEN_CHARS: Final = 768
_PERIOD_MS: Final = milliseconds(PERIOD)
_OLDEST: Final = -(-MAX_DELAY // PERIOD) + 1
_PREFIX: Final = "a1"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token lets its holder do. `expires_at`: Unix milliseconds. `to`: whom it was made for, "" for nobody."""

    ref: JobRef
    generation: int
    name: str
    expires_at: int
    to: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A token that was read and not yet believed: what it says, the period of its key, and its seal."""

    grant: Grant
    period: int
    body: bytes
    seal: bytes


def period_of(now_ms: int) -> int:
    """The number of the period that `now_ms` (Unix milliseconds) is in."""
    return now_ms // _PERIOD_MS


def key_ends_at(period: int) -> int:
    """Until when the key of a period may be needed, Unix milliseconds."""
    return period * _PERIOD_MS + milliseconds(KEY_LIFE)


def sealed(grant: Grant, period: int, key: bytes) -> str:
    """The token, at most 768 characters that an address takes."""
    parts = [period, grant.ref.tenant, grant.ref.id, grant.generation, grant.name, grant.expires_at, grant.to]
    body = json.dumps(parts, separators=(",", ":")).encode()
    return f"{_PREFIX}.{_encoded(body)}.{_encoded(_mac(body, key))}"


def read(token: str, now_ms: int) -> Sealed:
    """What a token says.

    Raises:
        AnswerTokenError: it is none, or of a period whose key can't be there.
    """
    try:
        prefix, body, seal = token.split(".") if len(token) <= MAX_TOKEN_CHARS else ("", "", "")
        if prefix == _PREFIX:
            found = _read(_decoded(body), _decoded(seal))
            # One token has one writing.
            is_written_so = (_encoded(found.body), _encoded(found.seal)) == (body, seal)
            if is_written_so and 0 <= period_of(now_ms) - found.period + 1 <= _OLDEST + 1:
                return found
    except (binascii.Error, ValueError, TypeError, InputError, RecursionError):
        pass
    raise AnswerTokenError


def check(found: Sealed, key: bytes | None) -> Grant:
    """What a token lets its holder do, if its key sealed it.

    Raises:
        AnswerTokenError: it did not, or there is no such key.
    """
    # Without a key it takes as long.
    if hmac.compare_digest(found.seal, _mac(found.body, key or bytes(KEY_BYTES))) and key is not None:
        return found.grant
    raise AnswerTokenError


def _read(body: bytes, seal: bytes) -> Sealed:
    period, tenant, job_id, generation, name, expires_at, to = json.loads(body)
    grant = Grant(
        JobRef(check_tenant(tenant), check_job_id(job_id)),
        _whole(generation),
        check_wait(name),
        _whole(expires_at),
        check_answerer(to) if to else "",
    )
    return Sealed(grant, _whole(period), body, seal)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(value)
    return value


def _mac(body: bytes, key: bytes) -> bytes:
    return hmac.digest(key, b"tidemill answer\n" + body, "sha256")


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
