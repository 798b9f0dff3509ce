"""One event that happened, with all that says which one it is: CloudEvents 1.0 in JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError, InvalidArgsError, MalformedMessageError, Violation
from tidemill.domain.event import Event
from tidemill.domain.names import (
    check_entity,
    check_event_type,
    check_job_id,
    check_sequence,
    check_tenant,
    check_version,
)
from tidemill.domain.strict_json import dump_canonical, load_strict

SPECVERSION: Final = "1.0"


@dataclass(frozen=True, slots=True)
class Fact:
    """One event as it is published. Times are Unix milliseconds.

    Attributes:
        id: a UUID; a fact that is sent twice has one id.
        type: the event's. `version`: of its schema.
        data: its canonical bytes.
        tenant: whose it is.
        at: when it happened.
        correlation_id: carried through everything that one request causes.
        causation_id: the job or fact that caused it.
        subject: what it is about, such as `order/7`. `sequence`: its number among the facts of its subject.
        hops: how many jobs caused each other before it.
    """

    id: str
    type: str
    data: bytes
    tenant: str
    at: int
    correlation_id: str
    version: int = 1
    causation_id: str | None = None
    subject: str | None = None
    sequence: int | None = None
    traceparent: str | None = None
    hops: int = 0

    def cloud_event(self, source: str) -> dict[str, Any]:
        """The fact in CloudEvents' JSON format. `source`: who publishes it, a URI reference."""
        return {**self._attributes(source), "data": load_strict(self.data.decode(), "data")}

    def text(self, source: str) -> str:
        """The same as JSON text, in which the data stands as the very bytes that it is."""
        head = json.dumps(self._attributes(source), separators=(",", ":"))
        return f'{head[:-1]},"data":{self.data.decode()}}}'

    def _attributes(self, source: str) -> dict[str, Any]:
        optional = {
            "causationid": self.causation_id,
            "subject": self.subject,
            "sequence": self.sequence,
            "traceparent": self.traceparent,
        }
        return {
            "specversion": SPECVERSION,
            "id": self.id,
            "source": source,
            "type": self.type,
            "time": _written(self.at),
            "datacontenttype": "application/json",
            "tenant": self.tenant,
            "schemaversion": self.version,
            "correlationid": self.correlation_id,
            "hops": self.hops,
            **{name: value for name, value in optional.items() if value is not None},
        }


def data_of(event: Event) -> bytes:
    """The event's canonical bytes.

    Raises:
        InvalidArgsError: they exceed 128 KiB (131,072 bytes).
        InputError: they hold what JSON can't carry.
    """
    data = event.canonical()
    if len(data) > limits.MAX_EVENT_BYTES:
        problem = f"are {len(data)} bytes, the limit is {limits.MAX_EVENT_BYTES}. Fix: put them in S3, publish the key"
        raise InvalidArgsError(Violation("data", problem, "too_large"))
    return data


def read_fact(document: Mapping[str, Any]) -> Fact:
    """The fact in a document of CloudEvents' JSON format.

    Raises:
        MalformedMessageError: an attribute is missing or ill-formed, or the version is unknown.
    """
    try:
        if document.get("specversion") != SPECVERSION:
            problem = f"is {document.get('specversion')!r}, this code reads {SPECVERSION!r}"
            raise InputError.at("specversion", problem)
        subject, sequence = document.get("subject"), document.get("sequence")
        fact_id = check_job_id(document.get("id"))
        return Fact(
            id=fact_id,
            type=check_event_type(document.get("type")),
            data=dump_canonical(document.get("data"), "data"),
            tenant=check_tenant(document.get("tenant")),
            at=_read_time(document.get("time")),
            correlation_id=_text(document, "correlationid") or fact_id,
            version=check_version(document.get("schemaversion", 1), "schemaversion"),
            causation_id=_text(document, "causationid"),
            subject=None if subject is None else check_entity(subject, "subject"),
            sequence=None if sequence is None else check_sequence(sequence),
            traceparent=_text(document, "traceparent"),
            hops=check_sequence(document.get("hops", 0), "hops"),
        )
    except InputError as error:
        raise MalformedMessageError(*error.violations) from None


def time_in(text: str) -> int:
    """When the fact of this text happened, Unix milliseconds. The rest of it is not looked at.

    Raises:
        MalformedMessageError: the text is no JSON object, or does not say it.
    """
    try:
        document = load_strict(text, "event")
        return _read_time(document.get("time") if isinstance(document, Mapping) else None)
    except InputError as error:
        raise MalformedMessageError(*error.violations) from None


def _written(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _read_time(value: object) -> int:
    try:
        read = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise InputError.at("time", "must be a time as RFC 3339 writes it, with its zone", "type")
    return round(read.timestamp() * 1000)


def _text(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not (isinstance(value, str) and len(value) <= limits.MAX_TRACE_CHARS and value.isascii()):
        raise InputError.at(name, f"must be a string of at most {limits.MAX_TRACE_CHARS} ASCII characters", "type")
    return value
