"""The record of a message that carries no job: dead, with the reason that its DLQ message can't tell."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError
from tidemill.domain.failure import Failure
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery, Held
from tidemill.domain.names import check_kind, check_tenant
from tidemill.domain.ports import AttemptFailure
from tidemill.service.reception import Foreign, Unreadable
from tidemill.service.submission import DEFAULT_TENANT

# The kind in the record of a message whose own kind can't be read.
UNREADABLE_KIND: Final = "unreadable"


def message_job_id(tenant: str, kind: str, delivery: Delivery) -> str:
    """The job id of a plain message without a key: equal for every receive of the same message."""
    # No key holds a '#', so that no caller's key can be this one.
    return keyed_job_id(tenant, kind, f"message#{delivery.message_id}")


def refused_ref(received: Foreign | Unreadable) -> JobRef:
    """Whose record a refused message has, by what can be read of it."""
    tenant, kind = _named(received)
    return JobRef(tenant, message_job_id(tenant, kind, received.delivery))


def is_refusal(job: Job) -> bool:
    """Whether a record stands for a refused message and not for a job."""
    return job.held is not None and job.held.send_id == job.ref.id


def kind_of(received: Foreign | Unreadable) -> str:
    """The kind in its record, as far as it can be read."""
    return _named(received)[1]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a message can't become a job, at `at` (Unix ms): the reason that its record gives, and the evidence."""

    received: Foreign | Unreadable
    reason: str
    failure: Failure
    at: int

    def record(self, lane: str) -> Job:
        """The record to write: dead from the beginning."""
        ref, delivery = refused_ref(self.received), self.received.delivery
        keep_until = self.at + milliseconds(Retention().dead)
        return Job(
            ref=ref,
            kind=kind_of(self.received),
            lane=lane,
            state=State.DEAD,
            fingerprint=fingerprint_of(delivery.body.encode("utf-8", "replace")),
            created_at=delivery.sent_at,
            claimable_at=None,
            ttl_s=max(message_ttl_s(delivery.sent_at), keep_until // 1000 + 1),
            # A plain message has no send id; its job's id stands in, which no envelope can carry.
            held=Held(ref.id, delivery.sent_at),
            finished_at=self.at,
            keep_until=keep_until,
            reason=self.reason,
            error=self.failure.fingerprint,
        )

    @property
    def evidence(self) -> AttemptFailure:
        """What is kept beside the record. There was no attempt."""
        return AttemptFailure(1, 0, self.at, self.failure)


def _named(received: Foreign | Unreadable) -> tuple[str, str]:
    named: dict[str, Any] = received.document if isinstance(received.document, dict) else {}
    tenant = _checked(check_tenant, named.get("tenant"), DEFAULT_TENANT)
    return tenant, _checked(check_kind, named.get("kind"), UNREADABLE_KIND)


def _checked(check: Callable[[object], str], value: object, default: str) -> str:
    try:
        return check(value)
    except InputError:
        return default
