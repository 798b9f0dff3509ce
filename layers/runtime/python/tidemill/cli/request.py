"""From what was typed to the document that the HTTP API takes. What can be seen to be wrong here is refused here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Container
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from tidemill.cli.durations import parse_duration
from tidemill.domain import limits
from tidemill.domain.due import parse_moment
from tidemill.domain.errors import InputError
from tidemill.domain.names import (
    check_entity,
    check_job_id,
    check_key,
    check_kind,
    check_lane,
    check_sequence,
    check_tenant,
    check_version,
)
from tidemill.domain.strict_json import dump_canonical, load_strict

# A file may be indented and escaped; far more than that is the wrong file.
_MAX_TEXT_BYTES: Final = 8 * limits.MAX_PAYLOAD_BYTES
# Lambda hands the API's function 6 MB (Lambda Developer Guide, "Lambda quotas"), in which the gateway writes the body
# as a string: each quote with one more character. The rest is for headers.
_MAX_EVENT_BYTES: Final = 6 * 1024 * 1024 - 64 * 1024


def read_object(source: str, field: str) -> dict[str, Any]:
    """A JSON object: its text, `@FILE`, or `-` for standard input.

    Raises:
        InputError: unreadable, no strict JSON or no object; `field` is named.
    """
    document = load_strict(_text(source, field), field)
    if not isinstance(document, dict):
        raise InputError.at(field, f"must be a JSON object, not {_json_type(document)}", "type")
    return document


def read_args(source: str) -> dict[str, Any]:
    """The arguments: JSON text, `@FILE`, or `-` for standard input.

    Raises:
        InputError: unreadable, no strict JSON, no object, or too large; the field is `args`.
    """
    document = read_object(source, "args")
    canonical = dump_canonical(document, "args")
    size = len(canonical)
    if size > limits.MAX_PAYLOAD_BYTES:
        raise InputError.at(
            "args",
            f"are {size} bytes, the limit is {limits.MAX_PAYLOAD_BYTES}. Fix: store the data in S3 and pass its key",
            "too_large",
        )
    # Within the string, the two characters that JSON escapes are one longer, and all else is as it is.
    size += canonical.count(b'"') + canonical.count(b"\\")
    if size > _MAX_EVENT_BYTES:
        raise InputError.at(
            "args",
            f"are {size} bytes in the API's request, which holds {_MAX_EVENT_BYTES}. "
            "Fix: submit with the Python client, or store the data in S3 and pass its key",
            "too_large",
        )
    return document


def request_document(
    kind: str, source: str, options: dict[str, str | None], lanes: Callable[[], Container[str]]
) -> dict[str, Any]:
    """The body of POST /jobs.

    Arguments:
        source: see `read_args`.
        options: `key`, `tenant`, `lane`, `entity`, `sequence`, `job_id`, `version`, `delay` and `expires_in` as
            typed; None is left out.
        lanes: the stack's lanes; asked for last, and only for a lane that could be one.

    Raises:
        InputError: one is bad; it is named as the option is.
    """
    document: dict[str, Any] = {"kind": check_kind(kind), "args": read_args(source)}
    checks: dict[str, Callable[[str, str], object]] = {
        "key": check_key,
        "tenant": check_tenant,
        "lane": check_lane,
        "entity": check_entity,
        "sequence": lambda typed, field: check_sequence(int(typed) if typed.isdecimal() else typed, field),
        "job_id": check_job_id,
        "version": lambda typed, field: check_version(int(typed) if typed.isdecimal() else typed, field),
    }
    given = {name: value for name, value in options.items() if value is not None}
    document.update({name: checks[name](given[name], name) for name in checks if name in given})
    if "key" in given and "job_id" in given:
        raise InputError.at("job_id", "can't be chosen beside a key: the key decides it")
    document.update(_spans(given))
    if "durable_args" in given:
        document["durable_args"] = True
    if "at" in given:
        if "delay" in given:
            raise InputError.at("at", "stands beside --delay; give one of the two", "extra")
        parse_moment(given["at"], "at")
        document["run_at"] = given["at"]
    if "lane" in given and given["lane"] not in (known := lanes()):
        names = f"; known: {', '.join(known)}" if isinstance(known, dict) else ""
        raise InputError.at("lane", f"no lane {given['lane']!r}{names}", "unknown_lane")
    return document


def _spans(given: dict[str, str]) -> dict[str, int]:
    spans = {name: parse_duration(given[name], name) for name in ("delay", "expires_in") if name in given}
    if "expires_in" in spans and spans["expires_in"] <= spans.get("delay", timedelta(0)):
        raise InputError.at("expires_in", "must be longer than the delay, or the job could never run", "range")
    return {f"{name}_seconds": int(span.total_seconds()) for name, span in spans.items()}


def _text(source: str, field: str) -> str | bytes:
    if source == "-":
        text: str | bytes = sys.stdin.buffer.read(_MAX_TEXT_BYTES + 1)
    elif source.startswith("@"):
        text = _file(source[1:], field)
    else:
        text = source
    if len(text) > _MAX_TEXT_BYTES:
        raise InputError.at(field, f"has more than {_MAX_TEXT_BYTES} bytes of JSON", "too_large")
    return text


def _file(name: str, field: str) -> bytes:
    try:
        with Path(name).open("rb") as file:
            return file.read(_MAX_TEXT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise InputError.at(field, f"can't be read from {name!r:.200}: {reason}", "file") from None


def _json_type(document: object) -> str:
    names: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(document), "a number")
