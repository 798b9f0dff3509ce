"""Where a listing goes on: a position in one shard of one index, readable by nobody but us."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tidemill.aws.items import SHARDS
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef
from tidemill.domain.names import check_job_id, check_tenant

_SORT_KEY: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9._-]*#)?\d{13}")


@dataclass(frozen=True, slots=True)
class Position:
    """The listing goes on in `shard`, after the entry of `ref` at `sort_key`; from its start without one."""

    shard: int
    sort_key: str | None = None
    ref: JobRef | None = None


START: Final = Position(0)


def encode(position: Position, scope: str) -> str:
    """The cursor for the listing named `scope`.

    The seal binds it to that listing and finds slips of the hand. It is no secret and guards nothing: the
    position only moves within the partitions that the listing's own arguments name.
    """
    parts = [str(position.shard)]
    if position.sort_key is not None and position.ref is not None:
        parts += [position.sort_key, position.ref.tenant, position.ref.id]
    text = "|".join(parts)
    return urlsafe_b64encode(f"{_seal(text, scope)}|{text}".encode()).decode().rstrip("=")


def decode(cursor: str | None, scope: str) -> Position:
    """The position that `cursor` names; the start without one.

    Raises:
        InputError: it is not one that this listing returned.
    """
    if cursor is None:
        return START
    try:
        text = urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
        position = _position(text.partition("|")[2])
        # The seal is checked with all the rest, and one position has one cursor.
        if encode(position, scope) == cursor:
            return position
    except (binascii.Error, ValueError, InputError):
        pass
    raise InputError.at("cursor", "is not one that this listing returned", "cursor")


def _position(text: str) -> Position:
    shard, *after = text.split("|")
    if not shard.isdecimal() or int(shard) >= SHARDS:
        raise ValueError(shard)
    if not after:
        return Position(int(shard))
    sort_key, tenant, job_id = after
    if not _SORT_KEY.fullmatch(sort_key):
        raise ValueError(sort_key)
    return Position(int(shard), sort_key, JobRef(check_tenant(tenant), check_job_id(job_id)))


def _seal(text: str, scope: str) -> str:
    return sha256(f"{scope}\n{text}".encode()).hexdigest()[:8]
