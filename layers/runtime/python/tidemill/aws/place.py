"""Where a listing or a scan goes on, as a cursor: a part of an index, and the key of the last item seen there."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tidemill.domain.errors import InputError


def encode(shard: int, key: Mapping[str, Any] | None, scope: str) -> str:
    """The cursor of a place in the listing named `scope`, which it is bound to. It is no secret and guards nothing."""
    text = json.dumps([shard, key], separators=(",", ":"), sort_keys=True)
    return urlsafe_b64encode(f"{_seal(text, scope)}{text}".encode()).decode().rstrip("=")


def decode(cursor: str | None, scope: str, shards: int) -> tuple[int, dict[str, Any] | None]:
    """The part and the key; the start without a cursor.

    Raises:
        InputError: it is not one that this listing returned.
    """
    if cursor is None:
        return 0, None
    try:
        text = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
        seal, place = text[:8], text[8:]
        if seal == _seal(place, scope):
            shard, key = json.loads(place)
            if shard < shards:
                return shard, key
    except (binascii.Error, ValueError):
        pass
    raise InputError.at("cursor", "is not one that this listing returned", "cursor")


def _seal(text: str, scope: str) -> str:
    return sha256(f"{scope}\n{text}".encode()).hexdigest()[:8]
