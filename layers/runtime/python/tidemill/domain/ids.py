"""Identities: job ids, send ids, and the time that a send id carries."""

from __future__ import annotations

import hashlib
import uuid


def time_ordered_id(now_ms: int, random_bits: int) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of `now_ms`, then 74 of the low bits of `random_bits`.

    Time-ordered ids make listings sort by creation; time and randomness are arguments.
    """
    value = (now_ms & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random_bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | random_bits & (1 << 62) - 1
    return str(uuid.UUID(int=value))


def keyed_job_id(tenant: str, kind: str, key: str) -> str:
    """The job id that belongs to an idempotency key: equal keys meet in one conditional write.

    A UUIDv8 (RFC 9562: content of our own) from SHA-256, so that no tenant can guess another's.
    """
    return _uuid8(f"tidemill\n{tenant}\n{kind}\n{key}")


def caused_id(job_id: str, generation: int, what: str) -> str:
    """The id of `what` one generation of a job commits with its own end: however often that is written, it is one."""
    return _uuid8(f"tidemill caused\n{job_id}\n{generation}\n{what}")


def _uuid8(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


def milliseconds_of(time_ordered: str) -> int:
    """The Unix time in milliseconds that a UUIDv7 carries."""
    return int(time_ordered[:8] + time_ordered[9:13], 16)
