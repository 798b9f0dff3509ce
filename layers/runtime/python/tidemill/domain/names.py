"""The charset and length of every name that comes from outside, and nothing else."""

from __future__ import annotations

import re
from typing import Final

from tidemill.domain import limits, stream_limits, webhook_limits
from tidemill.domain.errors import InputError

# Whose a job is when nobody says it.
DEFAULT_TENANT: Final = "default"

# No name holds '#', the separator of table keys, so a name can't reach into another's partition.
_KIND: Final = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_LANE: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_KEY: Final = re.compile(r"[A-Za-z0-9._:/@+=,-]+")
# All of ASCII that prints, but for the space: API Reference, SendMessage, MessageGroupId.
_ENTITY: Final = re.compile(r"[!-~]+")
_PRINTED: Final = re.compile(r"[ -~]+")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{32}")
_JOB_ID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def check_kind(value: object, field: str = "kind") -> str:
    """Return `value` if it is a well-formed kind such as `media.thumbnail`; raise InputError naming `field`."""
    return _check(value, field, _KIND, limits.MAX_KIND_CHARS, "lower-case words joined by . _ or -")


def check_event_type(value: object, field: str = "type") -> str:
    """Return `value` if it is a well-formed type of event such as `order.placed`; raise InputError naming `field`."""
    return _check(value, field, _KIND, limits.MAX_EVENT_TYPE_CHARS, "lower-case words joined by . _ or -")


def check_category(value: object, field: str = "category") -> str:
    """Return `value` if it is a well-formed category of streams such as `account`; raise InputError naming `field`."""
    return _check(value, field, _KIND, stream_limits.MAX_CATEGORY_CHARS, "lower-case words joined by . _ or -")


def check_stream_key(value: object, field: str = "key") -> str:
    """Return `value` if it can name one stream of its category; raise InputError naming `field`."""
    return _check(value, field, _KEY, stream_limits.MAX_STREAM_KEY_CHARS, "letters, digits and . _ : / @ + = , -")


def check_projection(value: object, field: str = "projection") -> str:
    """Return `value` if it is a well-formed name of a projection; raise InputError naming `field`."""
    return _check(value, field, _KIND, stream_limits.MAX_CATEGORY_CHARS, "lower-case words joined by . _ or -")


def check_schedule(value: object, field: str = "schedule") -> str:
    """Return `value` if it is a well-formed name of a schedule; raise InputError naming `field`."""
    return _check(value, field, _KIND, limits.MAX_SCHEDULE_CHARS, "lower-case words joined by . _ or -")


def check_webhook(value: object, field: str = "webhook") -> str:
    """Return `value` if it is a well-formed name of an endpoint such as `orders`; raise InputError naming `field`."""
    return _check(value, field, _KIND, webhook_limits.MAX_WEBHOOK_CHARS, "lower-case words joined by . _ or -")


def check_tenant(value: object, field: str = "tenant") -> str:
    """Return `value` if it is a well-formed tenant; raise InputError naming `field`."""
    return _check(value, field, _TENANT, limits.MAX_TENANT_CHARS, "letters, digits and . _ - (first a letter or digit)")


def check_lane(value: object, field: str = "lane") -> str:
    """Return `value` if it is a well-formed lane name; raise InputError naming `field`."""
    return _check(value, field, _LANE, limits.MAX_LANE_CHARS, "lower-case words joined by -")


def check_wait(value: object, field: str = "name") -> str:
    """Return `value` if it is a well-formed name of a wait such as `approval`; raise InputError naming `field`."""
    return _check(value, field, _KIND, limits.MAX_WAIT_NAME_CHARS, "lower-case words joined by . _ or -")


def check_answerer(value: object, field: str = "by") -> str:
    """Return `value` if it can name who answers: printable, spaces included; raise InputError naming `field`."""
    return _check(value, field, _PRINTED, limits.MAX_ANSWERER_CHARS, "printable ASCII")


def check_key(value: object, field: str = "key") -> str:
    """Return `value` if it is a well-formed idempotency key; raise InputError naming `field`."""
    return _check(value, field, _KEY, limits.MAX_KEY_CHARS, "letters, digits and . _ : / @ + = , -")


def check_job_id(value: object, field: str = "id") -> str:
    """Return `value` if it is a job id (a lower-case UUID); raise InputError naming `field`."""
    return _check(value, field, _JOB_ID, 36, "a lower-case UUID")


def check_entity(value: object, field: str = "entity") -> str:
    """Return `value` if it can name what a job of a FIFO lane is about; raise InputError naming `field`."""
    return _check(value, field, _ENTITY, limits.MAX_ENTITY_CHARS, "printable ASCII without spaces")


def check_sequence(value: object, field: str = "sequence") -> int:
    """Return `value` if it is a whole number from 0 to 2^53 - 1; raise InputError naming `field`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError.at(field, f"must be a whole number, not {type(value).__name__}", "type")
    if not 0 <= value <= limits.MAX_SEQUENCE:
        raise InputError.at(field, f"must be 0 to {limits.MAX_SEQUENCE}", "range")
    return value


def check_version(value: object, field: str = "version") -> int:
    """Return `value` if it can be the version of a contract, 1 to 9,999; raise InputError naming `field`."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError.at(field, f"must be a whole number, not {type(value).__name__}", "type")
    if not 1 <= value <= limits.MAX_CONTRACT_VERSION:
        raise InputError.at(field, f"must be 1 to {limits.MAX_CONTRACT_VERSION}", "range")
    return value


def check_fingerprint(value: object, field: str = "fingerprint") -> str:
    """Return `value` if it is the fingerprint of arguments; raise InputError naming `field`."""
    return _check(value, field, _FINGERPRINT, 32, "32 lower-case hex digits")


def check_trace(value: str | None, field: str) -> str | None:
    """Return `value` if it is None or can be carried as an id of a trace; raise InputError naming `field`."""
    if value is not None and not (
        isinstance(value, str) and 0 < len(value) <= limits.MAX_TRACE_CHARS and value.isascii() and value.isprintable()
    ):
        raise InputError.at(field, "must be 1 to 64 printable ASCII characters", "format")
    return value


def _check(value: object, field: str, pattern: re.Pattern[str], longest: int, charset: str) -> str:
    if not isinstance(value, str):
        raise InputError.at(field, f"must be a string, not {type(value).__name__}", "type")
    if not 1 <= len(value) <= longest:
        raise InputError.at(field, f"must have 1 to {longest} characters, not {len(value)}", "length")
    if not pattern.fullmatch(value):
        raise InputError.at(field, f"must be {charset}", "format")
    return value
