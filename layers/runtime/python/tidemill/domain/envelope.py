"""The message that carries a job. Everything is in the body; queue attributes are only hints.

The bytes of one send never change through retry and redrive.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final, TypeGuard

from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Member
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.entity import Entity
from tidemill.domain.errand import Errand, errand_of
from tidemill.domain.errors import InputError, MalformedMessageError
from tidemill.domain.heard import Heard, heard_of
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.names import (
    check_entity,
    check_fingerprint,
    check_job_id,
    check_key,
    check_kind,
    check_tenant,
    check_version,
    check_webhook,
)
from tidemill.domain.payload import Stored, args_receipt
from tidemill.domain.strict_json import dump_canonical, load_strict

VERSION: Final = 1
# The field that no other plain message has than a schedule's.
TICK_FIELD: Final = "tick"
# The same of a subscription's.
EVENT_FIELD: Final = "event"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One physical send of one job. Times are Unix milliseconds.

    Attributes:
        send_id: fresh for every physical send (UUIDv7, so it carries the time of the send).
        args: the canonical argument bytes, before any upcasting.
        fingerprint: of those bytes.
        version: which version of the kind's arguments they are.
        generation: the generation this send asks for; a rerun's is higher than the record's.
        not_before: the job may not start earlier. `expires_at`: it may not start later.
        hops: how many jobs caused each other before this one.
        stored: where the argument bytes are if they are too large to travel; `args` is empty then.
        scheduled_at: the time of the schedule that made the job, if one did.
        entity: on a FIFO lane, what the job is about. `sequence`: its number among the entity's jobs.
        errand: what the job does for a saga.
        member: its place in a batch, if it is a child of one.
        heard: the fact that a subscription made it of.
        webhook: the name of the endpoint that is told of the job's end. Never its URL.
    """

    send_id: str
    ref: JobRef
    kind: str
    args: bytes
    fingerprint: str
    submitted_at: int
    correlation_id: str
    key: str | None = None
    generation: int = 1
    not_before: int | None = None
    expires_at: int | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    hops: int = 0
    stored: Stored | None = None
    entity: str | None = None
    sequence: int | None = None
    errand: Errand | None = None
    scheduled_at: int | None = None
    member: Member | None = None
    heard: Heard | None = None
    version: int = 1
    webhook: str | None = None

    def resend(self, send_id: str) -> Envelope:
        """The same job as another physical send."""
        return replace(self, send_id=send_id)

    def entity_in(self, lane: str) -> Entity | None:
        """What the job is about, if it was sent to a FIFO lane."""
        return None if self.entity is None else Entity(self.ref.tenant, lane, self.entity)

    @property
    def batch(self) -> BatchRef | None:
        """The batch that the job is a child of."""
        return None if self.member is None else BatchRef(self.ref.tenant, self.member.batch)

    def record(self, lane: str, state: State, ttl_s: int) -> Job:
        """The record of this job while it waits for its first claim, in `state` queued or scheduled."""
        return Job(
            ref=self.ref,
            kind=self.kind,
            lane=lane,
            state=state,
            fingerprint=self.fingerprint,
            created_at=self.submitted_at,
            claimable_at=self.not_before or 0,
            ttl_s=ttl_s,
            key=self.key,
            generation=self.generation,
            expires_at=self.expires_at,
            owns_args=state is State.SCHEDULED,
            correlation_id=self.correlation_id,
            webhook=self.webhook,
        )

    def encode(self) -> str:
        """The message body."""
        document = {
            "v": VERSION,
            "send_id": self.send_id,
            "id": self.ref.id,
            "tenant": self.ref.tenant,
            "kind": self.kind,
            "fingerprint": self.fingerprint,
            "submitted_at": self.submitted_at,
            "correlation_id": self.correlation_id,
            "generation": self.generation,
            "hops": self.hops,
        }
        optional = {
            "key": self.key,
            "not_before": self.not_before,
            "expires_at": self.expires_at,
            "causation_id": self.causation_id,
            "traceparent": self.traceparent,
            "entity": self.entity,
            "sequence": self.sequence,
            "errand": None if self.errand is None else self.errand.document(),
            "scheduled_at": self.scheduled_at,
            "webhook": self.webhook,
            "batch": None if self.member is None else _batch_document(self.member),
            "heard": None if self.heard is None else self.heard.document(),
            "version": None if self.version == 1 else self.version,
        }
        document.update({name: value for name, value in optional.items() if value is not None})
        if self.stored is not None:
            document["stored"] = {"name": self.stored.name, "sha256": self.stored.sha256, "size": self.stored.size}
            return json.dumps(document, separators=(",", ":"))
        head = json.dumps(document, separators=(",", ":"))
        # The arguments go in as the very text that was fingerprinted, but for two characters that SQS refuses
        # (API Reference, SendMessage): they stand in strings only, where an escape says the same.
        args = self.args.decode("utf-8").replace("\ufffe", "\\ufffe").replace("\uffff", "\\uffff")
        return f'{head[:-1]},"args":{args}}}'


def is_envelope(document: object) -> TypeGuard[dict[str, Any]]:
    """Whether a parsed body claims to be an envelope (else it is a plain message of another system)."""
    return isinstance(document, dict) and "send_id" in document


def is_tick(document: object) -> TypeGuard[dict[str, Any]]:
    """Whether a plain message says that it is a schedule's. See `tidemill.domain.tick`."""
    return isinstance(document, dict) and TICK_FIELD in document


def is_fact_message(document: object) -> TypeGuard[dict[str, Any]]:
    """Whether a plain message says that it is a subscription's. See `tidemill.domain.fact_message`."""
    return isinstance(document, dict) and EVENT_FIELD in document


def decode(document: dict[str, Any]) -> Envelope:
    """Read an envelope from a parsed body.

    Raises:
        MalformedMessageError: a field is missing or ill-formed, the version is unknown, or the
            arguments are not the ones that were fingerprinted.
    """
    try:
        if document.get("v") != VERSION:
            raise InputError.at("v", f"is {document.get('v')!r}, this code reads {VERSION}. Fix: deploy newer code")
        fingerprint = check_fingerprint(document.get("fingerprint"))
        stored = _stored(document, fingerprint)
        args = b"" if stored else dump_canonical(document.get("args"), "args")
        if not stored and fingerprint_of(args) != fingerprint:
            raise InputError.at("fingerprint", "is not that of the arguments")
        return Envelope(
            send_id=check_job_id(document.get("send_id"), "send_id"),
            ref=JobRef(check_tenant(document.get("tenant")), check_job_id(document.get("id"))),
            kind=check_kind(document.get("kind")),
            args=args,
            fingerprint=fingerprint,
            submitted_at=_number(document, "submitted_at"),
            correlation_id=_text(document, "correlation_id") or document["id"],
            key=None if document.get("key") is None else check_key(document["key"]),
            generation=_number(document, "generation"),
            not_before=_optional_number(document, "not_before"),
            expires_at=_optional_number(document, "expires_at"),
            causation_id=_text(document, "causation_id"),
            traceparent=_text(document, "traceparent"),
            hops=_number(document, "hops"),
            stored=stored,
            entity=None if document.get("entity") is None else check_entity(document["entity"]),
            sequence=_optional_number(document, "sequence"),
            errand=None if document.get("errand") is None else errand_of(document["errand"], "errand"),
            scheduled_at=_optional_number(document, "scheduled_at"),
            member=_member(document.get("batch")),
            heard=None if document.get("heard") is None else heard_of(document["heard"]),
            version=check_version(document.get("version", 1)),
            webhook=None if document.get("webhook") is None else check_webhook(document["webhook"]),
        )
    except InputError as error:
        raise MalformedMessageError(*error.violations) from None


def parse_body(body: str) -> Any:
    """Parse a message body, envelope or not.

    Raises:
        MalformedMessageError: it is no strict JSON.
    """
    try:
        return load_strict(body, "body")
    except InputError as error:
        raise MalformedMessageError(*error.violations) from None


def _stored(document: dict[str, Any], fingerprint: str) -> Stored | None:
    receipt = document.get("stored")
    if receipt is None:
        return None
    if "args" in document:
        raise InputError.at("stored", "stands beside arguments; a message has one of the two", "extra")
    return args_receipt(receipt, fingerprint)


def _batch_document(member: Member) -> dict[str, Any]:
    place: dict[str, Any] = {"id": member.batch, "index": member.index, "size": member.size}
    return {**place, "eager": True} if member.eager else place


def _member(place: Any) -> Member | None:
    if place is None:
        return None
    if not isinstance(place, dict):
        raise InputError.at("batch", "must be an object: id, index and size", "type")
    member = Member(
        check_job_id(place.get("id"), "batch.id"),
        _number(place, "index", "batch.index"),
        _number(place, "size", "batch.size"),
        place.get("eager") is True,
    )
    if member.index >= member.size:
        raise InputError.at("batch.index", f"is {member.index}: the batch has {member.size} children", "range")
    return member


def _number(document: dict[str, Any], field: str, where: str | None = None) -> int:
    value = document.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise InputError.at(where or field, "must be a whole number from 0 to 2^53", "type")
    return value


def _optional_number(document: dict[str, Any], field: str) -> int | None:
    return None if document.get(field) is None else _number(document, field)


def _text(document: dict[str, Any], field: str) -> str | None:
    value = document.get(field)
    # The record carries some of these, and its size is counted in bytes.
    if value is not None and not (isinstance(value, str) and len(value) <= limits.MAX_TRACE_CHARS and value.isascii()):
        raise InputError.at(field, f"must be a string of at most {limits.MAX_TRACE_CHARS} ASCII characters", "type")
    return value
